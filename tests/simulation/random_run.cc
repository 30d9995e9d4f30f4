#include "simulation/random_run.h"

#include "record/signing_keys_test.h"
#include "simulation/checker.h"

namespace weir::simulation {
namespace {

constexpr std::size_t kDropsMax = 8;
constexpr int kPlacesBetweenChecks = 500;
constexpr Actor::Kind kRoles[] = {Actor::Kind::kTrainer, Actor::Kind::kProducer,
                                  Actor::Kind::kScorer, Actor::Kind::kGateway};

WorldOptions options_of(std::uint64_t seed, Sabotage sabotage) {
  Random random(seed * 0x9e3779b97f4a7c15 + 1);
  WorldOptions options;
  options.seed = random();
  options.sabotage = sabotage;
  options.halt_while_training = !happens(random, 0.2);
  options.trainers = 1 + static_cast<int>(pick(random, 2));
  options.scorers = 1 + static_cast<int>(pick(random, 3));
  options.produced = pick(random, 60);
  options.signed_control = seed % 2 == 0;
  options.on_cluster = seed % 3 == 0;
  if (seed % 4 >= 2) {
    options.pushed = 10 + seed % 20;
    options.skew_max = Millis{1'800'000};
  }
  options.training_time = Millis{std::int64_t{300} << (4 * pick(random, 2))};
  if (seed % 3 == 0 && sabotage == Sabotage::kNone) {
    options.schedule = {"* * * * *"};
    options.min_interval = Millis{seed % 9 == 0 ? 20'000 : 0};
  }
  return options;
}

class RandomRun {
 public:
  RandomRun(std::uint64_t seed, Sabotage sabotage)
      : world_(options_of(seed, sabotage)),
        random_(world_.random),
        invariants_(world_),
        holds_up_leaders_(seed % 4 == 0),
        asks_for_trainings_(seed % 3 == 0 && sabotage == Sabotage::kNone) {
    const auto some = [&](double most) { return happens(random_, 0.4) ? 0 : most; };
    chaos_.stall = some(0.002);
    chaos_.crash = some(0.0007);
    chaos_.commit_fault = some(0.1);
    chaos_.store_fault = some(0.02);
    chaos_.lag = some(0.3);
    if (world_.options.skew_max > Millis{0}) {
      chaos_.duplicate = 0.1;
      chaos_.clock_jump = 0.002;
    }
  }

  RunResult run() {
    world_.hook = [this](Actor&, std::string_view place) {
      if (++places_ % kPlacesBetweenChecks == 0 || place == "half a model") look();
      // Nobody is at work, and a resume would open every gate: if anything, forge then.
      if (place == "acknowledged" && world_.options.signed_control && happens(random_, 0.3)) {
        world_.forge_control(plausible());
      }
    };
    world_.chaos = chaos_;
    const std::uint64_t acts = 4 + pick(random_, 12);
    for (std::uint64_t i = 0; i < acts; ++i) {
      act();
      if (asks_for_trainings_ && happens(world_.mischief, 0.4)) ask_for_training();
      if (holds_up_leaders_) hold_up_the_leader();
      const std::uint64_t steps = 10 + pick(random_, 120);
      for (std::uint64_t step = 0; step < steps; ++step) world_.step();
      look();
    }
    for (const auto kind : kRoles) {
      for (Actor* actor : world_.of(kind)) world_.start(*actor);
    }
    // One more, so that there is something to settle, and to see that the next epoch begins.
    world_.drop("last.csv", DatasetKind::kGood);
    // With a planted fault it may never come to rest. A clock that was put back by an hour has to
    // show again what it has shown before a schedule is due.
    world_.settle(asks_for_trainings_                          ? Millis{4'500'000}
                  : world_.options.sabotage == Sabotage::kNone ? Millis{600'000}
                                                               : Millis{60'000});
    for (std::string& problem : check_settled(world_)) problems_.push_back(std::move(problem));
    return result();
  }

 private:
  void look() {
    if (!problems_.empty()) return;
    for (std::string& problem : invariants_.check()) problems_.push_back(std::move(problem));
  }

  Actor& any() {
    std::vector<Actor*> all;
    for (const auto kind : kRoles) {
      for (Actor* actor : world_.of(kind)) all.push_back(actor);
    }
    return *all[pick(random_, all.size())];
  }

  Actor& any_scorer() {
    const auto scorers = world_.of(Actor::Kind::kScorer);
    return *scorers[pick(random_, scorers.size())];
  }

  void act() {
    switch (pick(random_, 15)) {
      case 0:
      case 1:
      case 2: return drop();
      case 3:
      case 4: return feed();
      case 5: {  // a process is held up, between two steps
        any().not_before = world_.clock.steady() + Millis{pick(random_, 40'000)};
        return;
      }
      case 6: {
        Actor& scorer = any_scorer();
        if (scorer.wanted) world_.stop(scorer);
        else world_.start(scorer);
        return;
      }
      case 7: world_.broker.expire_member(any().name); return;
      case 8:
        world_.broker.set_away_until(world_.clock.steady() + Millis{pick(random_, 20'000)});
        return;
      case 9: world_.clock.advance(Millis{pick(random_, 70'000)}); return;
      case 10: {
        const record::ControlState state = world_.control();
        const std::uint64_t stale = happens(random_, 0.2) ? 1 : 0;
        world_.ask_rollback(pick(random_, state.epoch + 2),
                            state.epoch - std::min(stale, state.epoch));
        return;
      }
      case 11: return forge();
      case 12: return plan_crash();
      case 13:
      case 14: return hold_up_over_a_halt();
    }
  }

  void drop() {
    static const char* const kNames[] = {"a.csv", "b.csv", "c", "d.e.csv", "weird name\n.csv"};
    const std::string name = kNames[pick(random_, std::size(kNames))];
    if (world_.drops.size() >= kDropsMax) return;
    const bool can_repeat = !world_.drops.empty() && world_.drops.back()->files.size() == 1;
    const std::uint64_t what = pick(random_, 10);
    if (what == 0 && can_repeat) {
      const std::string bytes = world_.drops.back()->files.begin()->second;
      world_.drop(name, bytes, world_.drops.back()->good);
    } else if (what == 1) {
      world_.drop_folder("run", happens(random_, 0.5) ? DatasetKind::kGood : DatasetKind::kWide);
    } else {
      static constexpr DatasetKind kKinds[] = {DatasetKind::kGood,       DatasetKind::kGood,
                                               DatasetKind::kWide,       DatasetKind::kWide,
                                               DatasetKind::kFewBad,     DatasetKind::kManyBad,
                                               DatasetKind::kHeaderOnly, DatasetKind::kNoTarget};
      world_.drop(name, kKinds[what == 0 ? 0 : what - 2]);  // 0: nothing to repeat yet
    }
  }

  // On what may be there or not, by who may know of the last epoch or not.
  void ask_for_training() {
    static const char* const kAsked[] = {"", "a.csv", "/dataset/b.csv", "run", "/dataset/used"};
    const std::uint64_t epoch = world_.control().epoch;
    const std::uint64_t stale = happens(world_.mischief, 0.2) ? 1 : 0;
    world_.ask_train(kAsked[pick(world_.mischief, std::size(kAsked))],
                     epoch - std::min(stale, epoch));
  }

  void feed() {
    const std::uint64_t records = 1 + pick(random_, 30);
    for (std::uint64_t i = 0; i < records; ++i) {
      const std::uint64_t kind = pick(random_, 8);
      world_.feed(kind == 0   ? FeatureKind::kGarbage
                  : kind == 1 ? FeatureKind::kManyRows
                              : FeatureKind::kFlat);
    }
  }

  void forge() {
    static const char* const kForged[] = {
        "garbage", R"({"type":"halt","epoch":9})", R"({"type":"resume","epoch":0})",
        R"({"type":"resume","epoch":777,"version":1,"sha256":"","outcome":"trained"})"};
    const bool control = happens(random_, 0.5);
    if (control && world_.options.signed_control && happens(random_, 0.8)) {
      return world_.forge_control(plausible());
    }
    const char* const value = kForged[pick(random_, std::size(kForged))];
    if (control) world_.forge_control(value);
    else world_.broker.produce(world_.topics.members, std::nullopt, value);
  }

  // A control record that would count, but for the signature; or a signed one that has been before.
  std::string plausible() {
    const record::ControlState state = world_.control();
    const auto log = world_.broker.records(world_.topics.control);
    if (!log.empty() && happens(random_, 0.3)) return log[pick(random_, log.size())].value;
    record::ControlRecord forged;
    if (state.begun) {
      forged.type = record::ControlType::kResume;
      forged.epoch = state.begun->epoch;
      forged.version = state.version;
      forged.sha256 = state.sha256;
      forged.outcome = record::Outcome::kFailed;
    } else {
      forged.epoch = state.epoch + 1;
      forged.rollback_to = 1;
    }
    return happens(random_, 0.5) ? forged.to_json()
                                 : record::strangers_topic(world_.topics.control).to_value(forged);
  }

  // A scorer is held up with records in hand while a data set comes: the hardest moment there is.
  void hold_up_over_a_halt() {
    static const char* const kPlaces[] = {"polled", "produced",     "scored",
                                          "commit", "open sink",    "open sink answered",
                                          "rewind", "poll answered"};
    Actor& scorer = any_scorer();
    scorer.stall_at = kPlaces[pick(random_, std::size(kPlaces))];
    scorer.stall_for = Millis{2'000 + pick(random_, 28'000)};
    if (happens(random_, 0.3))
      scorer.commit_faults.push_back(stream::CommitFault::kUnknownNotHappened);
    feed();
    drop();
  }

  // The leader is held up in the middle of an epoch, for so long that another one takes over.
  void hold_up_the_leader() {
    static const char* const kPlaces[] = {"acknowledged", "train", "temporary-written", "renamed",
                                          "commit"};
    for (Actor* trainer : world_.of(Actor::Kind::kTrainer)) {
      if (!happens(random_, 0.3)) continue;
      trainer->stall_at = kPlaces[pick(random_, std::size(kPlaces))];
      trainer->stall_for = Millis{20'000 + pick(random_, 40'000)};
    }
  }

  void plan_crash() {
    static const char* const kTrainer[] = {
        "listed",  "halted",  "acknowledged", "trained", "temporary-written",
        "renamed", "resumed", "moved"};
    static const char* const kScorer[] = {"polled",    "produced",     "scored",
                                          "committed", "model-loaded", "offsets-sent"};
    Actor& actor = any();
    if (actor.kind == Actor::Kind::kTrainer) actor.crash_at = kTrainer[pick(random_, 8)];
    if (actor.kind == Actor::Kind::kScorer)
      actor.crash_at = kScorer[pick(random_, std::size(kScorer))];
  }

  RunResult result() {
    RunResult result;
    result.problems = std::move(problems_);
    result.epochs = world_.control().epoch;
    result.models = registry::ModelRegistry(world_.store, kModels)
                        .versions()
                        .value_or(std::vector<std::uint64_t>{})
                        .size();
    result.answers = world_.broker.records(world_.topics.predictions).size();
    for (const auto kind : kRoles) {
      for (Actor* actor : world_.of(kind)) result.crashes += actor->crashes;
    }
    for (const Event& event : world_.journal) result.fences += event.kind == Event::Kind::kFenced;
    return result;
  }

  World world_;
  Random& random_;
  Invariants invariants_;
  const bool holds_up_leaders_;
  const bool asks_for_trainings_;
  Chaos chaos_;
  std::uint64_t places_ = 0;
  std::vector<std::string> problems_;
};

}  // namespace

RunResult random_run(std::uint64_t seed, Sabotage sabotage) {
  return RandomRun(seed, sabotage).run();
}

}  // namespace weir::simulation
