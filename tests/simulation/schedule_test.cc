// When data sets are taken up: one story at a time. The clock begins at 2026-01-01T00:00:00Z.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "base/time_text.h"
#include "gate/training_request.h"
#include "simulation/checker.h"

namespace weir::simulation {
namespace {

using namespace std::chrono_literals;
using record::Outcome;
using ::testing::ElementsAre;
using ::testing::IsEmpty;

constexpr Millis kTimeout{5'000};

class ScheduledTraining : public ::testing::Test {
 protected:
  World& begin(WorldOptions options) {
    world_ = std::make_unique<World>(options);
    asker_ = world_->broker.instance();
    world_->run(2s);  // the trainer leads, and has looked
    return *world_;
  }
  void drop(const std::string& name) { ASSERT_TRUE(world_->drop(name, DatasetKind::kGood)); }
  // Goes on to this time of day, or moment; the last seconds step by step.
  void until(const std::string& time) {
    const auto moment = parse_time(time.find('T') != time.npos ? time : "2026-01-01T" + time + "Z");
    ASSERT_TRUE(moment) << time;
    const Millis left = *moment - world_->clock.wall();
    ASSERT_GE(left, Millis{0}) << "it is later than " << time;
    if (left > 20s) world_->clock.advance(left - 20s);
    world_->run(std::min<Millis>(left, 20s));
  }
  bool until_epoch(std::uint64_t epoch) {
    return world_->run_until([&] { return world_->control().ruling_epoch >= epoch; });
  }
  // "a.csv 00:10:02": what was taken up, and the minute of the log that tells so.
  std::vector<std::string> taken_up() const {
    std::vector<std::string> told;
    for (const auto& entry : world_->broker.records(world_->topics.control)) {
      const auto record = world_->control_record(entry.value);
      if (!record || !record->dataset) continue;
      told.push_back(store::base_name(record->dataset->path) + " " + record->at.substr(11, 5));
    }
    return told;
  }
  std::unique_ptr<gate::TrainingRequest> ask(const std::string& dataset, Millis within = 60s) {
    auto request = gate::TrainingRequest::send(*asker_, world_->topics.members,
                                               {"ann", dataset, world_->control().epoch, within},
                                               world_->clock);
    EXPECT_TRUE(request);
    return std::move(*request);
  }
  // "epoch 2 of /dataset/a.csv", or the reason why not.
  std::string answer(gate::TrainingRequest& request, Millis limit = 70s) {
    std::optional<record::MemberRecord> answer;
    world_->run_until(
        [&] {
          auto polled = request.poll(Millis{0});
          if (polled && *polled) answer = std::move(*polled);
          return answer.has_value();
        },
        limit);
    if (!answer) return "no answer";
    if (answer->epoch == 0) return answer->reason;
    return "epoch " + std::to_string(answer->epoch) + " of " + answer->dataset;
  }
  std::string told_by_trainer() {
    world_->run(3s);  // a heartbeat
    auto table = gate::MemberTable::open(*asker_, world_->topics.members, world_->clock);
    EXPECT_TRUE(table && (*table)->refresh(kTimeout));
    for (const auto& member : (*table)->all()) {
      if (member.latest.role == "trainer") return member.latest.progress.waiting_for;
    }
    return "";
  }
  void expect_good_end() {
    EXPECT_TRUE(world_->settle());
    EXPECT_THAT(check_settled(*world_), IsEmpty());
  }

  std::unique_ptr<World> world_;
  std::unique_ptr<stream::MemoryInstance> asker_;
};

WorldOptions scheduled(std::vector<std::string> lines) {
  WorldOptions options;
  options.produced = 0;
  options.loading_time_max = Millis{0};
  options.schedule = std::move(lines);
  return options;
}

TEST_F(ScheduledTraining, takes_what_waits_at_the_next_moment_by_name) {
  begin(scheduled({"*/10 * * * *"}));
  drop("b.csv");
  drop("a.csv");
  until("00:09:50");
  EXPECT_THAT(taken_up(), IsEmpty());
  EXPECT_EQ(told_by_trainer(),
            "a.csv and 1 more wait for train.schedule, the schedule is due next at "
            "2026-01-01T00:10:00.000Z");
  ASSERT_TRUE(until_epoch(2));
  EXPECT_THAT(taken_up(), ElementsAre("a.csv 00:10", "b.csv 00:10"));
  until("00:25:00");
  EXPECT_EQ(taken_up().size(), 2u) << "nothing waits, nothing is trained";
  EXPECT_EQ(told_by_trainer(),
            "no data set in memory:///dataset, the schedule is due next at "
            "2026-01-01T00:30:00.000Z");
  expect_good_end();
}

TEST_F(ScheduledTraining, and_on_arrival_waits_for_nothing) {
  begin(scheduled({"arrival", "0 2 * * *"}));
  drop("a.csv");
  ASSERT_TRUE(until_epoch(1));
  EXPECT_THAT(taken_up(), ElementsAre("a.csv 00:00"));
}

TEST_F(ScheduledTraining, takes_what_is_dropped_just_before_the_moment) {
  begin(scheduled({"*/10 * * * *"}));
  until("00:09:59.600");
  drop("a.csv");
  ASSERT_TRUE(until_epoch(1));
  EXPECT_THAT(taken_up(), ElementsAre("a.csv 00:10"));
}

TEST_F(ScheduledTraining, lets_a_file_of_old_that_is_moved_in_wait_like_any_other) {
  World& world = begin(scheduled({"*/10 * * * *"}));
  world.store.put("/staging/a.csv", make_dataset(world.random, DatasetKind::kGood));
  until("00:25:00");
  ASSERT_TRUE(world.store.rename("/staging/a.csv", "/dataset/a.csv"));
  until("00:29:50");
  EXPECT_THAT(taken_up(), IsEmpty());
  ASSERT_TRUE(until_epoch(1));
  EXPECT_THAT(taken_up(), ElementsAre("a.csv 00:30"));
}

TEST_F(ScheduledTraining, makes_up_once_for_all_that_was_missed_while_no_trainer_ran) {
  World& world = begin(scheduled({"0 * * * *"}));
  world.stop(world.trainer());
  drop("a.csv");
  until("05:30:00");
  drop("b.csv");  // no moment was missed for this one
  until("05:31:00");
  world.start(world.trainer());
  ASSERT_TRUE(until_epoch(1));
  until("05:40:00");
  EXPECT_THAT(taken_up(), ElementsAre("a.csv 05:31"));
  ASSERT_TRUE((until("06:00:10"), until_epoch(2)));
  EXPECT_THAT(taken_up(), ElementsAre("a.csv 05:31", "b.csv 06:00"));
  expect_good_end();
}

TEST_F(ScheduledTraining, folds_the_moments_during_a_training_into_one_run_after_it) {
  World& world = begin(scheduled({"*/10 * * * *"}));
  drop("a.csv");
  bool held_up = false;
  world.hook = [&](Actor& actor, std::string_view place) {
    if (&actor != &world.trainer() || place != "train" || held_up) return;
    held_up = true;
    world.clock.advance(5min);
    ASSERT_TRUE(world.drop("b.csv", DatasetKind::kGood));
    world.clock.advance(20min);  // 00:20 and 00:30 pass
  };
  until("00:10:01");
  ASSERT_TRUE(until_epoch(2));
  until("00:39:00");
  ASSERT_TRUE(held_up);
  EXPECT_THAT(taken_up(), ElementsAre("a.csv 00:10", "b.csv 00:35"));
  expect_good_end();
}

TEST_F(ScheduledTraining, keeps_the_rest_of_a_run_that_a_crash_has_cut) {
  World& world = begin(scheduled({"*/10 * * * *"}));
  for (const char* name : {"a.csv", "b.csv", "c.csv"}) drop(name);
  until("00:09:59");
  world.trainer().crash_at = "moved";
  ASSERT_TRUE(until_epoch(3));
  EXPECT_EQ(world.trainer().crashes, 1);
  EXPECT_THAT(taken_up(), ElementsAre("a.csv 00:10", "b.csv 00:10", "c.csv 00:10"));
  expect_good_end();
}

TEST_F(ScheduledTraining, runs_once_where_the_clocks_change) {
  World& world = begin(scheduled({"CRON_TZ=Europe/Zurich 30 2 * * *"}));
  until("2026-03-28T22:00:00Z");
  drop("a.csv");
  until("2026-03-29T00:59:50Z");  // 01:59:50 in Zurich; 02:30 is left out
  EXPECT_THAT(taken_up(), IsEmpty());
  ASSERT_TRUE(until_epoch(1));
  EXPECT_THAT(taken_up(), ElementsAre("a.csv 01:00"));
  until("2026-10-24T22:00:00Z");
  drop("b.csv");
  until("2026-10-25T00:29:50Z");  // 02:29:50 in Zurich, for the first time
  ASSERT_TRUE(until_epoch(2));
  drop("c.csv");
  until("2026-10-25T01:45:00Z");  // 02:30 has come again
  EXPECT_THAT(taken_up(), ElementsAre("a.csv 01:00", "b.csv 00:30"));
  EXPECT_EQ(world.control().epoch, 2u);
}

TEST_F(ScheduledTraining, does_not_run_again_where_the_clock_is_put_back) {
  World& world = begin(scheduled({"0 * * * *"}));
  until("01:30:00");
  drop("a.csv");
  until("02:00:10");
  ASSERT_TRUE(until_epoch(1));
  drop("b.csv");
  until("02:05:00");
  world.trainer().clock.set_skew(-20min);  // it shows 01:45, and will show 02:00 again
  until("02:25:00");
  EXPECT_EQ(taken_up().size(), 1u) << "b.csv came after 02:00";
  until("03:20:10");
  ASSERT_TRUE(until_epoch(2));
  EXPECT_THAT(taken_up(), ElementsAre("a.csv 02:00", "b.csv 03:00")) << "by the trainer's clock";
}

TEST_F(ScheduledTraining, believes_a_clock_that_is_mended_by_hours) {
  World& world = begin(scheduled({"0 * * * *"}));
  world.trainer().clock.set_skew(50h);
  world.run(2s);
  until("00:30:00");
  drop("a.csv");
  until("00:31:00");
  EXPECT_THAT(taken_up(), IsEmpty());
  world.trainer().clock.set_skew(0ms);
  until("01:00:10");
  ASSERT_TRUE(until_epoch(1)) << "it would else wait for two days";
}

// ---- train.min_interval ----

TEST_F(ScheduledTraining, keeps_the_least_interval_between_two_begins_over_a_restart) {
  WorldOptions options = scheduled({"arrival"});
  options.min_interval = 10min;
  World& world = begin(options);
  drop("a.csv");
  ASSERT_TRUE(until_epoch(1));
  drop("b.csv");
  until("00:04:00");
  world.stop(world.trainer());
  world.start(world.trainer());
  until("00:09:00");
  EXPECT_THAT(taken_up(), ElementsAre("a.csv 00:00"));
  EXPECT_THAT(told_by_trainer(), ::testing::HasSubstr("b.csv waits for train.min_interval, 6"));
  ASSERT_TRUE(until_epoch(2));
  EXPECT_THAT(taken_up(), ElementsAre("a.csv 00:00", "b.csv 00:10"));
  expect_good_end();
}

TEST_F(ScheduledTraining, waits_no_longer_than_the_interval_whatever_a_clock_shows) {
  WorldOptions options = scheduled({"arrival"});
  options.min_interval = 10min;
  World& world = begin(options);
  drop("a.csv");
  ASSERT_TRUE(until_epoch(1));
  drop("b.csv");
  world.stop(world.trainer());
  world.trainer().clock.set_skew(-48h);
  world.start(world.trainer());
  world.run(5s);  // it leads, and waits for the whole of the interval at most
  until("00:11:00");
  ASSERT_TRUE(until_epoch(2));
}

// ---- requests ----

TEST_F(ScheduledTraining, that_is_asked_for_does_not_wait) {
  WorldOptions options = scheduled({"0 2 * * *"});
  options.min_interval = 1h;
  World& world = begin(options);
  drop("a.csv");
  drop("b.csv");
  drop("c.csv");
  world.run(5s);
  EXPECT_EQ(answer(*ask("b.csv")), "epoch 1 of /dataset/b.csv");
  ASSERT_TRUE(until_epoch(1));
  EXPECT_EQ(world.control().last_taken_up->reason, "asked for by ann");
  EXPECT_EQ(answer(*ask("/dataset/a.csv")), "epoch 2 of /dataset/a.csv");
  ASSERT_TRUE(until_epoch(2));
  world.run(10s);
  EXPECT_EQ(world.control().epoch, 2u) << "nobody asked for c.csv";
  drop("d.csv");
  EXPECT_EQ(answer(*ask("")), "epoch 3 of /dataset/c.csv");
  ASSERT_TRUE(until_epoch(4));
  drop("e.csv");
  world.run(10s);
  EXPECT_EQ(world.control().epoch, 4u) << "what comes later was not meant";
}

TEST_F(ScheduledTraining, that_was_asked_for_says_nothing_of_what_comes_under_its_name) {
  World& world = begin(scheduled({"0 2 * * *"}));
  drop("a.csv");
  bool again = false;
  world.hook = [&](Actor&, std::string_view place) {
    if (place == "moved" && !again) again = world.drop("a.csv", DatasetKind::kGood) != nullptr;
  };
  EXPECT_EQ(answer(*ask("a.csv")), "epoch 1 of /dataset/a.csv");
  ASSERT_TRUE(until_epoch(1));
  world.run(10s);
  ASSERT_TRUE(again);
  EXPECT_EQ(world.control().epoch, 1u);
  EXPECT_THAT(told_by_trainer(), ::testing::HasSubstr("a.csv waits for train.schedule"));
}

TEST_F(ScheduledTraining, of_all_that_waits_forgets_what_is_taken_away_meanwhile) {
  World& world = begin(scheduled({"0 2 * * *"}));
  drop("a.csv");
  drop("b.csv");
  bool removed = false;
  world.hook = [&](Actor&, std::string_view place) {
    if (place != "moved" || removed) return;
    removed = world.store.remove("/dataset/b.csv").has_value();
    ASSERT_TRUE(world.drop("c.csv", DatasetKind::kGood));  // and another one waits
  };
  EXPECT_EQ(answer(*ask("")), "epoch 1 of /dataset/a.csv");
  ASSERT_TRUE(until_epoch(1));
  world.run(5s);
  ASSERT_TRUE(removed);
  drop("b.csv");
  world.run(10s);
  EXPECT_EQ(world.control().epoch, 1u) << "it is another one, that nobody asked for";
}

TEST_F(ScheduledTraining, that_cannot_be_is_refused_with_the_reason) {
  World& world = begin(scheduled({"arrival"}));
  EXPECT_EQ(answer(*ask("")), "no data set waits in memory:///dataset");
  EXPECT_THAT(answer(*ask("x.csv")),
              ::testing::HasSubstr("there is no data set memory:///dataset/x.csv"));
  EXPECT_THAT(answer(*ask("/warehouse/../../etc/passwd")), ::testing::HasSubstr("looking for"));
  world.store.put("/warehouses/a.csv", "a,y\n1,2\n");
  EXPECT_THAT(
      answer(*ask("/warehouses/a.csv")),
      ::testing::HasSubstr("neither in the drop folder nor in a folder of train.copy_from"));
  world.store.put("/dataset/.hidden.csv", "a,y\n1,2\n");
  EXPECT_THAT(answer(*ask(".hidden.csv")), ::testing::HasSubstr("does not look at"));
  ASSERT_TRUE(world.store.remove("/dataset/.hidden.csv"));
  drop("a.csv");
  ASSERT_TRUE(until_epoch(1));
  ASSERT_TRUE(world.settle());
  EXPECT_THAT(answer(*ask("/dataset/used/a.1.csv")),
              ::testing::HasSubstr("nothing would change: the live model, version 1,"));
  EXPECT_EQ(world.control().epoch, 1u);
  expect_good_end();
}

TEST_F(ScheduledTraining, on_what_lies_elsewhere_trains_on_a_copy) {
  World& world = begin(scheduled({"0 2 * * *"}));
  drop("a.csv");
  EXPECT_EQ(answer(*ask("a.csv")), "epoch 1 of /dataset/a.csv");
  drop("b.csv");
  ASSERT_TRUE(until_epoch(1));
  EXPECT_EQ(answer(*ask("b.csv")), "epoch 2 of /dataset/b.csv");
  ASSERT_TRUE(until_epoch(2));
  ASSERT_TRUE(world.settle());
  // A used one of an earlier model.
  EXPECT_EQ(answer(*ask("/dataset/used/a.1.csv")), "epoch 3 of /dataset/a.csv");
  ASSERT_TRUE(until_epoch(3));
  ASSERT_TRUE(world.settle());
  EXPECT_THAT(world.files_in("/dataset/used"), ElementsAre("a.1.csv", "a.3.csv", "b.2.csv"));
  // A folder that has never been in the drop folder.
  for (const char* part : {"part-0.csv", "part-1.csv"}) {
    world.store.put(std::string("/warehouse/daily/") + part,
                    make_dataset(world.random, DatasetKind::kGood));
  }
  world.store.put("/warehouse/daily/_SUCCESS", "");
  EXPECT_EQ(answer(*ask("/warehouse/daily")), "epoch 4 of /dataset/daily");
  ASSERT_TRUE(until_epoch(4));
  EXPECT_EQ(world.control().last_resume->outcome, Outcome::kTrained);
  ASSERT_TRUE(world.settle());
  EXPECT_THAT(world.files_in("/warehouse/daily"),
              ElementsAre("_SUCCESS", "part-0.csv", "part-1.csv"));
}

TEST_F(ScheduledTraining, that_is_asked_for_during_another_begins_after_it) {
  World& world = begin(scheduled({"0 2 * * *"}));
  drop("a.csv");
  drop("b.csv");
  world.run(5s);
  std::unique_ptr<gate::TrainingRequest> second;
  world.hook = [&](Actor& actor, std::string_view place) {
    if (&actor == &world.trainer() && place == "train" && !second) second = ask("b.csv", 600s);
  };
  EXPECT_EQ(answer(*ask("a.csv")), "epoch 1 of /dataset/a.csv");
  ASSERT_TRUE(until_epoch(1));
  ASSERT_TRUE(second);
  EXPECT_EQ(answer(*second), "epoch 2 of /dataset/b.csv");
}

TEST_F(ScheduledTraining, is_asked_for_once_whoever_leads) {
  World& world = begin(scheduled({"0 2 * * *"}));
  drop("a.csv");
  world.run(5s);
  // The leader dies after it has begun, before it has answered.
  world.trainer().crash_at = "halted";
  EXPECT_EQ(answer(*ask("a.csv")), "epoch 1 of /dataset/a.csv") << "by the next one";
  ASSERT_TRUE(until_epoch(1));
  EXPECT_EQ(world.trainer().crashes, 1);
  // An answered request does not come true for a later leader, though what it asks for is there.
  EXPECT_THAT(answer(*ask("b.csv")), ::testing::HasSubstr("there is no data set"));
  drop("b.csv");
  world.stop(world.trainer());
  world.start(world.trainer());
  world.run(10s);
  EXPECT_EQ(world.control().epoch, 1u);
}

TEST_F(ScheduledTraining, that_was_asked_for_too_long_ago_is_void) {
  World& world = begin(scheduled({"0 2 * * *"}));
  drop("a.csv");
  world.run(5s);
  world.stop(world.trainer());
  auto request = ask("a.csv", 60s);
  world.clock.advance(3min);
  world.start(world.trainer());
  EXPECT_THAT(answer(*request), ::testing::HasSubstr("after it was made; ask again"));
  EXPECT_EQ(world.control().epoch, 0u);
}

TEST_F(ScheduledTraining, that_fails_for_a_passing_reason_is_tried_until_its_asker_gives_up) {
  World& world = begin(scheduled({"0 2 * * *"}));
  drop("a.csv");
  world.run(5s);
  bool away = true;
  world.store.before_each([&](store::Operation operation, const std::string& path) -> Status {
    if (away && operation == store::Operation::kStatus && path == "/dataset/a.csv") {
      return fail(Code::kUnavailable, "the NameNode is in safe mode");
    }
    return {};
  });
  EXPECT_EQ(answer(*ask("a.csv", 5s)), "the NameNode is in safe mode");
  auto request = ask("a.csv");
  EXPECT_EQ(answer(*request, 10s), "no answer");
  away = false;
  EXPECT_EQ(answer(*request), "epoch 1 of /dataset/a.csv");
  world.store.before_each({});
}

TEST_F(ScheduledTraining, asked_for_twice_is_not_lost_with_the_request_that_expires_first) {
  World& world = begin(scheduled({"0 2 * * *"}));
  world.store.put("/dataset/a.csv", make_dataset(world.random, DatasetKind::kGood));
  // It does not stand still before the first has given up.
  bool growing = true;
  world.store.before_each([&](store::Operation operation, const std::string& path) -> Status {
    if (growing && operation == store::Operation::kList && path == "/dataset") {
      world.store.append("/dataset/a.csv", "\n");
    }
    return {};
  });
  auto patient = ask("a.csv", 60s);
  auto first = ask("a.csv", 3s);
  EXPECT_THAT(answer(*first), ::testing::HasSubstr("still being written"));
  growing = false;
  EXPECT_EQ(answer(*patient), "epoch 1 of /dataset/a.csv");
  world.store.before_each({});
}

TEST_F(ScheduledTraining, on_a_copy_takes_nothing_else_for_it) {
  World& world = begin(scheduled({"0 2 * * *"}));
  world.store.put("/warehouse/a.csv", "a,y\n1,2\n2,3\n4,1\n");
  world.store.put("/dataset/a.csv", "a,y\n1,2\n2,3\n4,9\n");
  world.run(5s);
  EXPECT_THAT(answer(*ask("/warehouse/a.csv")), ::testing::HasSubstr("waits already"));
  EXPECT_EQ(world.control().epoch, 0u);
}

TEST_F(ScheduledTraining, on_a_copy_that_takes_longer_than_its_asker_waits_is_given_up) {
  World& world = begin(scheduled({"0 2 * * *"}));
  world.store.put("/warehouse/a.csv", make_dataset(world.random, DatasetKind::kGood));
  bool slow = true;
  world.store.before_each([&](store::Operation operation, const std::string& path) -> Status {
    if (slow && operation == store::Operation::kCreate && path.ends_with(".copy.tmp")) {
      world.clock.advance(2min);
    }
    return {};
  });
  EXPECT_THAT(answer(*ask("/warehouse/a.csv")), ::testing::HasSubstr("longer than whoever asked"));
  slow = false;
  world.run(10s);
  EXPECT_EQ(world.control().epoch, 0u) << "it was called void";
  EXPECT_THAT(world.files_in("/dataset"), ElementsAre("rejected", "used"));
  EXPECT_EQ(answer(*ask("/warehouse/a.csv")), "epoch 1 of /dataset/a.csv");
  world.store.before_each({});
}

TEST_F(ScheduledTraining, of_what_can_be_read_does_not_wait_for_ever_for_what_cannot) {
  World& world = begin(scheduled({"arrival"}));
  const std::string bytes = make_dataset(world.random, DatasetKind::kGood);
  ASSERT_TRUE(world.drop("first.csv", bytes, true));
  ASSERT_TRUE(until_epoch(1));
  ASSERT_TRUE(world.settle());
  bool lost = true;
  world.store.before_each([&](store::Operation operation, const std::string& path) -> Status {
    if (lost && operation == store::Operation::kRead && path == "/dataset/a.csv") {
      return fail(Code::kUnavailable, "no DataNode has block 7");
    }
    return {};
  });
  // As long as the live model's, so that it is compared.
  ASSERT_TRUE(world.drop("a.csv", std::string(bytes.rbegin(), bytes.rend()), false));
  drop("b.csv");
  ASSERT_TRUE(until_epoch(2));
  EXPECT_EQ(world.control().last_taken_up->dataset->path, "/dataset/b.csv");
  EXPECT_TRUE(world.in_drop_folder("a.csv"));
  lost = false;
  ASSERT_TRUE(until_epoch(3));
  EXPECT_EQ(world.control().last_taken_up->dataset->path, "/dataset/a.csv");
  world.store.before_each({});
}

}  // namespace
}  // namespace weir::simulation
