#include "base/cron_line.h"

#include <gtest/gtest.h>
#include <stdlib.h>
#include <time.h>

#include <random>
#include <vector>

#include "base/time_text.h"

namespace weir {
namespace {

// "" where the line is none, or never due again.
std::string next(std::string_view line, std::string_view after) {
  const auto parsed = CronLine::parse(line);
  const auto time = parse_time(after);
  if (!parsed || !time) return "";
  const auto due = parsed->next_after(*time);
  return due ? format_time(*due).substr(0, 16) : "";
}

std::string refusal(std::string_view line) {
  const auto parsed = CronLine::parse(line);
  return parsed ? "" : parsed.error().reason();
}

struct Known {
  const char* line;
  const char* after;
  const char* due;
};

TEST(CronLine, gives_known_answers) {
  // 26 November 2026 is a Thursday.
  const Known table[] = {
      {"0 2 * * *", "2026-11-26T01:59:59.999Z", "2026-11-26T02:00"},
      {"0 2 * * *", "2026-11-26T02:00:00Z", "2026-11-27T02:00"},
      {"0 2 * * *", "2026-11-26T02:00:00.001Z", "2026-11-27T02:00"},
      {"*/15 * * * *", "2026-11-26T10:07:00Z", "2026-11-26T10:15"},
      {"5-59/20 * * * *", "2026-11-26T10:45:00Z", "2026-11-26T11:05"},
      {"0 8-18/5,23 * * *", "2026-11-26T13:00:00Z", "2026-11-26T18:00"},
      {"0 8-18/5,23 * * *", "2026-11-26T18:00:00Z", "2026-11-26T23:00"},
      {"30 4 * * Mon-FRI", "2026-11-27T05:00:00Z", "2026-11-30T04:30"},
      {"30 4 * * fri-sun", "2026-11-26T05:00:00Z", "2026-11-27T04:30"},
      {"0 0 * * 7", "2026-11-26T00:00:00Z", "2026-11-29T00:00"},
      {"0 0 * * 0", "2026-11-26T00:00:00Z", "2026-11-29T00:00"},
      {"0 0 1 jan,jul *", "2026-11-26T00:00:00Z", "2027-01-01T00:00"},
      {"59 23 31 12 *", "2026-12-31T23:59:00Z", "2027-12-31T23:59"},
      // Either day is enough where both are restricted…
      {"0 0 13 * 5", "2026-11-26T00:00:00Z", "2026-11-27T00:00"},
      {"0 0 13 * 5", "2026-12-11T00:00:00Z", "2026-12-13T00:00"},
      // … and both are asked where one begins with a star, steps or not.
      {"0 0 */2 * 5", "2026-11-27T00:00:00Z", "2026-12-11T00:00"},
      {"0 0 13 * *", "2026-11-26T00:00:00Z", "2026-12-13T00:00"},
      {"0 0 30 2 1", "2026-02-03T00:00:00Z", "2026-02-09T00:00"},
      {"0 0 29 2 *", "2026-11-26T00:00:00Z", "2028-02-29T00:00"},
      {"0 0 29 2 *", "2096-02-29T00:00:00Z", "2104-02-29T00:00"},
      {"0 0 29 2 */6", "2026-11-26T00:00:00Z", "2032-02-29T00:00"},  // a Sunday or a Saturday
      {"@hourly", "2026-11-26T00:00:00Z", "2026-11-26T01:00"},
      {"@daily", "2026-11-26T00:00:00Z", "2026-11-27T00:00"},
      {"@midnight", "2026-11-26T00:00:00Z", "2026-11-27T00:00"},
      {"@weekly", "2026-11-26T00:00:00Z", "2026-11-29T00:00"},
      {"@Monthly", "2026-11-26T00:00:00Z", "2026-12-01T00:00"},
      {"@yearly", "2026-11-26T00:00:00Z", "2027-01-01T00:00"},
      {"@annually", "2026-11-26T00:00:00Z", "2027-01-01T00:00"},
      // In a zone.
      {"CRON_TZ=Europe/Zurich 0 2 * * *", "2026-11-26T00:00:00Z", "2026-11-26T01:00"},
      {"CRON_TZ=Europe/Zurich 0 2 * * *", "2026-07-26T00:00:00Z", "2026-07-27T00:00"},
      {"CRON_TZ=Asia/Kathmandu 0 2 * * *", "2026-07-26T00:00:00Z", "2026-07-26T20:15"},
      {"CRON_TZ=America/New_York @daily", "2026-07-26T12:00:00Z", "2026-07-27T04:00"},
  };
  for (const Known& known : table) {
    EXPECT_EQ(next(known.line, known.after), known.due) << known.line << " after " << known.after;
  }
}

TEST(CronLine, that_falls_into_the_gap_is_due_once_at_the_first_moment_after_it) {
  // In Zurich 02:00 becomes 03:00 on 29 March 2026, at 01:00 UTC.
  for (const char* line : {"CRON_TZ=Europe/Zurich 0 2 * * *", "CRON_TZ=Europe/Zurich 30 2 * * *",
                           "CRON_TZ=Europe/Zurich */10 2 * * *"}) {
    EXPECT_EQ(next(line, "2026-03-28T12:00:00Z"), "2026-03-29T01:00") << line;
    EXPECT_EQ(next(line, "2026-03-29T01:00:00Z").substr(0, 10), "2026-03-30") << line;
  }
  const char* also_after = "CRON_TZ=Europe/Zurich 0,30 2-3 * * *";
  EXPECT_EQ(next(also_after, "2026-03-28T12:00:00Z"), "2026-03-29T01:00");
  EXPECT_EQ(next(also_after, "2026-03-29T01:00:00Z"), "2026-03-29T01:30");
  // Samoa left out 30 December 2011 altogether.
  EXPECT_EQ(next("CRON_TZ=Pacific/Apia 0 9 30 12 *", "2011-12-01T00:00:00Z"), "2011-12-30T10:00");
}

TEST(CronLine, that_comes_twice_where_clocks_are_put_back_is_due_once) {
  // In Zurich 03:00 becomes 02:00 on 25 October 2026, at 01:00 UTC.
  const char* line = "CRON_TZ=Europe/Zurich 30 2 * * *";
  EXPECT_EQ(next(line, "2026-10-24T12:00:00Z"), "2026-10-25T00:30");
  EXPECT_EQ(next(line, "2026-10-25T00:30:00Z"), "2026-10-26T01:30");
  EXPECT_EQ(next(line, "2026-10-25T01:10:00Z"), "2026-10-26T01:30") << "asked in the second pass";
}

TEST(CronLine, of_every_hour_goes_by_elapsed_time) {
  const char* line = "CRON_TZ=Europe/Zurich 30 * * * *";
  EXPECT_EQ(next(line, "2026-10-25T00:30:00Z"), "2026-10-25T01:30") << "both passes";
  EXPECT_EQ(next(line, "2026-03-29T00:30:00Z"), "2026-03-29T01:30") << "nothing extra at 01:00";
}

TEST(CronLine, that_cannot_be_is_refused_with_the_reason) {
  const std::pair<const char*, const char*> table[] = {
      {"", "0 fields and not five"},
      {"* * * *", "4 fields and not five"},
      {"* * * * * *", "6 fields and not five"},
      {"0 2 30 2 *", "never due"},
      {"0 2 31 4,6,9,11 *", "never due"},
      {"60 * * * *", "'60' is no minute: it goes from 0 to 59"},
      {"* 24 * * *", "'24' is no hour"},
      {"* * 0 * *", "'0' is no day of the month"},
      {"* * * 13 *", "'13' is no month"},
      {"* * * * 8", "'8' is no day of the week"},
      {"* * * * funday", "'funday' is no day of the week"},
      {"30-10 * * * *", "the range ends before it begins"},
      {"5/10 * * * *", "a step needs a range, as in 5-59/10"},
      {"*/0 * * * *", "'0' is no step"},
      {"*/60 * * * *", "'60' is no step"},
      {"1,,2 * * * *", "'' is no minute"},
      {"-1 * * * *", "'' is no minute"},
      {"1- * * * *", "'' is no minute"},
      {"+1 * * * *", "'+1' is no minute"},
      {"99999999999999999999 * * * *", "is no minute"},
      {"*\n* * * * *", "is no minute"},
      {"@reboot", "'@reboot' is not one of @hourly"},
      {"CRON_TZ=Europe/Zurich", "0 fields and not five"},
      {"CRON_TZ=Mars/Olympus 0 2 * * *", "the time zone 'Mars/Olympus' is not known here"},
      {"CRON_TZ=../../etc/passwd 0 2 * * *", "is not known here"},
      {"CRON_TZ= 0 2 * * *", "the time zone '' is not known here"},
  };
  for (const auto& [line, reason] : table) {
    EXPECT_NE(refusal(line).find(reason), std::string::npos) << line << ": " << refusal(line);
  }
  EXPECT_NE(refusal(std::string(501, '*')), "");
}

TEST(CronLine, beyond_all_years_is_due_no_more) {
  EXPECT_EQ(next("0 2 * * *", "9500-01-01T00:00:00Z"), "");
  EXPECT_EQ(next("0 2 * * *", "1969-01-01T00:00:00Z"), "");
}

// ---- against another way of finding out: minute by minute, by the C library's zones ----

class LocalTime {
 public:
  explicit LocalTime(const char* zone) {
    setenv("TZ", zone, 1);
    tzset();
  }
  ~LocalTime() {
    unsetenv("TZ");
    tzset();
  }
  tm at(std::int64_t minute) const {
    const time_t second = minute * 60;
    tm parts{};
    localtime_r(&second, &parts);
    return parts;
  }
};

struct Fields {
  std::vector<bool> minute = std::vector<bool>(60);
  std::vector<bool> hour = std::vector<bool>(24);
  std::vector<bool> weekday = std::vector<bool>(7);
  bool every_hour = true;
  std::string text;
};

std::string random_field(std::mt19937_64& random, std::vector<bool>& set) {
  const std::size_t size = set.size();
  const std::size_t step = 1 + random() % 7;
  switch (random() % 4) {
    case 0: set.assign(size, true); return "*";
    case 1:
      for (std::size_t i = 0; i < size; i += step) set[i] = true;
      return "*/" + std::to_string(step);
    case 2: {
      const std::size_t a = random() % size;
      const std::size_t b = a + random() % (size - a);
      for (std::size_t i = a; i <= b; i += step) set[i] = true;
      return std::to_string(a) + "-" + std::to_string(b) + "/" + std::to_string(step);
    }
    default: {
      const std::size_t a = random() % size;
      const std::size_t b = random() % size;
      set[a] = set[b] = true;
      return std::to_string(a) + "," + std::to_string(b);
    }
  }
}

Fields random_fields(std::mt19937_64& random) {
  Fields fields;
  const std::string minute = random_field(random, fields.minute);
  const std::string hour = random_field(random, fields.hour);
  fields.weekday.assign(7, true);
  const std::string weekday =
      random() % 3 == 0 ? random_field(random, fields.weekday = std::vector<bool>(7)) : "*";
  for (const bool named : fields.hour) fields.every_hour = fields.every_hour && named;
  fields.text = minute + " " + hour + " * * " + weekday;
  return fields;
}

// The first minute after `after` and up to `last` that is due; `last` + 1 where none is. Begins to
// look a day and a half earlier, to know what the clocks have shown before.
std::int64_t walk(const Fields& fields, const LocalTime& zone, std::int64_t after,
                  std::int64_t last) {
  const auto named = [&](std::int64_t shown) {
    const std::int64_t of_day = shown % 1440;
    return fields.minute[static_cast<std::size_t>(of_day % 60)] &&
           fields.hour[static_cast<std::size_t>(of_day / 60)] &&
           fields.weekday[static_cast<std::size_t>((shown / 1440 + 4) % 7)];
  };
  std::int64_t highest = -1;
  for (std::int64_t minute = after - 2'160; minute <= last; ++minute) {
    tm parts = zone.at(minute);
    const std::int64_t shown = timegm(&parts) / 60;
    bool due = named(shown) && (fields.every_hour || shown > highest);
    for (std::int64_t left_out = highest + 1; highest >= 0 && left_out < shown; ++left_out) {
      due = due || (!fields.every_hour && named(left_out));
    }
    if (due && minute > after) return minute;
    highest = std::max(highest, shown);
  }
  return last + 1;
}

TEST(CronLine, agrees_with_a_walk_over_all_minutes) {
  std::mt19937_64 random(20261126);
  // Changes of the clocks, in seconds, where they are more likely to be wrong.
  const std::pair<const char*, std::vector<std::int64_t>> zones[] = {
      {"Europe/Zurich", {1774746000, 1792890000}},        // 2026-03-29, 2026-10-25
      {"America/New_York", {1772953200, 1793512800}},     // 2026-03-08, 2026-11-01
      {"Australia/Lord_Howe", {1775314800, 1791041400}},  // by half an hour
      {"Africa/Casablanca", {1771120800, 1774144800}},    // put back for Ramadan
      {"Pacific/Apia", {1325239200}},                     // left a day out
      {"America/St_Johns", {1772951400}},
      {"Asia/Kathmandu", {}},
      {"UTC", {}},
  };
  int near_a_change = 0;
  for (const auto& [name, changes] : zones) {
    const LocalTime zone(name);
    for (int i = 0; i < 400; ++i) {
      const Fields fields = random_fields(random);
      std::int64_t after =
          static_cast<std::int64_t>(22'000'000 + random() % 12'000'000);  // to 2034
      if (!changes.empty() && i % 4 != 0) {
        after = changes[random() % changes.size()] / 60 +
                static_cast<std::int64_t>(random() % 1'600) - 1'500;
        ++near_a_change;
      }
      const std::int64_t last = after + 2'000;
      const auto line = CronLine::parse(std::string("CRON_TZ=") + name + " " + fields.text);
      ASSERT_TRUE(line) << line.error().message();
      const auto due = line->next_after(WallTime(std::chrono::minutes(after)));
      ASSERT_TRUE(due) << line->text();
      const std::int64_t found = due->time_since_epoch().count() / 60'000;
      EXPECT_EQ(std::min(found, last + 1), walk(fields, zone, after, last))
          << line->text() << " after " << format_time(WallTime(std::chrono::minutes(after)));
    }
  }
  EXPECT_GT(near_a_change, 1'500);
}

}  // namespace
}  // namespace weir
