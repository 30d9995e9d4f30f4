#include "format/cell_encoder.h"

#include <algorithm>
#include <cmath>
#include <limits>
#include <utility>

#include "base/check.h"
#include "base/text.h"
#include "format/date_time.h"
#include "format/decimal.h"

namespace weir::format {
namespace {

// What decode() writes for a category that training did not know.
constexpr std::string_view kOtherCategory = "(other)";

bool is_blank(char c) { return c == ' ' || c == '\t'; }

bool is_infinity_or_nan(std::string_view text) {
  if (!text.empty() && (text.front() == '+' || text.front() == '-')) text.remove_prefix(1);
  if (text.size() > 8) return false;
  std::string lower(text);
  for (char& c : lower) {
    if (c >= 'A' && c <= 'Z') c = static_cast<char>(c - 'A' + 'a');
  }
  return lower == "nan" || lower == "inf" || lower == "infinity";
}

}  // namespace

std::string_view without_blanks(std::string_view text) {
  while (!text.empty() && is_blank(text.front())) text.remove_prefix(1);
  while (!text.empty() && is_blank(text.back())) text.remove_suffix(1);
  return text;
}

std::optional<RowFault> read_number(std::string_view cell, double& value) {
  const std::string_view text = without_blanks(cell);
  if (text.empty()) return RowFault::kEmptyCell;
  std::string_view number = text;
  if (number.front() == '+') {
    number.remove_prefix(1);
    if (number.starts_with('-')) return RowFault::kNotANumber;
  }
  const char* const end = number.data() + number.size();
  const Decimal decimal = parse_decimal(number.data(), end, DecimalGrammar::kText);
  if (decimal.end == end) {
    if (decimal.status == DecimalStatus::kOutOfRange) return RowFault::kOutOfRange;
    if (decimal.status == DecimalStatus::kGood) {
      value = decimal.value;
      return std::nullopt;
    }
  }
  return is_infinity_or_nan(text) ? RowFault::kNotFinite : RowFault::kNotANumber;
}

CellEncoder::CellEncoder(record::Inputs inputs)
    : inputs_(std::move(inputs)),
      words_are_texts_(std::none_of(inputs_.missing_words.begin(), inputs_.missing_words.end(),
                                    [](const std::string& word) {
                                      double value = 0;
                                      return !read_number(word, value);
                                    })),
      places_(inputs_.columns.size()) {
  WEIR_CHECK(!inputs_.plain());
  for (std::size_t column = 0; column < places_.size(); ++column) {
    for (const std::string& category : inputs_.columns[column].categories) {
      places_[column].emplace(category, static_cast<std::uint32_t>(places_[column].size()));
    }
  }
}

bool CellEncoder::stands_for_nothing(std::string_view text) const {
  if (text.empty()) return true;
  return std::any_of(inputs_.missing_words.begin(), inputs_.missing_words.end(),
                     [&](const std::string& word) { return word == text; });
}

std::optional<RowFault> CellEncoder::encode(std::size_t column, std::string_view cell,
                                            double& value) const {
  const std::string_view text = without_blanks(cell);
  if (stands_for_nothing(text)) return encode_missing(column, value);
  const record::Input& input = inputs_.columns[column];
  switch (input.kind) {
    case record::InputKind::kNumber: {
      if (const auto fault = read_number(text, value)) return fault;
      if (input.positive && !(value > 0)) return RowFault::kNotPositive;
      return std::nullopt;
    }
    case record::InputKind::kCategory: {
      const auto found = places_[column].find(text);
      value = static_cast<double>(found == places_[column].end() ? places_[column].size()
                                                                 : found->second);
      return std::nullopt;
    }
    case record::InputKind::kDateTime: {
      const auto seconds = parse_date_time(text);
      if (!seconds) return RowFault::kNotADateTime;
      value = *seconds;
      return std::nullopt;
    }
  }
  return RowFault::kNotANumber;
}

std::optional<RowFault> CellEncoder::encode_number(std::size_t column, double number,
                                                   double& value) const {
  if (std::isnan(number)) return encode_missing(column, value);
  if (std::isinf(number)) return RowFault::kNotFinite;
  if (kind(column) == record::InputKind::kDateTime) return RowFault::kNotADateTime;
  if (kind(column) == record::InputKind::kNumber && words_are_texts_) {
    if (inputs_.columns[column].positive && !(number > 0)) return RowFault::kNotPositive;
    value = number;
    return std::nullopt;
  }
  return encode(column, format_double(number), value);
}

std::optional<RowFault> CellEncoder::encode_missing(std::size_t column, double& value) const {
  if (!inputs_.columns[column].may_be_missing) return RowFault::kEmptyCell;
  value = std::numeric_limits<double>::quiet_NaN();
  return std::nullopt;
}

std::string CellEncoder::decode(std::size_t column, double value) const {
  if (std::isnan(value)) return {};
  const record::Input& input = inputs_.columns[column];
  switch (input.kind) {
    case record::InputKind::kNumber: return format_double(value);
    case record::InputKind::kDateTime: return format_date_time(value);
    case record::InputKind::kCategory: {
      const auto place = static_cast<std::size_t>(value);
      return place < input.categories.size() ? input.categories[place]
                                             : std::string(kOtherCategory);
    }
  }
  return {};
}

}  // namespace weir::format
