// The shape of message that pandas writes: column -> row label -> value.

#include <algorithm>
#include <limits>
#include <numeric>

#include "format/feature_reader.h"

namespace weir::format {

bool FeatureParser::Reader::read_table() {
  begin_pass();
  p_.labels_.clear();
  p_.columns_.clear();
  p_.row_order_.clear();
  p_.column_opening_.expect({});
  json_.advance(1);
  json_.skip_space();
  bool more = !json_.take('}');
  while (more) {
    std::size_t feature = kNoFeature;
    if (!read_name(feature)) return false;
    if (feature == kNoFeature) {
      if (!json_.skip_value(2)) return refuse_json();
    } else if (!meet(feature) || !read_column(feature)) {
      return false;
    }
    if (!next_member(more)) return false;
  }
  if (!all_met()) return false;
  if (p_.labels_.empty()) return refuse(FeatureRefusalKind::kRowLabels, "there are no rows");
  if (met_ == p_.names_.size()) return true;
  if (p_.labels_.size() > kTableCellsMax / p_.names_.size()) {
    return refuse(FeatureRefusalKind::kRowLabels,
                  std::to_string(p_.labels_.size()) + " rows without all of the " +
                      std::to_string(p_.names_.size()) + " features are more than are taken");
  }
  add_missing_columns();
  return true;
}

// Of features that may be missing, and are in each row.
void FeatureParser::Reader::add_missing_columns() {
  const std::size_t rows = p_.labels_.size();
  for (std::size_t feature = 0; feature < p_.names_.size(); ++feature) {
    if (p_.seen_[feature] == p_.pass_) continue;
    p_.column_begin_[feature] = p_.columns_.size();
    p_.columns_.resize(p_.columns_.size() + rows, std::numeric_limits<double>::quiet_NaN());
    if (feature > 0) continue;
    p_.row_order_.resize(rows);
    std::iota(p_.row_order_.begin(), p_.row_order_.end(), 0U);
  }
}

bool FeatureParser::Reader::read_column(std::size_t feature) {
  json_.skip_space();
  if (json_.peek() != '{') {
    if (!json_.skip_value(2)) return refuse_json();
    return refuse(FeatureRefusalKind::kNotAnObject,
                  "column " + shown(p_.names_[feature].text) + " is not an object of rows");
  }
  p_.column_begin_[feature] = p_.columns_.size();
  if (met_ > 1 && !p_.encoder_ && read_usual_column(feature)) return true;
  return met_ == 1 ? read_first_column() : read_later_column(feature);
}

// A column of one row that opens with the same bytes as the first. False: it is not of that kind,
// and the cursor is where it was.
inline bool FeatureParser::Reader::read_usual_column(std::size_t feature) {
  const char* const column = json_.at();
  if (!p_.column_opening_.stand_at(column, json_.left())) return false;
  json_.advance(p_.column_opening_.size());
  double value = 0;
  if (!read_plain_value(value) || !json_.take('}')) {
    json_.rewind(column);
    return false;
  }
  p_.columns_.push_back(value);
  if (feature == 0) p_.row_order_.push_back(0);
  return true;
}

// The labels of the first column met are those that all others must have.
bool FeatureParser::Reader::read_first_column() {
  const std::size_t feature = previous_ - 1;
  const char* const column = json_.at();
  std::size_t opening_bytes = 0;
  json_.advance(1);
  json_.skip_space();
  bool more = !json_.take('}');
  while (more) {
    json_.skip_space();
    std::string_view label;
    bool escaped = false;
    if (!json_.read_string(label, escaped)) return refuse_json();
    plain_labels_ = plain_labels_ && !escaped;
    json_.skip_space();
    if (!json_.take(':')) return not_json("expected ':'");
    json_.skip_space();
    opening_bytes = static_cast<std::size_t>(json_.at() - column);
    double value = 0;
    if (!read_value(feature, value)) return false;
    p_.labels_.push_back(label);
    p_.columns_.push_back(value);
    if (!next_member(more)) return false;
  }
  if (!index_labels()) return false;
  if (p_.labels_.size() == 1) p_.column_opening_.expect({column, opening_bytes});
  if (feature == 0) {
    p_.row_order_.resize(p_.labels_.size());
    std::iota(p_.row_order_.begin(), p_.row_order_.end(), 0U);
  }
  return true;
}

bool FeatureParser::Reader::index_labels() {
  const auto& labels = p_.labels_;
  auto& order = p_.label_order_;
  order.resize(labels.size());
  std::iota(order.begin(), order.end(), 0U);
  std::sort(order.begin(), order.end(),
            [&](std::uint32_t a, std::uint32_t b) { return labels[a] < labels[b]; });
  const auto twice =
      std::adjacent_find(order.begin(), order.end(),
                         [&](std::uint32_t a, std::uint32_t b) { return labels[a] == labels[b]; });
  if (twice != order.end()) {
    return refuse(FeatureRefusalKind::kRowLabels, "row " + shown(labels[*twice]) + " twice");
  }
  p_.label_seen_.assign(labels.size(), 0);
  return true;
}

bool FeatureParser::Reader::read_later_column(std::size_t feature) {
  const std::size_t rows = p_.labels_.size();
  const std::size_t begin = p_.columns_.size();
  p_.columns_.resize(begin + rows);
  json_.advance(1);
  json_.skip_space();
  bool more = !json_.take('}');
  std::size_t count = 0;
  for (; more; ++count) {
    json_.skip_space();
    std::size_t row = 0;
    if (!read_label(count, row)) return false;
    if (p_.label_seen_[row] == met_) {
      return refuse(
          FeatureRefusalKind::kRowLabels,
          "row " + shown(p_.labels_[row]) + " twice in column " + shown(p_.names_[feature].text));
    }
    p_.label_seen_[row] = met_;
    if (!read_value(feature, p_.columns_[begin + row])) return false;
    if (feature == 0) p_.row_order_.push_back(static_cast<std::uint32_t>(row));
    if (!next_member(more)) return false;
  }
  if (count == rows) return true;
  return refuse(FeatureRefusalKind::kRowLabels, "column " + shown(p_.names_[feature].text) +
                                                    " has " + std::to_string(count) +
                                                    " rows, another has " + std::to_string(rows));
}

// Reads a row's label and the colon. `guess`: the row that it would be in the first column's order.
inline bool FeatureParser::Reader::read_label(std::size_t guess, std::size_t& row) {
  if (plain_labels_ && guess < p_.labels_.size() && at_label(p_.labels_[guess])) {
    row = guess;
    json_.advance(p_.labels_[guess].size() + 2);
  } else if (!read_other_label(row)) {
    return false;
  }
  json_.skip_space();
  return json_.take(':') || not_json("expected ':'");
}

bool FeatureParser::Reader::read_other_label(std::size_t& row) {
  std::string_view label;
  bool escaped = false;
  const std::size_t kept = p_.scratch_.unescaped.size();
  if (!json_.read_string(label, escaped)) return refuse_json();
  row = find_label(label);
  if (row == p_.labels_.size()) {
    return refuse(FeatureRefusalKind::kRowLabels,
                  "row " + shown(label) + " is not in every column");
  }
  p_.scratch_.unescaped.resize(kept);
  return true;
}

void FeatureParser::Reader::write_rows() {
  const std::size_t features = p_.names_.size();
  const std::size_t count = p_.labels_.size();
  rows_.resize(base_ + count * features);
  double* out = rows_.data() + base_;
  for (std::size_t row = 0; row < count; ++row) {
    const std::size_t label = p_.row_order_[row];
    for (std::size_t feature = 0; feature < features; ++feature) {
      *out++ = p_.columns_[p_.column_begin_[feature] + label];
    }
  }
}

std::size_t FeatureParser::Reader::find_label(std::string_view label) const {
  const auto& labels = p_.labels_;
  const auto found = std::lower_bound(
      p_.label_order_.begin(), p_.label_order_.end(), label,
      [&](std::uint32_t index, std::string_view wanted) { return labels[index] < wanted; });
  return found != p_.label_order_.end() && labels[*found] == label ? *found : labels.size();
}

inline bool FeatureParser::Reader::at_label(std::string_view label) const {
  if (json_.left() < label.size() + 2 || json_.at()[0] != '"' ||
      json_.at()[label.size() + 1] != '"') {
    return false;
  }
  const char* text = json_.at() + 1;
  for (const char c : label) {  // labels are short: "12"
    if (*text++ != c) return false;
  }
  return true;
}

}  // namespace weir::format
