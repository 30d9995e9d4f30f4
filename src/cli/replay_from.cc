#include "cli/replay_from.h"

#include <algorithm>

#include "base/text.h"
#include "config/value_text.h"

namespace weir::cli {
namespace {

bool is_digit(char c) { return c >= '0' && c <= '9'; }

// So many digits off the front of `text`.
std::optional<int> take_digits(std::string_view& text, std::size_t count) {
  if (text.size() < count) return std::nullopt;
  int value = 0;
  for (const char c : text.substr(0, count)) {
    if (!is_digit(c)) return std::nullopt;
    value = value * 10 + (c - '0');
  }
  text.remove_prefix(count);
  return value;
}

bool take(std::string_view& text, std::string_view any_of) {
  if (text.empty() || any_of.find(text.front()) == std::string_view::npos) return false;
  text.remove_prefix(1);
  return true;
}

// ".125" and the like; what is finer than a millisecond is cut off.
std::optional<Millis> take_fraction(std::string_view& text) {
  if (!take(text, ".")) return Millis{0};
  int millis = 0;
  std::size_t digits = 0;
  for (; !text.empty() && is_digit(text.front()); ++digits, text.remove_prefix(1)) {
    if (digits < 3) millis = millis * 10 + (text.front() - '0');
  }
  if (digits == 0) return std::nullopt;
  for (; digits < 3; ++digits) millis *= 10;
  return Millis{millis};
}

// "Z" or "+02:00".
std::optional<std::chrono::minutes> take_zone(std::string_view& text) {
  if (take(text, "Zz")) return std::chrono::minutes{0};
  const bool behind = !text.empty() && text.front() == '-';
  if (!take(text, "+-")) return std::nullopt;
  const auto hours = take_digits(text, 2);
  if (!hours || !take(text, ":")) return std::nullopt;
  const auto minutes = take_digits(text, 2);
  if (!minutes || *hours > 23 || *minutes > 59) return std::nullopt;
  const std::chrono::minutes ahead{*hours * 60 + *minutes};
  return behind ? -ahead : ahead;
}

Error illegal(std::string_view text, const std::string& why) {
  return Error(Code::kInvalidArgument,
               "--from " + one_line(text.substr(0, 80)) + ": " + why +
                   "; legal are earliest, partition:offset as in 0:100,1:250, a time as in "
                   "2026-11-25T10:00:00Z, and a duration back as in 2h");
}

Result<stream::HistoryStart> parse_offsets(std::string_view text) {
  stream::HistoryStart start;
  std::string_view rest = text;
  for (;;) {
    const std::string_view entry = rest.substr(0, std::min(rest.find(','), rest.size()));
    const std::size_t colon = std::min(entry.find(':'), entry.size());
    const auto partition = parse_int64(entry.substr(0, colon));
    const auto offset =
        colon < entry.size() ? parse_int64(entry.substr(colon + 1)) : std::optional<std::int64_t>();
    if (!partition || !offset || *partition < 0 || *partition > INT32_MAX || *offset < 0) {
      return fail(illegal(text, "'" + one_line(entry) + "' is not a partition:offset"));
    }
    if (!start.offsets.emplace(static_cast<std::int32_t>(*partition), *offset).second) {
      return fail(illegal(text, "partition " + std::to_string(*partition) + " is given twice"));
    }
    if (entry.size() == rest.size()) return start;
    rest.remove_prefix(entry.size() + 1);
  }
}

}  // namespace

std::optional<WallTime> parse_time(std::string_view text) {
  const auto year = take_digits(text, 4);
  if (!year || !take(text, "-")) return std::nullopt;
  const auto month = take_digits(text, 2);
  if (!month || !take(text, "-")) return std::nullopt;
  const auto day = take_digits(text, 2);
  if (!day || !take(text, "Tt ")) return std::nullopt;
  const auto hour = take_digits(text, 2);
  if (!hour || !take(text, ":")) return std::nullopt;
  const auto minute = take_digits(text, 2);
  if (!minute || !take(text, ":")) return std::nullopt;
  const auto second = take_digits(text, 2);
  if (!second) return std::nullopt;
  const auto fraction = take_fraction(text);
  if (!fraction) return std::nullopt;
  const auto zone = take_zone(text);
  if (!zone || !text.empty()) return std::nullopt;
  const std::chrono::year_month_day date{std::chrono::year{*year},
                                         std::chrono::month{static_cast<unsigned>(*month)},
                                         std::chrono::day{static_cast<unsigned>(*day)}};
  // 60 is a leap second.
  if (!date.ok() || *hour > 23 || *minute > 59 || *second > 60) return std::nullopt;
  return WallTime(std::chrono::sys_days(date)) + std::chrono::hours{*hour} +
         std::chrono::minutes{*minute} + std::chrono::seconds{*second} + *fraction - *zone;
}

Result<stream::HistoryStart> parse_replay_from(std::string_view text, WallTime now) {
  if (text == "earliest") return stream::HistoryStart{};
  std::optional<WallTime> time = parse_time(text);
  if (!time && text != "0") {
    if (const auto back = config::parse_duration(text)) time = now - *back;
  }
  if (time) {
    if (time->time_since_epoch() < Millis{0}) return fail(illegal(text, "a time before 1970"));
    return stream::HistoryStart{time->time_since_epoch().count(), {}};
  }
  if (text.find(':') != std::string_view::npos && text.find_first_of("-Tt") == text.npos) {
    return parse_offsets(text);
  }
  return fail(illegal(text, "is none of what it may be"));
}

}  // namespace weir::cli
