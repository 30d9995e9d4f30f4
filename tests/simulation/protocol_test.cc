// The epoch protocol, one story at a time.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <set>

#include "simulation/checker.h"

namespace weir::simulation {
namespace {

using record::ControlType;
using record::Outcome;
using stream::CommitFault;
using ::testing::Contains;
using ::testing::ElementsAre;
using ::testing::IsEmpty;

class Protocol : public ::testing::Test {
 protected:
  // A pipeline with model 1 in force.
  World& begin(WorldOptions options = {}) {
    world_.reset();
    world_ = std::make_unique<World>(options);
    EXPECT_TRUE(world_->drop("a.csv", DatasetKind::kGood));
    EXPECT_TRUE(until_epoch(1));
    return *world_;
  }
  bool until_epoch(std::uint64_t epoch) {
    return world_->run_until([&] { return world_->control().ruling_epoch == epoch; });
  }
  void feed(int records) {
    for (int i = 0; i < records; ++i) world_->feed(FeatureKind::kFlat);
  }
  void expect_good_end() {
    EXPECT_TRUE(world_->settle());
    EXPECT_THAT(check_settled(*world_), IsEmpty());
  }
  // Calls the function once, when the actor reaches the place.
  void once_at(Actor& wanted, std::string_view wanted_place, std::function<void()> function) {
    world_->hook = [this, &wanted, wanted_place, function](Actor& actor, std::string_view place) {
      if (&actor != &wanted || place != wanted_place) return;
      const auto call = function;
      world_->hook = {};  // and with it what this lambda holds
      call();
    };
  }
  std::vector<record::ControlRecord> log() const {
    std::vector<record::ControlRecord> records;
    for (const auto& entry : world_->broker.records(world_->topics.control)) {
      const auto record = world_->control_record(entry.value);
      if (record) records.push_back(*record);
    }
    return records;
  }
  std::size_t answered() const { return world_->broker.records(world_->topics.predictions).size(); }
  // A scorer with a transaction open, not stepped any more.
  void hold_up_in_a_transaction(Actor& scorer) {
    ASSERT_TRUE(world_->run_until([&] {
      feed(5);  // the first are committed at once
      return world_->broker.open_transactions() > 0;
    }));
    scorer.not_before = SteadyTime::max();
  }

 private:
  std::unique_ptr<World> world_;
};

TEST_F(Protocol, scores_what_is_produced_by_the_model_that_rules) {
  World& world = begin();
  feed(10);
  world.feed(FeatureKind::kManyRows);
  world.feed(FeatureKind::kGarbage);
  expect_good_end();
  EXPECT_GE(answered(), 70u);
  EXPECT_EQ(world.broker.records(world.topics.dead).size(), 1u);
  EXPECT_EQ(log().size(), 2u);
}

TEST_F(Protocol, answers_what_waited_behind_the_gate_by_the_new_model_once) {
  World& world = begin({.produced = 0});
  ASSERT_TRUE(world.settle());
  once_at(world.trainer(), "acknowledged", [&] { feed(20); });
  ASSERT_TRUE(world.drop("b.csv", DatasetKind::kGood));
  expect_good_end();
  for (const auto& record : world.broker.records(world.topics.predictions)) {
    EXPECT_NE(record.value.find("\"epoch\": 2"), std::string::npos) << record.value;
  }
  EXPECT_EQ(answered(), 20u);
}

TEST_F(Protocol, goes_on_with_the_old_model_after_a_refused_data_set) {
  World& world = begin();
  for (const auto kind :
       {DatasetKind::kManyBad, DatasetKind::kHeaderOnly, DatasetKind::kNoTarget}) {
    ASSERT_TRUE(world.drop("bad.csv", kind));
    feed(5);
    ASSERT_TRUE(world.settle());
    EXPECT_EQ(world.control().version, 1u);
    EXPECT_EQ(world.control().last_resume->outcome, Outcome::kRefused);
  }
  EXPECT_EQ(world.control().ruling_epoch, 4u);
  EXPECT_THAT(world.files_in("/dataset/rejected"),
              ElementsAre("bad.2.csv", "bad.2.csv.reason.json", "bad.3.csv",
                          "bad.3.csv.reason.json", "bad.4.csv", "bad.4.csv.reason.json"));
  expect_good_end();
}

TEST_F(Protocol, stays_closed_after_a_refused_first_data_set_until_a_good_one_comes) {
  World world({});
  ASSERT_TRUE(world.drop("bad.csv", DatasetKind::kManyBad));
  ASSERT_TRUE(world.settle());
  EXPECT_FALSE(world.control().gate_open());
  ASSERT_TRUE(world.drop("good.csv", DatasetKind::kGood));
  ASSERT_TRUE(world.settle());
  EXPECT_EQ(world.control().version, 2u);
  EXPECT_THAT(check_settled(world), IsEmpty());
}

TEST_F(Protocol, resumes_the_old_model_where_the_disk_is_full) {
  World& world = begin();
  world.store.before_each([](store::Operation operation, const std::string& path) -> Status {
    if (operation != store::Operation::kCreate || path.find(".tmp-") == std::string::npos)
      return {};
    return fail(Code::kExhausted, "no space left");
  });
  ASSERT_TRUE(world.drop("b.csv", DatasetKind::kGood));
  ASSERT_TRUE(until_epoch(2));
  world.store.before_each({});
  EXPECT_EQ(world.control().version, 1u);
  EXPECT_EQ(world.control().last_resume->outcome, Outcome::kFailed);
  EXPECT_NE(world.control().last_resume->reason.find("no space left"), std::string::npos);
  expect_good_end();
  EXPECT_THAT(world.files_in("/dataset/rejected"), Contains("b.2.csv.reason.json"));
}

TEST_F(Protocol, refuses_a_data_set_that_may_not_be_read_and_goes_on_with_the_next) {
  World& world = begin();
  ASSERT_TRUE(world.settle());
  const std::string bytes = world.drops[0]->files.begin()->second;
  world.store.before_each([](store::Operation operation, const std::string& path) -> Status {
    if (operation != store::Operation::kRead || path != "/dataset/b.csv") return {};
    return fail(Code::kPermissionDenied, "not yours");
  });
  ASSERT_TRUE(world.drop("b.csv", bytes, false)) << "as long as the live model's";
  ASSERT_TRUE(world.drop("c.csv", DatasetKind::kGood));
  ASSERT_TRUE(until_epoch(3));
  world.store.before_each({});
  EXPECT_EQ(world.control().version, 3u);
  expect_good_end();
  EXPECT_THAT(world.files_in("/dataset/rejected"), Contains("b.2.csv.reason.json"));
}

TEST_F(Protocol, tries_a_training_again_where_the_store_was_away_for_a_moment) {
  World& world = begin();
  world.store.fail_next(store::Operation::kCreate, Error(Code::kUnavailable, "safe mode"));
  ASSERT_TRUE(world.drop("b.csv", DatasetKind::kGood));
  ASSERT_TRUE(until_epoch(2));
  EXPECT_EQ(world.control().version, 2u);
  expect_good_end();
}

TEST_F(Protocol, takes_a_published_version_whose_rename_lost_its_reply) {
  World& world = begin();
  world.store.lose_reply_of_next(store::Operation::kRename, Error(Code::kTimeout, "no answer"));
  const Drop* const second = world.drop("b.csv", DatasetKind::kGood);
  ASSERT_TRUE(until_epoch(2));
  EXPECT_EQ(world.control().version, 2u);
  EXPECT_EQ(world.models_trained_on(*second), 1u);
  expect_good_end();
}

TEST_F(Protocol, takes_a_data_set_that_arrives_during_a_training) {
  World& world = begin();
  once_at(world.trainer(), "train", [&] { EXPECT_TRUE(world.drop("c.csv", DatasetKind::kGood)); });
  ASSERT_TRUE(world.drop("b.csv", DatasetKind::kGood));
  expect_good_end();
  EXPECT_EQ(world.control().version, 3u);
}

TEST_F(Protocol, does_not_halt_for_the_same_bytes_again) {
  World& world = begin();
  const std::string bytes = world.drops[0]->files.begin()->second;
  ASSERT_TRUE(world.settle());
  const std::size_t before = log().size();
  ASSERT_TRUE(world.drop("again.csv", bytes, true));
  ASSERT_TRUE(world.drop("again", bytes, true));
  expect_good_end();
  EXPECT_EQ(log().size(), before) << "no halt";
  EXPECT_THAT(
      world.files_in("/dataset/rejected"),
      ElementsAre("again.1.duplicate-1", "again.1.duplicate-1.csv",
                  "again.1.duplicate-1.csv.reason.json", "again.1.duplicate-1.reason.json"));
}

TEST_F(Protocol, trains_again_on_bytes_of_an_earlier_model) {
  World& world = begin();
  const std::string bytes = world.drops[0]->files.begin()->second;
  ASSERT_TRUE(world.drop("b.csv", DatasetKind::kGood));
  ASSERT_TRUE(world.settle());
  ASSERT_TRUE(world.drop("a.csv", bytes, true));
  expect_good_end();
  EXPECT_EQ(world.control().version, 3u);
}

TEST_F(Protocol, looks_anew_at_a_data_set_that_was_replaced_after_the_halt) {
  World& world = begin();
  ASSERT_TRUE(world.drop("b.csv", DatasetKind::kGood));
  once_at(world.trainer(), "halted", [&] {
    world.drops.pop_back();
    const std::string bytes = make_dataset(world.random, DatasetKind::kGood);
    ASSERT_TRUE(world.store.remove("/dataset/b.csv"));
    ASSERT_TRUE(world.drop("b.csv", bytes, true));
  });
  expect_good_end();
  EXPECT_EQ(world.control().version, 3u) << "epoch 2 failed, epoch 3 took the new file";
}

TEST_F(Protocol, trains_on_a_folder_of_parts) {
  World& world = begin();
  const Drop* const folder = world.drop_folder("run", DatasetKind::kGood);
  expect_good_end();
  EXPECT_EQ(world.models_trained_on(*folder), 1u);
  EXPECT_THAT(world.files_in("/dataset/used"), Contains("run.2"));
}

// ---- members that do not answer ----

TEST_F(Protocol, fences_a_scorer_that_does_not_halt) {
  World& world = begin({.scorers = 1});
  hold_up_in_a_transaction(world.scorer());
  ASSERT_TRUE(world.drop("b.csv", DatasetKind::kGood));
  ASSERT_TRUE(until_epoch(2));
  world.scorer().not_before = {};
  const int lives = world.scorer().lives;
  ASSERT_TRUE(world.run_until([&] { return world.scorer().lives > lives; }));
  EXPECT_TRUE(world.scorer().last_life_fenced);
  expect_good_end();
}

// Silence is no proof of death: a scorer that was held up since before the halt has its transaction
// open still.
TEST_F(Protocol, fences_a_scorer_that_fell_silent_long_before_the_halt) {
  World& world = begin({.scorers = 1});
  hold_up_in_a_transaction(world.scorer());
  world.run(record::kMemberSilence + Millis{2'000});
  ASSERT_TRUE(world.drop("b.csv", DatasetKind::kGood));
  ASSERT_TRUE(until_epoch(2));
  world.scorer().not_before = {};
  expect_good_end();
}

TEST_F(Protocol, fences_a_silent_scorer_that_only_an_earlier_trainer_knew) {
  World& world = begin({.scorers = 1});
  world.broker.set_timeouts(Millis{10'000}, Millis{300'000}, Millis{120'000});
  hold_up_in_a_transaction(world.scorer());
  world.run(3 * record::kMemberSilence);
  world.trainer().crash_at = "halted";
  ASSERT_TRUE(world.drop("b.csv", DatasetKind::kGood));
  ASSERT_TRUE(until_epoch(2));
  EXPECT_EQ(world.trainer().crashes, 1);
  world.scorer().not_before = {};
  expect_good_end();
}

// The new sink of a recovery is not the one that was shut out.
TEST_F(Protocol, stops_a_scorer_that_was_fenced_in_the_middle_of_its_recovery) {
  World& world = begin({.scorers = 1, .produced = 0});
  ASSERT_TRUE(world.settle());
  Actor& scorer = world.scorer();
  scorer.commit_faults = {CommitFault::kUnknownNotHappened};
  once_at(scorer, "open sink", [&] {
    ASSERT_TRUE(world.drop("b.csv", DatasetKind::kGood));
    world.run_others(Millis{60'000}, [&] { return world.control().ruling_epoch == 2; });
    EXPECT_EQ(world.control().ruling_epoch, 2u);
    scorer.lags_left = 50;
  });
  feed(10);
  ASSERT_TRUE(world.run_until([&] { return scorer.lags_left > 0; }));
  world.run(Millis{2'000});
  expect_good_end();
}

TEST_F(Protocol, keeps_a_scorer_that_joins_in_the_middle_of_a_halt_waiting) {
  World& world = begin({.produced = 0, .training_time = Millis{10'000}});
  world.stop(world.scorer(1));
  once_at(world.trainer(), "acknowledged", [&] {
    feed(20);
    world.start(world.scorer(1));
  });
  ASSERT_TRUE(world.drop("b.csv", DatasetKind::kGood));
  expect_good_end();
  EXPECT_EQ(answered(), 20u);
}

TEST_F(Protocol, does_not_wait_for_a_scorer_that_left) {
  World& world = begin();
  world.stop(world.scorer(1));
  ASSERT_TRUE(world.drop("b.csv", DatasetKind::kGood));
  expect_good_end();
  for (const Event& event : world.journal) EXPECT_NE(event.kind, Event::Kind::kFenced) << event.who;
}

TEST_F(Protocol, survives_a_last_commit_that_fails) {
  World& world = begin({.scorers = 1});
  feed(5);
  ASSERT_TRUE(world.run_until([&] { return world.broker.open_transactions() > 0; }));
  world.scorer().commit_faults = {CommitFault::kAborted, CommitFault::kAborted};
  world.stop(world.scorer());
  world.start(world.scorer());
  expect_good_end();
}

TEST_F(Protocol, tries_ever_more_rarely_where_the_brokers_refuse_the_answers) {
  World& world = begin({.scorers = 1, .produced = 0});
  ASSERT_TRUE(world.settle());
  Actor& scorer = world.scorer();
  scorer.commit_faults.assign(1'000, CommitFault::kRefused);
  const auto members = world.broker.members(kGroup);
  feed(5);
  world.run(Millis{600'000});
  // After pauses of 1, 2, 4 s and so on up to a minute.
  const std::size_t tries = 1'000 - scorer.commit_faults.size();
  EXPECT_GE(tries, 10u);
  EXPECT_LE(tries, 17u);
  EXPECT_EQ(world.broker.members(kGroup), members) << "it goes on polling";
  EXPECT_EQ(answered(), 0u);
  // Mended: what waited is scored, and the next refusal begins with a short pause.
  expect_good_end();
  EXPECT_EQ(answered(), 5u);
  scorer.commit_faults = {CommitFault::kRefused};
  feed(5);
  world.run(Millis{5'000});
  EXPECT_EQ(answered(), 10u);
  expect_good_end();
}

// ---- the producer ----

TEST_F(Protocol, counts_the_rows_that_no_broker_acknowledged_at_the_end) {
  World& world = begin({.produced = 0});
  ASSERT_TRUE(world.settle());
  produce::ProducerOptions options;
  options.features_topic = world.topics.features;
  options.control_topic = world.topics.control;
  options.members_topic = world.topics.members;
  options.member = "producer-0";
  options.count = 10;  // and no rate: nothing waits for an acknowledgement before the end
  registry::ModelRegistry models(world.store, kModels);
  produce::ProducerCounters counters;
  const auto life = [&](int steps, bool ends_well) {
    auto producer = produce::Producer::open(options, world.broker, models, world.clock, counters);
    ASSERT_TRUE(producer) << producer.error().message();
    for (int i = 0; i < steps && !(*producer)->done(); ++i) {
      ASSERT_TRUE((*producer)->step(Millis{1}, {}));
    }
    EXPECT_TRUE((*producer)->done());
    if (ends_well) (*producer)->finish();
  };
  world.broker.lose_publishes(world.topics.features, 4);
  life(100, false);
  EXPECT_EQ(counters.produced, 6u) << "the next life makes up for them";
  world.broker.lose_publishes(world.topics.features, 3);
  life(100, true);
  EXPECT_EQ(counters.produced, 7u);
  EXPECT_EQ(counters.undelivered, 3u);
  EXPECT_EQ(world.broker.records(world.topics.features).size(), 7u);
}

// ---- commits of unknown outcome ----

TEST_F(Protocol, asks_the_committed_offsets_where_a_commit_has_no_answer) {
  for (const auto fault : {CommitFault::kUnknownButHappened, CommitFault::kUnknownNotHappened,
                           CommitFault::kAborted, CommitFault::kFenced}) {
    World& world = begin();
    for (Actor* scorer : world.of(Actor::Kind::kScorer)) scorer->commit_faults = {fault, fault};
    feed(40);
    expect_good_end();
  }
}

TEST_F(Protocol, asks_the_control_log_where_a_record_in_it_has_no_answer) {
  for (const auto fault : {CommitFault::kUnknownButHappened, CommitFault::kUnknownNotHappened,
                           CommitFault::kAborted, CommitFault::kFenced}) {
    World& world = begin();
    world.trainer().commit_faults = {fault, fault};  // of the halt and, at the latest, the resume
    const Drop* const second = world.drop("b.csv", DatasetKind::kGood);
    expect_good_end();
    EXPECT_EQ(world.models_trained_on(*second), 1u);
    EXPECT_EQ(log().size(), 4u) << "each record once";
  }
}

// ---- rollbacks ----

TEST_F(Protocol, rolls_back_to_an_earlier_model_in_a_new_epoch) {
  World& world = begin();
  ASSERT_TRUE(world.drop("b.csv", DatasetKind::kGood));
  ASSERT_TRUE(until_epoch(2));
  world.ask_rollback(1, 2);
  ASSERT_TRUE(until_epoch(3));
  EXPECT_EQ(world.control().version, 1u);
  EXPECT_EQ(world.control().last_resume->outcome, Outcome::kRolledBack);
  feed(10);
  expect_good_end();
}

TEST_F(Protocol, ignores_a_rollback_that_was_asked_for_before_the_last_change) {
  World& world = begin();
  ASSERT_TRUE(world.drop("b.csv", DatasetKind::kGood));
  ASSERT_TRUE(until_epoch(2));
  world.ask_rollback(1, 1);
  expect_good_end();
  EXPECT_EQ(world.control().ruling_epoch, 2u);
  EXPECT_EQ(world.control().version, 2u);
}

TEST_F(Protocol, goes_on_with_the_live_model_where_the_wanted_one_is_missing) {
  World& world = begin();
  world.ask_rollback(77, 1);
  ASSERT_TRUE(until_epoch(2));
  EXPECT_EQ(world.control().version, 1u);
  EXPECT_EQ(world.control().last_resume->outcome, Outcome::kFailed);
  expect_good_end();
}

// The log must not forget over a rollback that a file in the drop folder has had its model.
TEST_F(Protocol, moves_a_data_set_once_it_can_though_a_rollback_came_between) {
  for (const bool crashes : {false, true}) {
    World& world = begin();
    const Drop* const second = world.drop("b.csv", DatasetKind::kGood);
    world.store.before_each([](store::Operation operation, const std::string& path) -> Status {
      if (operation != store::Operation::kRename || path != "/dataset/b.csv") return {};
      return fail(Code::kIo, "permission denied for now");
    });
    ASSERT_TRUE(until_epoch(2));
    world.ask_rollback(1, 2);
    if (crashes) world.trainer().crash_at = "resumed";
    ASSERT_TRUE(until_epoch(3));
    world.run(Millis{20'000});
    EXPECT_TRUE(world.in_drop_folder("b.csv"));
    world.store.before_each({});
    expect_good_end();
    EXPECT_EQ(world.models_trained_on(*second), 1u);
    EXPECT_EQ(world.control().version, 1u);
    EXPECT_THAT(world.files_in("/dataset/used"), Contains("b.2.csv"));
  }
}

// ---- several trainers ----

TEST_F(Protocol, lets_only_the_leading_trainer_act) {
  World& world = begin({.trainers = 2});
  for (const char* name : {"b.csv", "c.csv"}) {
    ASSERT_TRUE(world.drop(name, DatasetKind::kGood));
    ASSERT_TRUE(world.settle());
  }
  for (const auto& record : log()) EXPECT_EQ(record.by, log().front().by);
  expect_good_end();
}

TEST_F(Protocol, fences_a_trainer_that_was_deposed_in_the_middle_of_a_training) {
  World& world = begin({.trainers = 2});
  Actor& leader = log().front().by == "trainer-0" ? world.trainer(0) : world.trainer(1);
  const Drop* const second = world.drop("b.csv", DatasetKind::kGood);
  once_at(leader, "temporary-written", [&] {
    world.broker.expire_member(leader.name);
    world.run_others(Millis{60'000}, [&] { return world.control().ruling_epoch == 2; });
    EXPECT_EQ(world.control().ruling_epoch, 2u) << "the other one finished the epoch";
  });
  ASSERT_TRUE(until_epoch(2));
  expect_good_end();
  EXPECT_EQ(world.models_trained_on(*second), 1u);
  EXPECT_NE(log().back().by, log().front().by);
}

// ---- while_training: continue ----

TEST_F(Protocol, scores_on_during_a_training_where_it_is_told_to) {
  World& world = begin({.halt_while_training = false, .training_time = Millis{6'000}});
  std::size_t before = 0;
  bool looked = false;
  once_at(world.trainer(), "halted", [&] {  // it has begun
    EXPECT_TRUE(world.control().begun && world.control().gate_open());
    before = answered();
    once_at(world.trainer(), "train", [&] {
      EXPECT_GT(answered(), before);
      looked = true;
    });
  });
  ASSERT_TRUE(world.drop("b.csv", DatasetKind::kGood));
  expect_good_end();
  EXPECT_TRUE(looked);
  for (const auto& record : log()) EXPECT_NE(record.type, ControlType::kHalt);
  EXPECT_EQ(world.control().version, 2u);
}

// Each scorer has answered something by the model of this epoch.
bool all_at_work_in(World& world, std::uint64_t epoch) {
  std::set<std::string> who;
  for (const Event& event : world.journal) {
    if (!event.predictions.empty() && event.predictions[0].epoch == epoch) who.insert(event.who);
  }
  return who.size() == world.of(Actor::Kind::kScorer).size();
}

TEST_F(Protocol, scores_on_with_the_old_model_while_the_new_one_is_being_loaded) {
  World& world = begin({.halt_while_training = false, .produced = 0});
  ASSERT_TRUE(world.run_until([&] {
    feed(1);
    return all_at_work_in(world, 1);
  }));
  for (Actor* scorer : world.of(Actor::Kind::kScorer)) scorer->loading_time = Millis{2'500};
  ASSERT_TRUE(world.drop("b.csv", DatasetKind::kGood));
  ASSERT_TRUE(world.run_until([&] {
    feed(1);
    return world.control().ruling_epoch == 2;
  }));
  const std::size_t journal_before = world.journal.size();
  ASSERT_TRUE(world.run_until([&] {
    feed(1);
    return all_at_work_in(world, 2);
  }));
  bool lingered = false;
  for (std::size_t i = journal_before; i < world.journal.size(); ++i) {
    for (const auto& p : world.journal[i].predictions) lingered = lingered || p.epoch == 1;
  }
  EXPECT_TRUE(lingered) << "the old model did not go on after the resume";
  expect_good_end();
}

TEST_F(Protocol, stops_the_old_model_after_a_while_where_the_new_one_cannot_be_loaded) {
  World& world = begin({.halt_while_training = false, .produced = 0});
  ASSERT_TRUE(world.run_until([&] {
    feed(1);
    return all_at_work_in(world, 1);
  }));
  for (Actor* scorer : world.of(Actor::Kind::kScorer)) scorer->models_away = true;
  ASSERT_TRUE(world.drop("b.csv", DatasetKind::kGood));
  ASSERT_TRUE(until_epoch(2));
  const auto feed_for = [&](Millis duration) {
    const SteadyTime end = world.clock.steady() + duration;
    world.run_until([&] {
      feed(1);
      return world.clock.steady() >= end;
    });
  };
  const std::size_t at_first = answered();
  feed_for(kOldModelMax + Millis{2'000});
  const std::size_t before = answered();
  feed_for(Millis{10'000});
  EXPECT_EQ(answered(), before) << "the old model goes on for ever";
  EXPECT_GT(before, at_first) << "the old model did not go on at all";
  for (Actor* scorer : world.of(Actor::Kind::kScorer)) scorer->models_away = false;
  expect_good_end();
  EXPECT_GT(answered(), before);
}

// A partition that comes while the old model lingers may have been scored with the new one.
TEST_F(Protocol, does_not_score_with_the_old_model_what_another_scorer_had) {
  World& world = begin({.halt_while_training = false, .produced = 0});
  feed(30);
  ASSERT_TRUE(world.settle());
  Actor& slow = world.scorer(0);
  slow.loading_time = Millis{2'900};
  world.scorer(1).loading_time = Millis{0};
  ASSERT_TRUE(world.drop("b.csv", DatasetKind::kGood));
  ASSERT_TRUE(until_epoch(2));
  feed(30);
  ASSERT_TRUE(world.run_until(
      [&] {
        for (const Event& event : world.journal) {
          if (event.who == "sim.scorer-1" && !event.predictions.empty() &&
              event.predictions[0].epoch == 2) {
            return true;
          }
        }
        return false;
      },
      Millis{2'000}));
  world.stop(world.scorer(1));
  feed(30);
  expect_good_end();
}

// ---- what does not belong in the control log ----

TEST_F(Protocol, is_not_moved_by_garbage_in_the_control_log) {
  World& world = begin();
  const auto forge = [&] {
    for (const char* value :
         {"garbage", "", "{\"type\":\"halt\",\"epoch\":99}", "{\"type\":\"resume\"}",
          "{\"type\":\"resume\",\"epoch\":99,\"version\":5,\"sha256\":\"\",\"outcome\":"
          "\"trained\"}",
          "{\"type\":\"halt\",\"epoch\":0,\"dataset\":{\"path\":\"/x\",\"length\":1,"
          "\"modified_ms\":1,\"file_id\":\"1\"}}",
          "{\"type\":\"halt\",\"epoch\":-1,\"rollback_to\":1}"}) {
      world.forge_control(value);
    }
  };
  forge();
  once_at(world.trainer(), "acknowledged", forge);
  ASSERT_TRUE(world.drop("b.csv", DatasetKind::kGood));
  expect_good_end();
  EXPECT_EQ(world.control().version, 2u);
}

TEST_F(Protocol, survives_brokers_that_are_away_in_the_middle_of_a_halt) {
  World& world = begin();
  once_at(world.trainer(), "halted",
          [&] { world.broker.set_away_until(world.clock.steady() + Millis{20'000}); });
  ASSERT_TRUE(world.drop("b.csv", DatasetKind::kGood));
  world.run(Millis{40'000});
  expect_good_end();
  EXPECT_EQ(world.control().version, 2u);
}

}  // namespace
}  // namespace weir::simulation
