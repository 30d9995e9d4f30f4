#include "audit/audit_inputs.h"

#include <cmath>
#include <cstdlib>
#include <ctime>
#include <limits>
#include <nlohmann/json.hpp>
#include <optional>

#include "base/text.h"

namespace weir::audit {
namespace {

using Json = nlohmann::json;
using Wide = __float128;  // 113 bits; only +, -, * and / are used of it

constexpr double kNothing = std::numeric_limits<double>::quiet_NaN();

std::string_view trim(std::string_view text) {
  const auto first = text.find_first_not_of(" \t");
  if (first == text.npos) return {};
  return text.substr(first, text.find_last_not_of(" \t") - first + 1);
}

// Whether the text has the shape: 'd' is a digit, anything else itself.
bool has_shape(std::string_view text, std::string_view shape) {
  if (text.size() != shape.size()) return false;
  for (std::size_t i = 0; i < text.size(); ++i) {
    const bool digit = text[i] >= '0' && text[i] <= '9';
    if (shape[i] == 'd' ? !digit : text[i] != shape[i]) return false;
  }
  return true;
}

int digits(std::string_view text, std::size_t at, std::size_t count) {
  return std::atoi(std::string(text.substr(at, count)).c_str());
}

// The zone at the text's end in seconds east of Greenwich; it is taken off the text. nullopt: none.
std::optional<int> take_zone(std::string_view& text) {
  if (text.ends_with('Z') || text.ends_with('z')) {
    text.remove_suffix(1);
    return 0;
  }
  const auto sign = text.find_last_of("+-");
  if (sign == text.npos) return 0;
  const std::string_view zone = text.substr(sign + 1);
  if (!has_shape(zone, "dd:dd") && !has_shape(zone, "dddd")) return std::nullopt;
  const int hours = digits(zone, 0, 2);
  const int minutes = digits(zone, zone.size() - 2, 2);
  if (hours > 23 || minutes > 59) return std::nullopt;
  const int offset = (hours * 60 + minutes) * 60;
  const bool east = text[sign] == '+';
  text = text.substr(0, sign);
  return east ? offset : -offset;
}

// The C library's calendar does the work.
std::optional<double> seconds_of(std::string_view text) {
  if (text.size() < 10 || !has_shape(text.substr(0, 10), "dddd-dd-dd")) return std::nullopt;
  std::tm moment{};
  moment.tm_year = digits(text, 0, 4) - 1900;
  moment.tm_mon = digits(text, 5, 2) - 1;
  moment.tm_mday = digits(text, 8, 2);
  if (moment.tm_year == -1900) return std::nullopt;
  std::tm same = moment;
  auto seconds = static_cast<double>(timegm(&same));
  if (same.tm_mon != moment.tm_mon || same.tm_mday != moment.tm_mday) return std::nullopt;
  text.remove_prefix(10);
  if (text.empty()) return seconds;
  if (text.front() != 'T' && text.front() != 't' && text.front() != ' ') return std::nullopt;
  text.remove_prefix(1);
  const auto zone = take_zone(text);
  if (!zone) return std::nullopt;
  double nanoseconds = 0;
  if (const auto point = text.find('.'); point != text.npos) {
    std::string fraction(text.substr(point + 1));
    if (point != 8 || fraction.empty() || fraction.size() > 9) return std::nullopt;
    if (fraction.find_first_not_of("0123456789") != fraction.npos) return std::nullopt;
    fraction.resize(9, '0');
    nanoseconds = std::atof(fraction.c_str());
    text = text.substr(0, point);
  }
  if (!has_shape(text, "dd:dd") && !has_shape(text, "dd:dd:dd")) return std::nullopt;
  const int hour = digits(text, 0, 2);
  const int minute = digits(text, 3, 2);
  const int second = text.size() > 5 ? digits(text, 6, 2) : 0;
  if (hour > 23 || minute > 59 || second > 60) return std::nullopt;
  seconds += hour * 3600.0 + minute * 60.0 + second - *zone;
  if (seconds < -62'135'596'800.0 || seconds >= 253'402'300'800.0) return std::nullopt;
  return seconds + nanoseconds / 1e9;
}

// ln x = ln m + e ln 2, m from 2/3 on and below 4/3; ln m by the series of 2 artanh, added up from
// its first term on.
double logarithm(double x) {
  if (!(x > 0)) return kNothing;
  if (std::isinf(x)) return x;
  int exponent = 0;
  double m = std::frexp(x, &exponent);
  if (m < 2.0 / 3) {
    m *= 2;
    --exponent;
  }
  const auto ratio_series = [](Wide ratio) {
    const Wide square = ratio * ratio;
    Wide power = ratio;
    Wide sum = 0;
    for (int k = 1; k < 61; k += 2) {
      sum += power / k;
      power *= square;
    }
    return 2 * sum;
  };
  const Wide ln2 = ratio_series(Wide(1) / 3);
  return static_cast<double>(ratio_series((Wide(m) - 1) / (Wide(m) + 1)) + exponent * ln2);
}

}  // namespace

Result<AuditInputs> AuditInputs::parse(const Json& model, std::size_t features) {
  AuditInputs made;
  for (const Json& json : model.at("inputs")) {
    Input input;
    input.kind = json.at("kind");
    input.may_be_missing = json.contains("fill");
    if (input.may_be_missing) input.fill = json["fill"];
    input.positive = json.value("positive", false);
    if (json.contains("categories")) {
      for (const Json& text : json["categories"]) {
        const auto place = static_cast<double>(input.categories.size());
        input.categories.emplace(text.get<std::string>(), place);
      }
    }
    if (input.kind != "number" && input.kind != "category" && input.kind != "date-time") {
      return fail(Code::kCorrupt, "an input of an unknown kind");
    }
    made.inputs_.push_back(std::move(input));
  }
  if (made.inputs_.size() != features) {
    return fail(Code::kCorrupt, "as many inputs as features are needed");
  }
  made.missing_words_ = model.at("missing_words").get<std::set<std::string, std::less<>>>();
  for (const Json& json : model.at("terms")) {
    Term term;
    for (const Json& from : json.at("factors")) {
      Factor factor{from.at(0), from.at(1), from.size() > 2 ? from.at(2).get<double>() : 0};
      if (factor.input >= features) return fail(Code::kCorrupt, "a term of no input");
      term.factors.push_back(std::move(factor));
    }
    term.shift = json.value("shift", 0.0);
    term.scale = json.value("scale", 1.0);
    made.terms_.push_back(std::move(term));
  }
  return made;
}

AuditInputs::Verdict AuditInputs::value_of_nothing(std::size_t feature, double& number) const {
  number = kNothing;
  return inputs_[feature].may_be_missing ? Verdict::kTaken : Verdict::kRefused;
}

AuditInputs::Verdict AuditInputs::value_of(std::size_t feature, const AuditValue& value,
                                           double& number) const {
  const Input& input = inputs_[feature];
  switch (value.kind) {
    case AuditValue::Kind::kOther: return Verdict::kRefused;
    case AuditValue::Kind::kNull: return value_of_nothing(feature, number);
    case AuditValue::Kind::kTruth:
      if (input.kind != "category") return Verdict::kRefused;
      break;
    case AuditValue::Kind::kText:
      if (input.kind == "number") return Verdict::kRefused;
      break;
    case AuditValue::Kind::kWhole:
      if (input.kind == "date-time") return Verdict::kRefused;
      break;
    case AuditValue::Kind::kFraction:
      if (input.kind == "date-time") return Verdict::kRefused;
      return value_of_fraction(input, value.number, number);
  }
  const std::string_view text = trim(value.text);
  if (value.kind == AuditValue::Kind::kWhole && value.number == 0 && spelling_matters(input)) {
    return Verdict::kUnknown;  // the parser does not tell -0 from 0
  }
  if (text.empty() || missing_words_.contains(text)) return value_of_nothing(feature, number);
  if (value.kind == AuditValue::Kind::kWhole && input.kind == "number") {
    number = value.number;
    return input.positive && !(number > 0) ? Verdict::kRefused : Verdict::kTaken;
  }
  return value_of_text(input, text, number);
}

bool AuditInputs::spelling_matters(const Input& input) const {
  for (const char* const zero : {"0", "-0"}) {
    if (missing_words_.contains(zero) || input.categories.contains(zero)) return true;
  }
  return false;
}

AuditInputs::Verdict AuditInputs::value_of_text(const Input& input, std::string_view text,
                                                double& number) const {
  if (input.kind == "date-time") {
    const auto seconds = seconds_of(text);
    if (seconds) number = *seconds;
    return seconds ? Verdict::kTaken : Verdict::kRefused;
  }
  const auto known = input.categories.find(text);
  number = known == input.categories.end() ? static_cast<double>(input.categories.size())
                                           : known->second;
  return Verdict::kTaken;
}

// 1.50 and 1.5 are one number and two texts, of which the parser says nothing.
AuditInputs::Verdict AuditInputs::value_of_fraction(const Input& input, double value,
                                                    double& number) const {
  const auto may_be = [&](const std::string& text) {
    const auto as_number = parse_finite_double(text);
    return as_number && *as_number == value;
  };
  for (const std::string& word : missing_words_) {
    if (may_be(word)) return Verdict::kUnknown;
  }
  if (input.kind == "number") {
    number = value;
    return input.positive && !(value > 0) ? Verdict::kRefused : Verdict::kTaken;
  }
  for (const auto& [text, place] : input.categories) {
    if (may_be(text)) return Verdict::kUnknown;
  }
  number = static_cast<double>(input.categories.size());
  return Verdict::kTaken;
}

double AuditInputs::factor_of(const Factor& factor, const double* row) const {
  const double x = row[factor.input];
  const bool missing = x != x;
  if (factor.kind == "missing") return missing ? 1 : 0;
  if (factor.kind == "category") return !missing && x == factor.category ? 1 : 0;
  if (factor.kind == "beyond") return !missing && x >= factor.category ? 1 : 0;
  const double value = missing ? inputs_[factor.input].fill : x;
  return factor.kind == "log" ? logarithm(value) : value;
}

void AuditInputs::make_terms(const double* row, std::vector<double>& out) const {
  out.clear();
  for (const Term& term : terms_) {
    double value = factor_of(term.factors.at(0), row);
    for (std::size_t i = 1; i < term.factors.size(); ++i) {
      value = value * factor_of(term.factors[i], row);
    }
    if (term.shift != 0 || term.scale != 1) {
      value = value - term.shift;
      value = value / term.scale;
    }
    out.push_back(value);
  }
}

}  // namespace weir::audit
