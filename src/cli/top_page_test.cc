#include "cli/top_page.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <sstream>

#include "base/simulated_clock.h"

namespace weir::cli {
namespace {

using testing::HasSubstr;
using testing::Not;
using testing::StartsWith;

class TopPageTest : public testing::Test {
 protected:
  TopPageTest() {
    clock_.advance(Millis(3'600'000));
    view_.pipeline = "boston";
    live_ = std::make_shared<serve::LiveView>();
    auto& control = live_->status.control;
    control.version = 2;
    control.epoch = control.ruling_epoch = 3;
    control.last_resume.emplace();
    control.last_resume->at = format_time(clock_.wall() - Millis(90'000));
    gate::MemberTable::Member member;
    member.latest.member = "scorer-a";
    member.latest.role = "scorer";
    member.latest.progress.model = 2;
    member.last_heard = clock_.steady() - Millis(1'500);
    live_->status.members.push_back(member);
    live_->status.partitions[0] = {1'000, 1'005, "scorer-a", 250};
    view_.live = live_;
    view_.flow.steps.resize(serve::Flow::kSteps);
    view_.flow.lag = 5;
    registry::Manifest manifest;
    manifest.version = 2;
    manifest.algorithm = "linear";
    manifest.rows = 506;
    manifest.has_held_out = true;
    manifest.held_out.rmse = 4.43321;
    manifest.dataset.path = "/dataset/spring.csv";
    manifest.trained_at = format_time(clock_.wall() - Millis(100'000));
    view_.store.models = {manifest};
    view_.store.read = true;
  }

  std::string page(TopShape shape = {{80, 0}, false}) { return top_page(view_, shape, clock_); }

  SimulatedClock clock_;
  std::shared_ptr<serve::LiveView> live_;
  TopView view_;
};

TEST_F(TopPageTest, tells_of_the_gate_and_all_the_rest) {
  view_.flow.arrived_per_s = 8;
  view_.flow.predicted_per_s = 1'234.4;
  view_.flow.answer_times = serve::AnswerTimes{1'000, 0.0021, 0.5, 61};
  const std::string text = page();
  EXPECT_THAT(text, StartsWith("pipeline boston "));
  EXPECT_THAT(text, HasSubstr("● open since 2026-01-01T00:58:30Z (90 s ago), model 2, epoch 3\n"));
  EXPECT_THAT(text, HasSubstr("arriving 8.00/s   scored 1234/s   dead letters 0.00/s   waiting 5"));
  EXPECT_THAT(text, HasSubstr("half within 2 ms, p95 500 ms, p99 61 s, of 1000 in"));
  EXPECT_THAT(text, HasSubstr("ALARMS\n  none\n"));
  EXPECT_THAT(text, HasSubstr("scorer       1.5 s      2  at work"));
  EXPECT_THAT(text, HasSubstr("1000          1005         5       250 ms  scorer-a"));
  EXPECT_THAT(text, HasSubstr("●     2     4.433"));
  EXPECT_THAT(text, HasSubstr("100 s ago   spring.csv"));
  EXPECT_THAT(text, HasSubstr("waiting: none\n  used: none\n  refused: none"));
}

TEST_F(TopPageTest, tells_what_a_halt_waits_for) {
  auto& control = live_->status.control;
  control.begun.emplace();
  control.begun->epoch = 4;
  control.begun->dataset = record::DatasetIdentity{"/dataset/new.csv", 1, 1, ""};
  control.begun->at = format_time(clock_.wall() - Millis(3'000));
  EXPECT_THAT(page(), HasSubstr("■ halted since 2026-01-01T00:59:57Z (3.0 s ago), model 2, epoch 3 "
                                "until then\n  epoch 4: data set /dataset/new.csv is being trained "
                                "on\n  waits until these halt: scorer-a\n"));
  live_->status.members[0].halted_epoch = 4;
  EXPECT_THAT(page(), HasSubstr("  waits for the model\n"));
}

TEST_F(TopPageTest, says_what_is_not_known_yet) {
  view_.live.reset();
  view_.store = StoreView();
  view_.store.trouble = "no NameNode answers";
  EXPECT_THAT(page(), HasSubstr("the control log has not been read yet"));
  EXPECT_THAT(page(), HasSubstr("! the store cannot be read: no NameNode answers"));
  EXPECT_THAT(page(), HasSubstr("DATA SETS\n  not read yet"));
}

TEST_F(TopPageTest, keeps_within_the_terminal_whatever_is_named) {
  live_->status.members[0].latest.member = "\x1b[2J\n" + std::string(300, 'x');
  serve::DatasetLists& lists = view_.store.datasets;
  store::FileStatus refused;
  refused.name = "a\x1b[31m.csv";
  lists.refused.push_back({refused, std::string(1'000, 'y')});
  std::istringstream all(page({{80, 0}, false}));
  std::string shown;
  for (std::string line; std::getline(all, line); shown += line) {
    EXPECT_EQ(line.find('\x1b'), line.npos) << line;
  }
  EXPECT_THAT(shown, HasSubstr("a\\x1b[31m.csv"));
  std::istringstream lines(page({{80, 16}, false}));
  int count = 0;
  for (std::string line; std::getline(lines, line); ++count) {
    EXPECT_EQ(line.find('\x1b'), line.npos) << line;
    std::size_t columns = 0;
    for (const char c : line) columns += (c & 0xc0) != 0x80 ? 1 : 0;
    EXPECT_LE(columns, 80U) << line;
  }
  EXPECT_EQ(count, 16);
  EXPECT_THAT(page({{80, 16}, false}), HasSubstr("a taller terminal shows more"));
  EXPECT_THAT(page(), Not(HasSubstr("a taller terminal")));
}

TEST_F(TopPageTest, colours_where_it_may) {
  view_.alerts = {{"no_scorer", true, "no scorer is there"}};
  EXPECT_THAT(page({{80, 0}, true}), HasSubstr("\x1b[31m  ! no scorer is there\x1b[0m"));
  EXPECT_THAT(page(), HasSubstr("\n  ! no scorer is there\n"));
}

TEST_F(TopPageTest, draws_the_last_minutes_as_a_curve) {
  view_.flow.steps[serve::Flow::kSteps - 2].predicted = 100;
  view_.flow.steps[serve::Flow::kSteps - 3].predicted = 50;
  EXPECT_THAT(page(), HasSubstr("▁▁▄█ 5 min"));
}

}  // namespace
}  // namespace weir::cli
