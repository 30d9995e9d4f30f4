// How the next moment is found: within a span of constant offset to UTC, local time is plain
// arithmetic on minutes. So the search goes from span to span, and what is special about a change
// of the clocks is said in one place, between two spans.
#include "base/cron_line.h"

#include <date/tz.h>

#include <algorithm>
#include <array>
#include <limits>
#include <span>
#include <vector>

#include "base/text.h"

namespace weir {
namespace {

using std::int64_t;

constexpr int64_t kMinutesOfDay = 1440;
constexpr int64_t kForever = std::numeric_limits<int64_t>::max() / 4;
constexpr int64_t kSecondsMax = int64_t{221'845'392'000};  // the year 9000
constexpr std::string_view kZoneWord = "CRON_TZ=";

constexpr std::array<std::string_view, 12> kMonths = {"jan", "feb", "mar", "apr", "may", "jun",
                                                      "jul", "aug", "sep", "oct", "nov", "dec"};
constexpr std::array<std::string_view, 7> kWeekdays = {"sun", "mon", "tue", "wed",
                                                       "thu", "fri", "sat"};
constexpr std::array<std::pair<std::string_view, std::string_view>, 7> kWords = {{
    {"@hourly", "0 * * * *"},
    {"@daily", "0 0 * * *"},
    {"@midnight", "0 0 * * *"},
    {"@weekly", "0 0 * * 0"},
    {"@monthly", "0 0 1 * *"},
    {"@yearly", "0 0 1 1 *"},
    {"@annually", "0 0 1 1 *"},
}};

int64_t floor_div(int64_t a, int64_t b) { return a / b - (a % b < 0 ? 1 : 0); }
int64_t ceil_div(int64_t a, int64_t b) { return -floor_div(-a, b); }

struct Field {
  std::string_view what;
  int lowest;
  int highest;
  std::span<const std::string_view> names;  // of lowest, lowest + 1, …
};

const std::array<Field, 5>& fields() {
  static const std::array<Field, 5> all = {{{"minute", 0, 59, {}},
                                            {"hour", 0, 23, {}},
                                            {"day of the month", 1, 31, {}},
                                            {"month", 1, 12, kMonths},
                                            {"day of the week", 0, 7, kWeekdays}}};
  return all;
}

std::string lower(std::string_view text) {
  std::string out(text);
  for (char& c : out) c = c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c;
  return out;
}

tl::unexpected<Error> refuse(const Field& field, std::string_view part, const std::string& why) {
  return fail(Code::kInvalidArgument,
              "'" + one_line(part) + "' is no " + std::string(field.what) + ": " + why);
}

Result<int> parse_value(const Field& field, std::string_view text) {
  for (std::size_t i = 0; i < field.names.size(); ++i) {
    if (lower(text) == field.names[i]) return field.lowest + static_cast<int>(i);
  }
  int number = 0;
  for (std::size_t i = 0; i < text.size() && i < 4; ++i) {
    if (text[i] < '0' || text[i] > '9') break;
    number = number * 10 + (text[i] - '0');
    if (i + 1 == text.size() && number >= field.lowest && number <= field.highest) return number;
  }
  return refuse(
      field, text,
      "it goes from " + std::to_string(field.lowest) + " to " + std::to_string(field.highest));
}

// One item of a list: *, a, a-b, and */n or a-b/n.
Status take_item(const Field& field, std::string_view item, std::vector<bool>& set) {
  const std::size_t slash = item.find('/');
  const std::string_view range = item.substr(0, slash);
  const std::size_t dash = range.find('-');
  int first = field.lowest;
  int last = field.highest;
  int step = 1;
  if (range != "*") {
    first = WEIR_TRY(parse_value(field, range.substr(0, dash)));
    last = dash == range.npos ? first : WEIR_TRY(parse_value(field, range.substr(dash + 1)));
    const bool to_sunday = &field == &fields()[4] && last == 0 && first > 0;
    if (to_sunday) last = 7;
    if (last < first) return refuse(field, item, "the range ends before it begins");
  }
  if (slash != item.npos) {
    const Field steps{"step", 1, field.highest, {}};
    step = WEIR_TRY(parse_value(steps, item.substr(slash + 1)));
    if (range != "*" && dash == range.npos) {
      return refuse(field, item,
                    "a step needs a range, as in " + std::string(range) + "-" +
                        std::to_string(field.highest) + std::string(item.substr(slash)));
    }
  }
  for (int value = first; value <= last; value += step) set[static_cast<std::size_t>(value)] = true;
  return {};
}

template <std::size_t size>
Status take_field(const Field& field, std::string_view text, std::bitset<size>& set) {
  std::vector<bool> values(static_cast<std::size_t>(field.highest) + 1);
  while (true) {
    const std::size_t comma = text.find(',');
    WEIR_TRY(take_item(field, text.substr(0, comma), values));
    if (comma == text.npos) break;
    text.remove_prefix(comma + 1);
  }
  for (std::size_t i = 0; i < values.size(); ++i) set[i] = values[i];
  return {};
}

std::vector<std::string_view> words_of(std::string_view text) {
  std::vector<std::string_view> words;
  while (true) {
    const std::size_t begin = text.find_first_not_of(" \t");
    if (begin == text.npos) return words;
    text.remove_prefix(begin);
    const std::size_t end = std::min(text.find_first_of(" \t"), text.size());
    words.push_back(text.substr(0, end));
    text.remove_prefix(end);
  }
}

// The library throws where it does not know a zone, and where it finds no zones at all.
Result<const date::time_zone*> find_zone(std::string_view name) {
  try {
    return date::locate_zone(std::string(name));
  } catch (const std::exception&) {
    return fail(Code::kInvalidArgument,
                "the time zone '" + one_line(name) +
                    "' is not known here; zones are named as Europe/Zurich, and come with the "
                    "package tzdata");
  }
}

// Seconds of UTC from begin to before end, with one offset to local time.
struct Span {
  int64_t begin;
  int64_t end;
  int64_t offset;
};

Span span_at(const date::time_zone* zone, int64_t second) {
  if (zone == nullptr) return {-kForever, kForever, 0};
  const auto info = zone->get_info(date::sys_seconds(std::chrono::seconds(second)));
  const auto bounded = [](date::sys_seconds at) {
    return std::clamp<int64_t>(at.time_since_epoch().count(), -kForever, kForever);
  };
  return {bounded(info.begin), bounded(info.end), info.offset.count()};
}

// The first whole minute of local time that is not before this second of UTC.
int64_t local_minute(int64_t second, const Span& span) {
  return ceil_div(second + span.offset, 60);
}

}  // namespace

Result<CronLine> CronLine::parse(std::string_view text) {
  if (text.size() > kBytesMax) {
    return fail(Code::kInvalidArgument,
                "longer than " + std::to_string(kBytesMax) + " bytes, which no line of cron is");
  }
  CronLine line;
  auto words = words_of(text);
  for (const std::string_view word : words) {
    line.text_ += (line.text_.empty() ? "" : " ") + std::string(word);
  }
  if (!words.empty() && words.front().starts_with(kZoneWord)) {
    line.zone_ = WEIR_TRY(find_zone(words.front().substr(kZoneWord.size())));
    words.erase(words.begin());
  }
  std::string_view rest = words.empty() ? "" : words.front();
  if (words.size() == 1 && rest.starts_with('@')) {
    const std::string wanted = lower(rest);
    const auto known = std::find_if(kWords.begin(), kWords.end(),
                                    [&](const auto& word) { return word.first == wanted; });
    if (known == kWords.end()) {
      return fail(Code::kInvalidArgument, "'" + one_line(rest) +
                                              "' is not one of @hourly, @daily, @midnight, "
                                              "@weekly, @monthly, @yearly, @annually");
    }
    WEIR_TRY(line.parse_fields(known->second));
    return line;
  }
  if (words.size() != fields().size()) {
    return fail(Code::kInvalidArgument,
                std::to_string(words.size()) +
                    " fields and not five: minute, hour, day of the month, month, day of the week");
  }
  WEIR_TRY(line.parse_fields(text.substr(static_cast<std::size_t>(rest.data() - text.data()))));
  if (!line.is_ever_due()) {
    return fail(Code::kInvalidArgument, "never due: no month named has such a day");
  }
  return line;
}

Status CronLine::parse_fields(std::string_view text) {
  const auto words = words_of(text);
  WEIR_TRY(take_field(fields()[0], words[0], minutes_));
  WEIR_TRY(take_field(fields()[1], words[1], hours_));
  WEIR_TRY(take_field(fields()[2], words[2], days_));
  WEIR_TRY(take_field(fields()[3], words[3], months_));
  WEIR_TRY(take_field(fields()[4], words[4], weekdays_));
  if (weekdays_[7]) weekdays_[0] = true;
  either_day_ = !words[2].starts_with('*') && !words[4].starts_with('*');
  return {};
}

bool CronLine::is_ever_due() const {
  if (either_day_) return true;
  constexpr std::array<std::size_t, 13> kLongest = {0,  31, 29, 31, 30, 31, 30,
                                                    31, 31, 30, 31, 30, 31};
  for (std::size_t month = 1; month <= 12; ++month) {
    for (std::size_t day = 1; months_[month] && day <= kLongest[month]; ++day) {
      if (days_[day]) return true;
    }
  }
  return false;
}

// `day`: since 1970, local.
bool CronLine::falls_on(int64_t day) const {
  const std::chrono::sys_days at{std::chrono::days(day)};
  const std::chrono::year_month_day date{at};
  if (!months_[static_cast<unsigned>(date.month())]) return false;
  const bool of_month = days_[static_cast<unsigned>(date.day())];
  const bool of_week = weekdays_[std::chrono::weekday(at).c_encoding()];
  return either_day_ ? of_month || of_week : of_month && of_week;
}

// The first local minute after `after` and before `end` that the fields name.
std::optional<int64_t> CronLine::next_local(int64_t after, int64_t end) const {
  const int64_t first_day = floor_div(after + 1, kMinutesOfDay);
  const int64_t last_day =
      std::min(first_day + int64_t{366} * kYearsAheadMax, floor_div(end - 1, kMinutesOfDay));
  for (int64_t day = first_day; day <= last_day; ++day) {
    if (!falls_on(day)) continue;
    const int64_t from = std::max(after + 1 - day * kMinutesOfDay, int64_t{0});
    for (int64_t minute = from; minute < kMinutesOfDay; ++minute) {
      if (!hours_[static_cast<std::size_t>(minute / 60)] ||
          !minutes_[static_cast<std::size_t>(minute % 60)]) {
        continue;
      }
      const int64_t found = day * kMinutesOfDay + minute;
      return found < end ? std::optional(found) : std::nullopt;
    }
  }
  return std::nullopt;
}

std::optional<WallTime> CronLine::next_after(WallTime time) const {
  const int64_t now = std::chrono::floor<std::chrono::seconds>(time).time_since_epoch().count();
  if (now < 0 || now > kSecondsMax) return std::nullopt;
  const auto at = [](int64_t second) { return WallTime(std::chrono::seconds(second)); };
  const int64_t last = now + int64_t{366} * 86'400 * kYearsAheadMax;
  const bool by_elapsed_time = hours_.all();
  Span span = span_at(zone_, now);
  int64_t after = floor_div(now + span.offset, 60);
  if (!by_elapsed_time && span.begin > 0) {
    // It may be the second time that the clocks show this.
    after = std::max(after, local_minute(span.begin, span_at(zone_, span.begin - 1)) - 1);
  }
  while (true) {
    const int64_t local_end = local_minute(span.end, span);
    if (const auto found = next_local(after, local_end)) return at(*found * 60 - span.offset);
    if (span.end > last) return std::nullopt;
    const Span next = span_at(zone_, span.end);
    const int64_t local_begin = local_minute(span.end, next);
    // Put forward: what is left out comes as one.
    if (!by_elapsed_time && next_local(local_end - 1, local_begin)) return at(span.end);
    // Put back: what was there already does not come again.
    after = (by_elapsed_time ? local_begin : std::max(local_begin, local_end)) - 1;
    span = next;
  }
}

}  // namespace weir
