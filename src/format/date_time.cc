#include "format/date_time.h"

#include <cmath>
#include <cstdint>

namespace weir::format {
namespace {

constexpr std::int64_t kDaySeconds = 86'400;
constexpr int kFractionDigitsMax = 9;
// Of the years 1 and 9999: what an offset takes beyond them has no text.
constexpr std::int64_t kFirstSecond = -62'135'596'800;
constexpr std::int64_t kLastSecond = 253'402'300'799;

// Days since 1970-01-01 in the proleptic Gregorian calendar, counted from 1 March, so that the leap
// day is a year's last (Hinnant, chrono-Compatible Low-Level Date Algorithms).
std::int64_t days_of(int year, int month, int day) {
  const std::int64_t y = month <= 2 ? year - 1 : year;
  const std::int64_t era = y / 400;  // y >= 0
  const std::int64_t year_of_era = y - era * 400;
  const std::int64_t day_of_year = (153 * (month + (month > 2 ? -3 : 9)) + 2) / 5 + day - 1;
  const std::int64_t day_of_era =
      year_of_era * 365 + year_of_era / 4 - year_of_era / 100 + day_of_year;
  return era * 146'097 + day_of_era - 719'468;
}

bool is_leap(int year) { return year % 4 == 0 && (year % 100 != 0 || year % 400 == 0); }

int days_in(int year, int month) {
  constexpr int kDays[] = {31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31};
  return month == 2 && is_leap(year) ? 29 : kDays[month - 1];
}

class Cursor {
 public:
  explicit Cursor(std::string_view text) : rest_(text) {}

  bool done() const { return rest_.empty(); }
  char peek() const { return rest_.empty() ? '\0' : rest_.front(); }
  bool take(char wanted) {
    if (peek() != wanted) return false;
    rest_.remove_prefix(1);
    return true;
  }
  // Exactly so many digits.
  std::optional<int> digits(std::size_t count) {
    if (rest_.size() < count) return std::nullopt;
    int value = 0;
    for (const char c : rest_.substr(0, count)) {
      if (c < '0' || c > '9') return std::nullopt;
      value = value * 10 + (c - '0');
    }
    rest_.remove_prefix(count);
    return value;
  }
  // The digits after a point as nanoseconds: one to nine.
  std::optional<std::int64_t> nanoseconds() {
    std::int64_t value = 0;
    int count = 0;
    for (; peek() >= '0' && peek() <= '9'; rest_.remove_prefix(1)) {
      if (++count > kFractionDigitsMax) return std::nullopt;
      value = value * 10 + (peek() - '0');
    }
    if (count == 0) return std::nullopt;
    for (; count < kFractionDigitsMax; ++count) value *= 10;
    return value;
  }

 private:
  std::string_view rest_;
};

struct Instant {
  std::int64_t seconds = 0;
  std::int64_t nanoseconds = 0;
};

bool read_date(Cursor& at, Instant& instant) {
  const auto year = at.digits(4);
  if (!year || *year == 0 || !at.take('-')) return false;
  const auto month = at.digits(2);
  if (!month || *month < 1 || *month > 12 || !at.take('-')) return false;
  const auto day = at.digits(2);
  if (!day || *day < 1 || *day > days_in(*year, *month)) return false;
  instant.seconds = days_of(*year, *month, *day) * kDaySeconds;
  return true;
}

bool read_time(Cursor& at, Instant& instant) {
  const auto hour = at.digits(2);
  if (!hour || *hour > 23 || !at.take(':')) return false;
  const auto minute = at.digits(2);
  if (!minute || *minute > 59) return false;
  instant.seconds += *hour * 3'600 + *minute * 60;
  if (!at.take(':')) return true;
  const auto second = at.digits(2);
  if (!second || *second > 60) return false;
  instant.seconds += *second;
  if (!at.take('.')) return true;
  const auto fraction = at.nanoseconds();
  if (!fraction) return false;
  instant.nanoseconds = *fraction;
  return true;
}

bool read_offset(Cursor& at, Instant& instant) {
  if (at.take('Z') || at.take('z')) return true;
  const bool east = at.take('+');
  if (!east && !at.take('-')) return true;
  const auto hours = at.digits(2);
  if (!hours || *hours > 23) return false;
  at.take(':');
  const auto minutes = at.digits(2);
  if (!minutes || *minutes > 59) return false;
  const std::int64_t offset = *hours * 3'600 + *minutes * 60;
  instant.seconds += east ? -offset : offset;
  return true;
}

// With zeros before it.
void append_digits(std::string& out, std::int64_t value, std::size_t count) {
  const std::string digits = std::to_string(value);
  out.append(count > digits.size() ? count - digits.size() : 0, '0');
  out += digits;
}

}  // namespace

std::optional<double> parse_date_time(std::string_view text) {
  Cursor at(text);
  Instant instant;
  if (!read_date(at, instant)) return std::nullopt;
  if (at.take('T') || at.take('t') || at.take(' ')) {
    if (!read_time(at, instant) || !read_offset(at, instant)) return std::nullopt;
  }
  if (!at.done() || instant.seconds < kFirstSecond || instant.seconds > kLastSecond) {
    return std::nullopt;
  }
  return static_cast<double>(instant.seconds) + static_cast<double>(instant.nanoseconds) / 1e9;
}

std::string format_date_time(double seconds) {
  double whole = std::floor(seconds);
  auto nanoseconds = static_cast<std::int64_t>(std::llround((seconds - whole) * 1e9));
  if (nanoseconds == 1'000'000'000) {
    nanoseconds = 0;
    whole += 1;
  }
  const auto total = static_cast<std::int64_t>(whole);
  std::int64_t days = total / kDaySeconds;
  if (total % kDaySeconds < 0) --days;
  const auto in_day = static_cast<int>(total - days * kDaySeconds);
  // The inverse of days_of().
  const std::int64_t shifted = days + 719'468;
  const std::int64_t era = (shifted >= 0 ? shifted : shifted - 146'096) / 146'097;
  const std::int64_t day_of_era = shifted - era * 146'097;
  const std::int64_t year_of_era =
      (day_of_era - day_of_era / 1'460 + day_of_era / 36'524 - day_of_era / 146'096) / 365;
  const std::int64_t day_of_year =
      day_of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
  const std::int64_t month_from_march = (5 * day_of_year + 2) / 153;
  const auto day = static_cast<int>(day_of_year - (153 * month_from_march + 2) / 5 + 1);
  const auto month =
      static_cast<int>(month_from_march < 10 ? month_from_march + 3 : month_from_march - 9);
  const auto year = static_cast<int>(year_of_era + era * 400 + (month <= 2 ? 1 : 0));
  std::string out;
  append_digits(out, year, 4);
  append_digits(out += '-', month, 2);
  append_digits(out += '-', day, 2);
  append_digits(out += 'T', in_day / 3'600, 2);
  append_digits(out += ':', in_day / 60 % 60, 2);
  append_digits(out += ':', in_day % 60, 2);
  if (nanoseconds > 0) {
    append_digits(out += '.', nanoseconds, kFractionDigitsMax);
    while (out.back() == '0') out.pop_back();
  }
  return out + 'Z';
}

}  // namespace weir::format
