#include "format/feature_reader.h"

#include <algorithm>
#include <limits>
#include <string>

#include "base/text.h"

namespace weir::format {
namespace {

std::string_view type_in_words(char first) {
  switch (first) {
    case '"': return "text";
    case '{': return "an object";
    case '[': return "an array";
    case 'n': return "null";
    default: return "a truth value";
  }
}

FeatureRefusalKind kind_of(JsonFault fault) {
  switch (fault) {
    case JsonFault::kNotUtf8: return FeatureRefusalKind::kNotUtf8;
    case JsonFault::kTooDeep: return FeatureRefusalKind::kTooDeep;
    default: return FeatureRefusalKind::kNotJson;
  }
}

}  // namespace

std::string FeatureParser::Reader::shown(std::string_view name) {
  constexpr std::size_t kBytesShown = 64;
  std::string text = one_line(name.substr(0, kBytesShown));
  if (name.size() > kBytesShown) text += "…";
  return "'" + text + "'";
}

FeatureRefusalKind FeatureParser::Reader::json_refusal() const { return kind_of(json_.fault()); }

std::optional<ParsedFeatures> FeatureParser::Reader::read() {
  ParsedFeatures parsed;
  if (read_document(parsed)) {
    json_.skip_space();
    if (json_.left() == 0) return parsed;
    not_json("bytes after the document");
  }
  rows_.resize(base_);
  return std::nullopt;
}

void FeatureParser::Reader::begin_pass() {
  ++p_.pass_;
  previous_ = 0;
  met_ = 0;
  p_.scratch_.unescaped.clear();
}

bool FeatureParser::Reader::read_document(ParsedFeatures& parsed) {
  json_.skip_space();
  if (json_.peek() != '{') {
    if (!json_.skip_value(0)) return refuse_json();
    json_.skip_space();
    if (json_.left() != 0) return not_json("bytes after the document");
    return refuse(FeatureRefusalKind::kNotAnObject, "the message is not a JSON object");
  }
  const char* const object = json_.at();
  parsed = {.count = 1, .many = false};
  if (looks_flat()) {
    json_.rewind(object);
    return read_flat();
  }
  // An object as the first member: a table, if it is the only one. Read it as that, and where this
  // fails find out whether it is.
  const char* const value = json_.at();
  const bool table = read_table();
  json_.skip_space();
  if (table && json_.take('}')) {
    parsed = {.count = p_.labels_.size(), .many = true};
    write_rows();
    return true;
  }
  json_.rewind(value);
  p_.scratch_.unescaped.clear();
  if (!json_.skip_value(1)) return refuse_json();
  json_.skip_space();
  if (json_.peek() == ',') {
    json_.rewind(object);
    return read_flat();
  }
  if (json_.peek() != '}') return not_json("expected ',' or '}'");
  return false;
}

// False where the document's first member is an object; the cursor is then at that object.
bool FeatureParser::Reader::looks_flat() {
  json_.advance(1);
  json_.skip_space();
  if (json_.peek() != '"') return true;
  std::string_view name;
  bool escaped = false;
  if (!json_.read_string(name, escaped)) return true;
  json_.skip_space();
  if (!json_.take(':')) return true;
  json_.skip_space();
  return json_.peek() != '{';
}

bool FeatureParser::Reader::read_flat() {
  begin_pass();
  rows_.resize(base_ + p_.names_.size(), std::numeric_limits<double>::quiet_NaN());
  double* const row = rows_.data() + base_;
  json_.advance(1);
  json_.skip_space();
  bool more = !json_.take('}');
  while (more) {
    if (!p_.encoder_) {
      json_.skip_space();
      read_usual_members(row);
    }
    std::size_t feature = kNoFeature;
    if (!read_name(feature)) return false;
    if (feature == kNoFeature) {
      if (!json_.skip_value(1)) return refuse_json();
    } else if (!meet(feature) || !read_value(feature, row[feature])) {
      return false;
    }
    if (!next_member(more)) return false;
  }
  return all_met();
}

// Reads members, none or more, as long as each is the one that came next before, with a plain
// number and another member behind it. The cursor is then at a member's name.
void FeatureParser::Reader::read_usual_members(double* row) {
  // In variables of its own: the cursor's place would go through memory at each step. Blanks are
  // foreseen, not added: what comes next need not wait for them.
  const char* member = json_.at();
  const char* const end = member + json_.left();
  std::size_t previous = previous_;
  std::size_t met = met_;
  const auto parse_plain = p_.parse_plain_;
  while (true) {
    const std::size_t feature = p_.successor_[previous];
    if (feature >= p_.names_.size() || p_.seen_[feature] == p_.pass_) break;
    const ExpectedBytes& token = p_.names_[feature].token;
    if (!token.stand_at(member, static_cast<std::size_t>(end - member))) break;
    const char* value = member + token.size();
    if (static_cast<std::size_t>(end - value) <= kPlainDecimalReads) break;
    if (*value == ' ') [[likely]]
      ++value;
    const char* const after = parse_plain(value, row[feature]);
    if (after == nullptr || *after != ',') break;
    member = after + 1;
    if (*member == ' ') [[likely]]
      ++member;
    p_.seen_[feature] = p_.pass_;
    previous = feature + 1;
    ++met;
  }
  json_.rewind(member);
  previous_ = previous;
  met_ = met;
}

bool FeatureParser::Reader::read_other_name(std::size_t& feature) {
  if (json_.peek() != '"') return not_json("expected a member's name");
  std::string_view name;
  bool escaped = false;
  const std::size_t kept = p_.scratch_.unescaped.size();
  if (!json_.read_string(name, escaped)) return refuse_json();
  feature = find_feature(name);
  p_.scratch_.unescaped.resize(kept);
  json_.skip_space();
  if (!json_.take(':')) return not_json("expected ':'");
  if (feature != kNoFeature) {
    p_.successor_[previous_] = static_cast<std::uint32_t>(feature);
    previous_ = feature + 1;
  }
  return true;
}

bool FeatureParser::Reader::refuse_twice(std::size_t feature) {
  return refuse(FeatureRefusalKind::kDuplicateFeature,
                "feature " + shown(p_.names_[feature].text) + " twice");
}

bool FeatureParser::Reader::all_met() {
  const std::size_t count = p_.names_.size();
  if (met_ == count) return true;
  std::size_t first = count;
  std::size_t missing = 0;
  for (std::size_t feature = 0; feature < count; ++feature) {
    if (p_.seen_[feature] == p_.pass_ || may_lack(feature)) continue;
    first = std::min(first, feature);
    ++missing;
  }
  if (missing == 0) return true;
  std::string text = "feature " + shown(p_.names_[first].text) + " is missing";
  if (missing > 1) text += ", and " + std::to_string(missing - 1) + " more";
  return refuse(FeatureRefusalKind::kMissingFeature, std::move(text));
}

bool FeatureParser::Reader::read_odd_value(std::size_t feature, double& value) {
  const char first = json_.peek();
  const Decimal decimal = json_.read_number();
  if (decimal.status == DecimalStatus::kGood) {
    value = decimal.value;
    return true;
  }
  const std::string name = shown(p_.names_[feature].text);
  if (decimal.status == DecimalStatus::kOutOfRange) {
    return refuse(FeatureRefusalKind::kOutOfRange, "feature " + name + " is out of range");
  }
  if (!json_.skip_value(3)) {  // NaN, Infinity, +1, .5: what other languages call numbers
    return refuse(json_refusal(), json_.fault_text() + ", in feature " + name);
  }
  return refuse(FeatureRefusalKind::kNotANumber,
                "feature " + name + " is not a number but " + std::string(type_in_words(first)));
}

// The same text that a data set's cell would have, and so the same number.
bool FeatureParser::Reader::read_encoded_value(std::size_t feature, double& value) {
  const std::size_t kept = p_.scratch_.unescaped.size();
  std::string_view text;
  bool missing = false;
  if (!read_value_text(feature, text, missing)) return false;
  const auto fault = missing ? p_.encoder_->encode_missing(feature, value)
                             : p_.encoder_->encode(feature, text, value);
  if (fault) return refuse_value(feature, *fault, missing ? "null" : text);
  p_.scratch_.unescaped.resize(kept);
  return true;
}

bool FeatureParser::Reader::read_value_text(std::size_t feature, std::string_view& text,
                                            bool& missing) {
  using record::InputKind;
  const InputKind kind = p_.encoder_->kind(feature);
  const char* const begin = json_.at();
  const char first = json_.peek();
  if (first == '"' && kind != InputKind::kNumber) {
    bool escaped = false;
    return json_.read_string(text, escaped) || refuse_json();
  }
  const bool number = first == '-' || (first >= '0' && first <= '9');
  if (first == '{' || first == '[' || first == '"' || (number && kind == InputKind::kDateTime) ||
      (!number && first != 'n' && kind != InputKind::kCategory)) {
    const std::string name = shown(p_.names_[feature].text);
    if (!json_.skip_value(3)) {
      return refuse(json_refusal(), json_.fault_text() + ", in feature " + name);
    }
    const FeatureRefusalKind refusal = kind == InputKind::kDateTime
                                           ? FeatureRefusalKind::kNotADateTime
                                           : FeatureRefusalKind::kNotANumber;
    return refuse(refusal, "feature " + name + " is not a " +
                               std::string(record::input_kind_name(kind)) + " but " +
                               (number ? "a number" : std::string(type_in_words(first))));
  }
  if (!json_.skip_value(3)) {
    return refuse(json_refusal(),
                  json_.fault_text() + ", in feature " + shown(p_.names_[feature].text));
  }
  text = std::string_view(begin, static_cast<std::size_t>(json_.at() - begin));
  missing = first == 'n';
  return true;
}

bool FeatureParser::Reader::refuse_value(std::size_t feature, RowFault fault,
                                         std::string_view text) {
  const std::string name = "feature " + shown(p_.names_[feature].text);
  switch (fault) {
    case RowFault::kEmptyCell:
      return refuse(FeatureRefusalKind::kMissingFeature,
                    name + " is missing: the value is " + shown(text));
    case RowFault::kOutOfRange:
      return refuse(FeatureRefusalKind::kOutOfRange, name + " is out of range");
    case RowFault::kNotADateTime:
      return refuse(FeatureRefusalKind::kNotADateTime,
                    name + " is not a date-time: " + shown(text));
    case RowFault::kNotPositive:
      return refuse(FeatureRefusalKind::kNotPositive,
                    name + " is " + shown(text) + ", and its logarithm is taken");
    default:
      return refuse(FeatureRefusalKind::kNotANumber, name + " is not a number: " + shown(text));
  }
}

std::size_t FeatureParser::Reader::find_feature(std::string_view name) const {
  const auto found = std::lower_bound(
      p_.by_name_.begin(), p_.by_name_.end(), name,
      [&](std::uint32_t index, std::string_view wanted) { return p_.names_[index].text < wanted; });
  return found != p_.by_name_.end() && p_.names_[*found].text == name ? *found : kNoFeature;
}

}  // namespace weir::format
