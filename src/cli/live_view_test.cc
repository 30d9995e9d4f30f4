#include "cli/live_view.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <nlohmann/json.hpp>
#include <sstream>

#include "base/simulated_clock.h"
#include "base/text.h"
#include "format/prediction_message.h"
#include "store/memory_file_store.h"
#include "stream/memory_broker.h"

namespace weir::cli {
namespace {

using record::ControlRecord;
using record::ControlType;
using record::Outcome;
using ::testing::ElementsAre;
using ::testing::IsEmpty;
using ::testing::StartsWith;

constexpr Millis kTimeout{1000};

class LiveViewTest : public testing::Test {
 protected:
  LiveViewTest() {
    options.control_topic = "p.control";
    options.predictions_topic = "p.predictions";
    options.dead_topic = "p.dead";
    EXPECT_TRUE(broker.ensure_topics({{"p.control"}, {"p.predictions"}, {"p.dead"}}, kTimeout));
  }

  void write(const ControlRecord& record) {
    broker.produce(options.control_topic.name(), std::nullopt, record.to_json(), 0);
  }
  void write_halt(std::uint64_t epoch) {
    ControlRecord halt;
    halt.epoch = epoch;
    halt.dataset = record::DatasetIdentity{"/d/" + std::to_string(epoch) + ".csv", 1, 2, "3"};
    write(halt);
  }
  void write_resume(std::uint64_t epoch, Outcome outcome) {
    ControlRecord resume;
    resume.type = ControlType::kResume;
    resume.epoch = epoch;
    resume.outcome = outcome;
    resume.version = outcome == Outcome::kTrained ? epoch : 1;
    write(resume);
  }
  void open() {
    view.reset();
    auto opened = LiveView::open(options, broker, models, clock, shown);
    ASSERT_TRUE(opened) << opened.error().message();
    view = std::move(*opened);
  }
  // The lines that are printed meanwhile, without those that are empty.
  std::vector<std::string> lines_of(const std::function<void()>& act) {
    testing::internal::CaptureStdout();
    act();
    std::fflush(stdout);
    std::istringstream out(testing::internal::GetCapturedStdout());
    std::vector<std::string> lines;
    for (std::string line; std::getline(out, line);) {
      if (!line.empty()) lines.push_back(line);
    }
    return lines;
  }
  void step() { EXPECT_TRUE(view->step(Millis{0}, {})); }

  SimulatedClock clock;
  stream::MemoryBroker broker{clock};
  store::MemoryFileStore store{clock};
  registry::ModelRegistry models{store, "/models"};
  LiveViewOptions options;
  ControlShown shown;
  std::unique_ptr<LiveView> view;
};

TEST_F(LiveViewTest, shows_each_control_record_once_and_in_order_where_many_come_at_once) {
  options.json = true;
  lines_of([&] { open(); });
  for (std::uint64_t epoch = 1; epoch <= 3; ++epoch) {
    write_halt(epoch);
    write_resume(epoch, epoch == 2 ? Outcome::kRefused : Outcome::kTrained);
  }
  std::vector<std::string> expected;
  for (const auto& record : broker.records(options.control_topic.name())) {
    expected.push_back(nlohmann::ordered_json::parse(record.value).dump());
  }
  EXPECT_EQ(lines_of([&] { step(); }), expected);
  EXPECT_THAT(lines_of([&] { step(); }), IsEmpty());
}

TEST_F(LiveViewTest, tells_people_of_each_epoch_too) {
  lines_of([&] { open(); });
  write_halt(1);
  write_resume(1, Outcome::kTrained);
  write_halt(2);
  write_resume(2, Outcome::kRefused);
  EXPECT_THAT(lines_of([&] { step(); }),
              ElementsAre(StartsWith("■ data set /d/1.csv"), StartsWith("    the stream is halted"),
                          StartsWith("● model 1 is in force; it cannot be shown"),
                          StartsWith("■ data set /d/2.csv"), StartsWith("    the stream is halted"),
                          "✗ data set refused; the stream flows on with model 1"));
}

TEST_F(LiveViewTest, goes_on_after_an_outage_where_it_was) {
  write_halt(1);
  EXPECT_THAT(lines_of([&] { open(); }),
              ElementsAre("○ waiting for a data set", StartsWith("■ data set /d/1.csv"),
                          StartsWith("    the stream is halted")));
  write_resume(1, Outcome::kFailed);
  write_halt(2);
  EXPECT_THAT(
      lines_of([&] { open(); }),
      ElementsAre("✗ training failed; the stream flows on with model 1",
                  StartsWith("■ data set /d/2.csv"), StartsWith("    the stream is halted")));
  EXPECT_THAT(lines_of([&] { open(); }), IsEmpty());
}

TEST_F(LiveViewTest, keeps_predictions_within_80_columns_and_cuts_keys_between_characters) {
  write_halt(1);
  write_resume(1, Outcome::kTrained);
  lines_of([&] { open(); });
  record::Prediction prediction;
  prediction.values = {-1.23456e-300};
  prediction.model = prediction.epoch = 1;
  prediction.partition = 11;
  prediction.offset = 123'456'789'012;
  std::string value;
  ASSERT_TRUE(format::append_prediction(value, prediction));
  broker.produce(options.predictions_topic, "größenmäßiges-übermaß", value, 0);
  const auto lines = lines_of([&] { step(); });
  ASSERT_EQ(lines.size(), 2u);
  EXPECT_THAT(lines[1], testing::HasSubstr("  größenmäßig…  -1.2346e-300"));
  EXPECT_EQ(one_line(lines[1]), lines[1]) << "UTF-8";
  const auto characters =
      std::count_if(lines[1].begin(), lines[1].end(), [](char c) { return (c & 0xc0) != 0x80; });
  EXPECT_LE(characters, 80);
}

}  // namespace
}  // namespace weir::cli
