#include "format/column_profile.h"

#include <algorithm>
#include <cmath>
#include <utility>

#include "base/check.h"
#include "base/text.h"
#include "format/cell_encoder.h"
#include "format/date_time.h"

namespace weir::format {
namespace {

// Fewer different values than this make a category even where each row has its own.
constexpr std::size_t kFewValues = 20;

void forget_values(ColumnProfile& column) {
  column.too_many_values = true;
  column.not_utf8 = false;
  column.values.clear();
}

void count_value(ColumnProfile& column, std::string_view text, std::uint64_t count) {
  if (column.too_many_values) return;
  const auto found = column.values.find(text);
  if (found != column.values.end()) {
    found->second += count;
    return;
  }
  if (column.values.size() >= kCategoriesKept || text.size() > kCategoryBytesKept) {
    return forget_values(column);
  }
  // What is no UTF-8 is counted like others, so that it makes no difference what came first.
  if (!is_utf8(text)) column.not_utf8 = true;
  column.values.emplace(text, count);
}

}  // namespace

std::string_view column_kind_name(ColumnKind kind) {
  switch (kind) {
    case ColumnKind::kNumber: return "number";
    case ColumnKind::kCategory: return "category";
    case ColumnKind::kDateTime: return "date-time";
    case ColumnKind::kIgnored: return "ignored";
  }
  return "unknown";
}

void NumberFigures::add(double value) {
  ++count;
  const long double delta = value - mean;
  mean += delta / static_cast<long double>(count);
  m2 += delta * (value - mean);
  lowest = std::min(lowest, value);
  highest = std::max(highest, value);
}

void NumberFigures::merge(const NumberFigures& other) {
  if (other.count == 0) return;
  const auto before = static_cast<long double>(count);
  const auto theirs = static_cast<long double>(other.count);
  count += other.count;
  const auto all = static_cast<long double>(count);
  const long double delta = other.mean - mean;
  mean += delta * (theirs / all);
  m2 += other.m2 + delta * delta * (before * theirs / all);
  lowest = std::min(lowest, other.lowest);
  highest = std::max(highest, other.highest);
}

double NumberFigures::deviation() const {
  return count > 1 ? static_cast<double>(std::sqrt(m2 / static_cast<long double>(count - 1))) : 0;
}

void ProfileFigures::merge(const ProfileFigures& following) {
  WEIR_CHECK(following.columns.size() == columns.size());
  for (std::size_t i = 0; i < columns.size(); ++i) {
    columns[i].numbers.merge(following.columns[i].numbers);
    columns[i].date_times.merge(following.columns[i].date_times);
  }
}

ColumnKind ColumnProfile::kind() const {
  if (present() == 0) return ColumnKind::kIgnored;
  const std::uint64_t like_numbers = numbers.count + odd_numbers;
  if (like_numbers >= present() - like_numbers) return ColumnKind::kNumber;
  if (date_times.count >= present() - date_times.count) return ColumnKind::kDateTime;
  if (too_many_values || not_utf8 || values.size() == 1) return ColumnKind::kIgnored;
  if (values.size() > kFewValues && values.size() > present() / 2) return ColumnKind::kIgnored;
  return ColumnKind::kCategory;
}

std::string ColumnProfile::why_ignored() const {
  if (present() == 0) return "it holds no value";
  if (not_utf8) return "it holds text that is not UTF-8";
  if (values.size() == 1) return "it holds the same text in each row";
  if (too_many_values) {
    return "it holds text of more than " + std::to_string(kCategoriesKept) +
           " different values, or longer than " + std::to_string(kCategoryBytesKept) + " bytes";
  }
  return "it holds text, and nearly each row has its own";
}

std::vector<std::string> ColumnProfile::values_by_count() const {
  if (not_utf8) return {};
  std::vector<std::pair<std::string, std::uint64_t>> sorted(values.begin(), values.end());
  std::stable_sort(sorted.begin(), sorted.end(),
                   [](const auto& a, const auto& b) { return a.second > b.second; });
  std::vector<std::string> names;
  for (auto& [text, count] : sorted) names.push_back(std::move(text));
  return names;
}

DatasetProfile::DatasetProfile(const std::vector<std::string>& header,
                               std::vector<std::string> missing_words, Quantiles quantiles)
    : columns_(header.size()),
      missing_words_(std::move(missing_words)),
      keeps_number_quantiles_(quantiles == Quantiles::kKept),
      keeps_date_time_quantiles_(quantiles != Quantiles::kLeftOut) {
  for (std::size_t i = 0; i < header.size(); ++i) columns_[i].name = header[i];
}

void DatasetProfile::add(const CsvChunk& chunk) {
  std::string_view rest = chunk.bytes;
  while (!rest.empty()) {
    const CsvRecordSpan span = first_csv_record(rest);
    const std::string_view record = rest.substr(0, span.length);
    rest.remove_prefix(span.next);
    if (record.empty()) continue;
    if (splitter_.split(record) || splitter_.fields().size() != columns_.size()) {
      add_malformed();
    } else {
      add(splitter_.fields());
    }
  }
}

void DatasetProfile::add(std::span<const std::string_view> fields) {
  WEIR_CHECK(fields.size() == columns_.size());
  ++rows_;
  for (std::size_t i = 0; i < columns_.size(); ++i) add_value(columns_[i], fields[i]);
}

void DatasetProfile::add_malformed() {
  ++rows_;
  ++malformed_;
}

void DatasetProfile::add_value(ColumnProfile& column, std::string_view cell) {
  const std::string_view text = without_blanks(cell);
  if (text.empty() ||
      std::find(missing_words_.begin(), missing_words_.end(), text) != missing_words_.end()) {
    ++column.missing;
    return;
  }
  count_value(column, text, 1);
  double number = 0;
  const auto fault = read_number(text, number);
  if (!fault) {
    column.numbers.add(number);
    if (keeps_number_quantiles_) column.number_quantiles.add(number);
  } else if (*fault != RowFault::kNotANumber) {
    ++column.odd_numbers;
  } else if (const auto seconds = parse_date_time(text)) {
    column.date_times.add(*seconds);
    if (keeps_date_time_quantiles_) column.date_time_quantiles.add(*seconds);
  } else {
    ++column.texts;
  }
}

void DatasetProfile::merge(const DatasetProfile& following) {
  rows_ += following.rows_;
  malformed_ += following.malformed_;
  for (std::size_t i = 0; i < columns_.size(); ++i) {
    ColumnProfile& column = columns_[i];
    const ColumnProfile& theirs = following.columns_[i];
    column.missing += theirs.missing;
    column.texts += theirs.texts;
    column.odd_numbers += theirs.odd_numbers;
    column.numbers.merge(theirs.numbers);
    column.date_times.merge(theirs.date_times);
    column.number_quantiles.merge(theirs.number_quantiles);
    column.date_time_quantiles.merge(theirs.date_time_quantiles);
    if (theirs.too_many_values) forget_values(column);
    for (const auto& [text, count] : theirs.values) count_value(column, text, count);
  }
}

ProfileFigures DatasetProfile::take_figures() {
  ProfileFigures figures;
  figures.columns.reserve(columns_.size());
  for (ColumnProfile& column : columns_) {
    figures.columns.push_back(
        {std::exchange(column.numbers, {}), std::exchange(column.date_times, {})});
  }
  return figures;
}

void DatasetProfile::put_figures(const ProfileFigures& figures) {
  WEIR_CHECK(figures.columns.size() == columns_.size());
  for (std::size_t i = 0; i < columns_.size(); ++i) {
    columns_[i].numbers = figures.columns[i].numbers;
    columns_[i].date_times = figures.columns[i].date_times;
  }
}

const ColumnProfile* DatasetProfile::find(std::string_view name) const {
  const auto found = std::find_if(columns_.begin(), columns_.end(),
                                  [&](const ColumnProfile& column) { return column.name == name; });
  return found == columns_.end() ? nullptr : &*found;
}

}  // namespace weir::format
