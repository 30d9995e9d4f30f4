#include "serve/watch_json.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <nlohmann/json.hpp>

#include "base/simulated_clock.h"
#include "serve/prometheus_text.h"

namespace weir::serve {
namespace {

using ::testing::HasSubstr;
using ::testing::Not;

class WatchJsonTest : public ::testing::Test {
 protected:
  WatchJsonTest() {
    record::WatchReport& report = watch_report();
    report.version = 3;
    report.epoch = 4;
    report.rows = 1'000;
    report.rows_min = 500;
    report.psi_max = 0.25;
    report.features_known = 13;
    report.features = {{"crim", 0.1, 0.05, false, "t0"}};
    report.accuracy.pairs = 60;
    report.accuracy.pairs_min = 50;
    report.accuracy.joined = 60;
    report.accuracy.rmse = 3;
    report.accuracy.rmse_max = 4;
  }
  record::WatchReport& watch_report() {
    if (status.members.empty()) {
      gate::MemberTable::Member member;
      member.latest.member = "watcher-0";
      member.latest.role = "watcher";
      member.latest.progress.watch.emplace();
      member.last_heard = clock.steady();
      status.members.push_back(member);
    }
    return *status.members[0].latest.progress.watch;
  }
  nlohmann::ordered_json json() { return watch_json(status, "p", clock); }
  std::string words(std::size_t alarm) { return json()["alarms"][alarm]["words"]; }

  SimulatedClock clock;
  PipelineStatus status;
};

TEST_F(WatchJsonTest, tells_of_both_alarms_also_where_neither_is_on) {
  const auto told = json();
  ASSERT_EQ(told["alarms"].size(), 2u);
  EXPECT_EQ(told["alarms"][0]["on"], false);
  EXPECT_EQ(told["alarms"][1]["on"], false);
  EXPECT_EQ(words(0),
            "no feature drifts: the population stability index is 0.1 at most ('crim'); the bound "
            "is 0.25");
  EXPECT_EQ(words(1),
            "the predictions of model 3 are good enough: RMSE 3 over the last 60 true values; the "
            "bound is 4");
}

TEST_F(WatchJsonTest, says_which_features_drift_since_when) {
  record::WatchReport& report = watch_report();
  report.drifting = 5;
  report.drift_since = "t1";
  report.features.clear();
  for (const char* name : {"a", "b\n", "c", "d", "e"}) {
    report.features.push_back({name, 0.5, 0.05, true, "t1"});
  }
  EXPECT_EQ(words(0),
            "5 of 13 features drift away from what model 3 was made of: 'a' (0.5), 'b\\n' (0.5), "
            "'c' (0.5) and 2 more, by population stability index; the bound is 0.25");
  EXPECT_EQ(json()["alarms"][0]["since"], "t1");
  EXPECT_EQ(json()["drift"]["features"][0]["since"], "t1");
}

TEST_F(WatchJsonTest, gives_the_alarms_that_are_on_alone) {
  EXPECT_TRUE(watch_alarms(status).empty());
  watch_report().drifting = 1;
  watch_report().features[0].drifts = true;
  ASSERT_EQ(watch_alarms(status).size(), 1U);
  EXPECT_EQ(watch_alarms(status)[0].kind, "drift");
  EXPECT_EQ(watch_alarms(status)[0].words, words(0));
  watch_report().accuracy.too_high = true;
  ASSERT_EQ(watch_alarms(status).size(), 2U);
  EXPECT_EQ(watch_alarms(status)[1].kind, "accuracy");
  EXPECT_EQ(watch_alarms(status)[1].words, words(1));
  status.members.clear();
  EXPECT_TRUE(watch_alarms(status).empty());
}

TEST_F(WatchJsonTest, says_why_nothing_is_judged) {
  record::WatchReport& report = watch_report();
  report.rows = 3;
  report.accuracy.pairs = 0;
  EXPECT_EQ(words(0), "too few rows have come to tell: 3 of 500");
  EXPECT_EQ(words(1), "too few true values have come to tell: 0 of 50");
  EXPECT_TRUE(json()["accuracy"]["rmse"].is_null());
  report.version = 0;
  EXPECT_EQ(words(0), "there is no model yet to compare with");
  report.psi_max.reset();
  report.accuracy.rmse_max.reset();
  EXPECT_EQ(words(0), "nothing is judged: watch.psi_max is none");
  EXPECT_EQ(words(1), "nothing is judged: watch.rmse_max is none");
}

TEST_F(WatchJsonTest, says_that_nobody_watches) {
  status.members[0].silent = true;
  EXPECT_EQ(json()["watching"], false);
  EXPECT_THAT(json()["reason"], HasSubstr("weir watch"));
  EXPECT_THAT(prometheus_text(status, "p", "f", clock),
              HasSubstr("weir_watch_up{pipeline=\"p\"} 0"));
}

TEST_F(WatchJsonTest, is_in_the_metrics_with_no_figure_that_is_not_known) {
  record::WatchReport& report = watch_report();
  report.accuracy.too_high = true;
  std::string text = prometheus_text(status, "p", "f", clock);
  EXPECT_THAT(text, HasSubstr("weir_watch_up{pipeline=\"p\"} 1\n"));
  EXPECT_THAT(text, HasSubstr("weir_watch_psi{pipeline=\"p\",feature=\"crim\"} 0.1\n"));
  EXPECT_THAT(text, HasSubstr("weir_watch_psi_bound{pipeline=\"p\"} 0.25\n"));
  EXPECT_THAT(text, HasSubstr("weir_watch_alarm{pipeline=\"p\",kind=\"drift\"} 0\n"));
  EXPECT_THAT(text, HasSubstr("weir_watch_alarm{pipeline=\"p\",kind=\"accuracy\"} 1\n"));
  EXPECT_THAT(text, HasSubstr("weir_watch_live_rmse{pipeline=\"p\"} 3\n"));
  report.accuracy.pairs = 0;
  report.accuracy.rmse_max.reset();
  text = prometheus_text(status, "p", "f", clock);
  EXPECT_THAT(text, Not(HasSubstr("weir_watch_live_rmse")));
}

}  // namespace
}  // namespace weir::serve
