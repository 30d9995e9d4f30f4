// Profiles as bytes, and back. What is read is held against what can have come of rows.
#include <algorithm>
#include <cmath>

#include "base/text.h"
#include "format/column_profile.h"

namespace weir::format {
namespace {

constexpr int kMantissaBits = 64;

// The wide number to its last bit: twice 64 bits of its mantissa, as there are machines on which it
// has 113.
void write_wide(long double value, ByteWriter& to) {
  int exponent = 0;
  const long double fraction = std::frexp(std::fabs(value), &exponent);
  const long double scaled = std::ldexp(fraction, kMantissaBits);
  const auto high = static_cast<std::uint64_t>(scaled);
  const auto low = static_cast<std::uint64_t>(
      std::ldexp(scaled - static_cast<long double>(high), kMantissaBits));
  to.u8(std::signbit(value) ? 1 : 0);
  to.u32(static_cast<std::uint32_t>(exponent));
  to.u64(high);
  to.u64(low);
}

long double read_wide(ByteReader& from) {
  const bool negative = from.flag();
  const auto exponent = static_cast<std::int32_t>(from.u32());
  const std::uint64_t high = from.u64();
  const std::uint64_t low = from.u64();
  const long double fraction = std::ldexp(static_cast<long double>(high), -kMantissaBits) +
                               std::ldexp(static_cast<long double>(low), -2 * kMantissaBits);
  const long double value = std::ldexp(negative ? -fraction : fraction, exponent);
  ByteWriter given;
  given.u8(negative ? 1 : 0);
  given.u32(static_cast<std::uint32_t>(exponent));
  given.u64(high);
  given.u64(low);
  ByteWriter again;
  if (std::isfinite(value)) write_wide(value, again);
  // More bits than this machine has, or another way to write the same.
  if (again.bytes() != given.bytes()) from.refuse();
  return value;
}

void write_figures(const NumberFigures& figures, ByteWriter& to) {
  to.u64(figures.count);
  if (figures.count == 0) return;
  write_wide(figures.mean, to);
  write_wide(figures.m2, to);
  to.f64(figures.lowest);
  to.f64(figures.highest);
}

// Of rows, but for rounding: so that what is merged of such figures is finite, too.
bool may_be(const NumberFigures& figures) {
  const long double lowest = figures.lowest;
  const long double highest = figures.highest;
  if (!std::isfinite(lowest) || !std::isfinite(highest) || lowest > highest) return false;
  const long double slack = 1e-9L * std::max(std::fabs(lowest), std::fabs(highest));
  const long double range = highest - lowest + slack;
  return figures.mean >= lowest - slack && figures.mean <= highest + slack && figures.m2 >= 0 &&
         figures.m2 <= static_cast<long double>(figures.count) * range * range;
}

NumberFigures read_figures(ByteReader& from) {
  NumberFigures figures;
  figures.count = from.u64();
  if (figures.count == 0) return figures;
  figures.mean = read_wide(from);
  figures.m2 = read_wide(from);
  figures.lowest = from.f64();
  figures.highest = from.f64();
  if (!may_be(figures)) from.refuse();
  return figures;
}

void write_values(const ColumnProfile& column, ByteWriter& to) {
  to.u8(column.too_many_values ? 1 : 0);
  to.u64(column.values.size());
  for (const auto& [text, count] : column.values) {
    to.text(text);
    to.u64(count);
  }
}

void read_values(ByteReader& from, ColumnProfile& column) {
  column.too_many_values = from.flag();
  const std::uint64_t size = from.u64();
  if (size > (column.too_many_values ? 0 : kCategoriesKept)) return from.refuse();
  for (std::uint64_t left = size; left > 0 && from.ok(); --left) {
    const std::string_view text = from.text();
    const std::uint64_t count = from.u64();
    const bool rises = column.values.empty() || column.values.rbegin()->first < text;
    if (!rises || text.empty() || text.size() > kCategoryBytesKept || count == 0) from.refuse();
    if (!from.ok()) return;
    if (!is_utf8(text)) column.not_utf8 = true;
    column.values.emplace_hint(column.values.end(), text, count);
  }
}

}  // namespace

void ProfileFigures::save(ByteWriter& to) const {
  for (const Column& column : columns) {
    write_figures(column.numbers, to);
    write_figures(column.date_times, to);
  }
}

ProfileFigures ProfileFigures::load(ByteReader& from, std::size_t columns) {
  ProfileFigures figures;
  figures.columns.resize(columns);
  for (Column& column : figures.columns) {
    column.numbers = read_figures(from);
    column.date_times = read_figures(from);
  }
  return figures;
}

void DatasetProfile::save_rest(ByteWriter& to) const {
  to.u64(rows_);
  to.u64(malformed_);
  for (const ColumnProfile& column : columns_) {
    to.u64(column.missing);
    to.u64(column.texts);
    to.u64(column.odd_numbers);
    column.number_quantiles.save(to);
    column.date_time_quantiles.save(to);
    write_values(column, to);
  }
}

void DatasetProfile::load_rest(ByteReader& from) {
  rows_ = from.u64();
  malformed_ = from.u64();
  for (ColumnProfile& column : columns_) {
    column.missing = from.u64();
    column.texts = from.u64();
    column.odd_numbers = from.u64();
    column.number_quantiles = QuantileSketch::load(from);
    column.date_time_quantiles = QuantileSketch::load(from);
    read_values(from, column);
    if (!from.ok()) return;
  }
}

bool DatasetProfile::is_consistent() const {
  return malformed_ <= rows_ &&
         std::all_of(columns_.begin(), columns_.end(), [&](const ColumnProfile& column) {
           std::uint64_t counted = 0;
           for (const auto& [text, count] : column.values) counted += count;
           return column.missing + column.present() == rows_ - malformed_ &&
                  (column.too_many_values || counted == column.present()) &&
                  column.number_quantiles.count() ==
                      (keeps_number_quantiles_ ? column.numbers.count : 0) &&
                  column.date_time_quantiles.count() ==
                      (keeps_date_time_quantiles_ ? column.date_times.count : 0);
         });
}

}  // namespace weir::format
