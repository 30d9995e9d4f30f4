#include "base/time_text.h"

namespace weir {
namespace {

// Takes `digits` digits from the front.
bool take_number(std::string_view& text, std::size_t digits, int& number) {
  if (text.size() < digits) return false;
  for (const char c : text.substr(0, digits)) {
    if (c < '0' || c > '9') return false;
    number = number * 10 + (c - '0');
  }
  text.remove_prefix(digits);
  return true;
}

bool take(std::string_view& text, std::string_view one_of) {
  if (text.empty() || one_of.find(text.front()) == std::string_view::npos) return false;
  text.remove_prefix(1);
  return true;
}

// ".25" -> 250; nothing -> 0. Digits beyond milliseconds are dropped.
bool take_fraction(std::string_view& text, Millis& fraction) {
  if (!take(text, ".")) return true;
  int scale = 100;
  std::size_t digits = 0;
  for (; !text.empty() && text.front() >= '0' && text.front() <= '9'; ++digits, scale /= 10) {
    fraction += Millis((text.front() - '0') * scale);
    text.remove_prefix(1);
  }
  return digits > 0;
}

bool take_zone(std::string_view& text, std::chrono::minutes& ahead) {
  if (take(text, "Zz")) return true;
  const bool west = text.starts_with('-');
  int hours = 0;
  int minutes = 0;
  if (!take(text, "+-") || !take_number(text, 2, hours) || !take(text, ":") ||
      !take_number(text, 2, minutes) || hours > 23 || minutes > 59) {
    return false;
  }
  ahead = std::chrono::minutes((west ? -1 : 1) * (hours * 60 + minutes));
  return true;
}

}  // namespace

std::optional<WallTime> parse_time(std::string_view text) {
  int year = 0;
  int month = 0;
  int day = 0;
  int hour = 0;
  int minute = 0;
  int second = 0;
  Millis fraction{0};
  std::chrono::minutes ahead{0};
  const bool read = take_number(text, 4, year) && take(text, "-") && take_number(text, 2, month) &&
                    take(text, "-") && take_number(text, 2, day) && take(text, "Tt ") &&
                    take_number(text, 2, hour) && take(text, ":") && take_number(text, 2, minute) &&
                    take(text, ":") && take_number(text, 2, second) &&
                    take_fraction(text, fraction) && take_zone(text, ahead) && text.empty();
  const std::chrono::year_month_day date{std::chrono::year(year),
                                         std::chrono::month(static_cast<unsigned>(month)),
                                         std::chrono::day(static_cast<unsigned>(day))};
  if (!read || !date.ok() || hour > 23 || minute > 59 || second > 60) return std::nullopt;
  return WallTime(std::chrono::sys_days(date)) + std::chrono::hours(hour) +
         std::chrono::minutes(minute) + std::chrono::seconds(second) + fraction - ahead;
}

}  // namespace weir
