#include "record/watch_report.h"

#include <gmock/gmock.h>

#include <cmath>
#include <limits>
#include <nlohmann/json.hpp>

#include "record/member.h"

namespace weir::record {
namespace {

WatchReport full_report() {
  WatchReport report;
  report.version = 3;
  report.epoch = 4;
  report.rows = 1'000;
  report.rows_min = 200;
  report.model_rows = 119;
  report.refused = 2;
  report.psi_max = 0.25;
  report.features_known = 2;
  report.drifting = 1;
  report.drift_since = "2026-01-01T00:00:00.000Z";
  report.features = {{"cr\"im", 0.41, 0.08, true, "2026-01-01T00:00:00.000Z"},
                     {"zn", 0.1 + 0.2, 0.08, false, ""}};
  report.accuracy = {60, 50, 70, 5, 1, 2, 3.1234567890123, 2.5, 3.0, 4.4, true, "then"};
  report.events = {{"then", "feature 'cr\"im' drifts: ö\n"}};
  return report;
}

MemberRecord heartbeat_of(const WatchReport& report) {
  MemberRecord record;
  record.type = MemberType::kTrainer;
  record.member = "watcher-0";
  record.progress.watch = report;
  return record;
}

TEST(WatchReport, comes_back_from_a_heartbeat_as_it_was) {
  for (const WatchReport& report : {full_report(), WatchReport{}}) {
    const auto back = MemberRecord::parse(heartbeat_of(report).to_json());
    ASSERT_TRUE(back) << back.error().message();
    ASSERT_TRUE(back->progress.watch);
    EXPECT_EQ(*back->progress.watch, report);
  }
}

TEST(WatchReport, stays_small_whatever_is_watched) {
  WatchReport report = full_report();
  report.features.assign(10'000, {std::string(1'000, 'x'), 1, 1, true, ""});
  report.events.assign(1'000, {"then", std::string(100'000, 'y')});
  report.events.back().words = "the last";
  const std::string json = heartbeat_of(report).to_json();
  EXPECT_LT(json.size(), 40'000u);
  const auto back = MemberRecord::parse(json);
  ASSERT_TRUE(back) << back.error().message();
  EXPECT_EQ(back->progress.watch->features.size(), kFeaturesToldMax);
  EXPECT_EQ(back->progress.watch->events.size(), kEventsToldMax);
  EXPECT_EQ(back->progress.watch->events.back().words, "the last");
}

// Anybody who may write to the members topic could send more than a watcher does.
TEST(WatchReport, is_read_up_to_its_limits) {
  nlohmann::json features = nlohmann::json::array();
  for (int i = 0; i < 1'000; ++i) {
    features.push_back({{"feature", std::string(1'000, 'x')}, {"psi", 1}});
  }
  const nlohmann::json json = {{"features", features}};
  const WatchReport report = read_watch_report(json);
  EXPECT_EQ(report.features.size(), kFeaturesToldMax);
  EXPECT_LT(report.features[0].feature.size(), kWordsBytesMax + 4);
}

TEST(WatchReport, is_left_out_where_it_is_not_as_it_should_be_and_the_heartbeat_counts) {
  for (const char* watch :
       {R"(7)", R"({"version":-1})", R"({"psi_max":"a"})", R"({"features":[{}]})",
        R"({"features":[{"feature":"a","psi":"much"}]})", R"({"events":[{"at":1}]})",
        R"({"accuracy":{"pairs":1.5}})", R"({"accuracy":[]})"}) {
    const auto record = MemberRecord::parse(R"({"type":"trainer","member":"m","watch":)" +
                                            std::string(watch) + "}");
    ASSERT_TRUE(record) << watch << record.error().message();
    EXPECT_EQ(record->member, "m");
    EXPECT_FALSE(record->progress.watch) << watch;
  }
}

TEST(WatchReport, tells_the_largest_number_where_a_figure_is_beyond_all) {
  WatchReport report = full_report();
  report.accuracy.rmse = std::numeric_limits<double>::infinity();
  report.accuracy.mae = std::nan("");
  const auto back = MemberRecord::parse(heartbeat_of(report).to_json());
  ASSERT_TRUE(back) << back.error().message();
  ASSERT_TRUE(back->progress.watch);
  EXPECT_EQ(back->progress.watch->accuracy.rmse, std::numeric_limits<double>::max());
  EXPECT_EQ(back->progress.watch->accuracy.mae, std::numeric_limits<double>::max());
}

TEST(MemberProgress, tells_the_beginning_of_long_words) {
  MemberRecord record;
  record.type = MemberType::kAlive;
  record.member = "scorer-0";
  record.progress.waiting_for = std::string(1'000'000, 'x');
  const std::string json = record.to_json();
  EXPECT_LT(json.size(), 3'000u);
  EXPECT_THAT(MemberRecord::parse(json)->progress.waiting_for, ::testing::StartsWith("xxx"));
}

}  // namespace
}  // namespace weir::record
