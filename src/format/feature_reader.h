// One pass of FeatureParser over one message; a part of feature_message, for its .cc files only.
//
// What makes it quick are guesses that are checked against the bytes: that the next member is the
// one that came next in the message before, spelt plainly; that a number is plain; that each
// column of a table with one row opens like the first one. Where a guess fails, the same bytes are
// read the long way. There is no second parser that would have to agree with this one; the tests
// hold it against another.
#pragma once

#include <algorithm>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "format/feature_message.h"

namespace weir::format {

// Reads one message.
class FeatureParser::Reader {
 public:
  Reader(FeatureParser& parser, std::string_view message, std::vector<double>& rows)
      : p_(parser),
        json_(message, parser.options_.depth_max, parser.scratch_),
        rows_(rows),
        base_(rows.size()) {
    const std::size_t kept = std::min(message.size(), kPlainDecimalReads);
    message.copy(tail_ + kPlainDecimalReads - kept, kept, message.size() - kept);
  }

  std::optional<ParsedFeatures> read();

 private:
  static constexpr std::size_t kNoFeature = static_cast<std::size_t>(-1);

  // A name for people: clipped, escaped.
  static std::string shown(std::string_view name);

  bool refuse(FeatureRefusalKind kind, std::string text) {
    p_.refusal_ = {kind, std::move(text)};
    return false;
  }
  bool refuse_json() { return refuse(json_refusal(), json_.fault_text()); }
  FeatureRefusalKind json_refusal() const;
  bool not_json(std::string_view what) {
    json_.not_json(what);
    return refuse_json();
  }

  void begin_pass();
  bool read_document(ParsedFeatures& parsed);
  bool looks_flat();
  bool read_flat();
  void read_usual_members(double* row);
  bool read_table();
  bool read_column(std::size_t feature);
  bool read_usual_column(std::size_t feature);
  bool read_first_column();
  bool read_later_column(std::size_t column);
  bool index_labels();
  void write_rows();

  bool at_label(std::string_view label) const;
  bool read_name(std::size_t& feature);
  bool read_other_name(std::size_t& feature);
  bool meet(std::size_t feature);
  bool refuse_twice(std::size_t feature);
  bool all_met();
  bool may_lack(std::size_t feature) const {
    return p_.encoder_ != nullptr && p_.encoder_->may_be_missing(feature);
  }
  void add_missing_columns();
  bool read_value(std::size_t feature, double& value);
  bool read_plain_value(double& value);
  bool read_odd_value(std::size_t feature, double& value);
  bool read_encoded_value(std::size_t feature, double& value);
  bool read_value_text(std::size_t feature, std::string_view& text, bool& missing);
  bool refuse_value(std::size_t feature, RowFault fault, std::string_view text);
  bool read_label(std::size_t guess, std::size_t& row);
  bool read_other_label(std::size_t& row);
  std::size_t find_feature(std::string_view name) const;
  std::size_t find_label(std::string_view label) const;
  // After a value: true with `more` set where another member follows, or the object has ended.
  bool next_member(bool& more);

  FeatureParser& p_;
  JsonCursor json_;
  std::vector<double>& rows_;
  const std::size_t base_;    // rows_.size() before this message
  std::size_t previous_ = 0;  // 1 + the feature met last, 0 before the first
  std::size_t met_ = 0;       // features met
  // The message's last bytes, and as many that are no digits: there, too, all can be looked at.
  char tail_[2 * kPlainDecimalReads] = {};
  bool plain_labels_ = true;  // no label of the first column was spelt with escapes
};

// Reads a member's name and the colon; kNoFeature where the name is none of the schema's.
inline bool FeatureParser::Reader::read_name(std::size_t& feature) {
  json_.skip_space();
  const std::size_t guess = p_.successor_[previous_];
  if (guess >= p_.names_.size() || !p_.names_[guess].token.stand_at(json_.at(), json_.left()))
    return read_other_name(feature);
  json_.advance(p_.names_[guess].token.size());
  feature = guess;
  previous_ = guess + 1;
  return true;
}

inline bool FeatureParser::Reader::meet(std::size_t feature) {
  if (p_.seen_[feature] == p_.pass_) return refuse_twice(feature);
  p_.seen_[feature] = p_.pass_;
  ++met_;
  return true;
}

inline bool FeatureParser::Reader::read_value(std::size_t feature, double& value) {
  json_.skip_space();
  if (p_.encoder_) return read_encoded_value(feature, value);
  return read_plain_value(value) || read_odd_value(feature, value);
}

// A plain number that is surely whole; else false, and the cursor stays.
inline bool FeatureParser::Reader::read_plain_value(double& value) {
  const std::size_t left = json_.left();
  const char* const at =
      left >= kPlainDecimalReads ? json_.at() : tail_ + kPlainDecimalReads - left;
  const char* const after = p_.parse_plain_(at, value);
  if (after == nullptr || (*after != ',' && *after != '}' && *after != ' ')) return false;
  json_.advance(static_cast<std::size_t>(after - at));
  return true;
}

inline bool FeatureParser::Reader::next_member(bool& more) {
  json_.skip_space();
  const char c = json_.peek();
  if (c != ',' && c != '}') return not_json("expected ',' or '}'");
  json_.advance(1);
  more = c == ',';
  return true;
}

}  // namespace weir::format
