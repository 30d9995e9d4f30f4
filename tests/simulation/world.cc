#include "simulation/world.h"

#include <algorithm>
#include <cmath>
#include <cstdio>
#include <cstdlib>

#include "base/log.h"
#include "record/signing_keys_test.h"

namespace weir::simulation {
namespace {

constexpr Millis kTimeout{5'000};
constexpr int kDepthMax = 3;  // processes held up at once, one in the middle of another's call

bool may_try_again(Code code) {  // as cli/supervisor.cc has it
  switch (code) {
    case Code::kBadConfig:
    case Code::kPermissionDenied:
    case Code::kUnsupported:
    case Code::kInvalidArgument:
    case Code::kCorrupt:
    case Code::kCancelled: return false;
    default: return true;
  }
}

// WEIR_SIM_TRACE=1: every place that a process reaches, what takes effect and what the roles log
// goes to stderr.
bool traced() {
  static const bool wanted = std::getenv("WEIR_SIM_TRACE") != nullptr;
  return wanted;
}

// Loads in the middle of a step, once its time has come: on the one thread that there is.
class SimulatedLoader final : public score::ModelLoader {
 public:
  SimulatedLoader(World& world, Actor& actor) : world_(world), actor_(actor) {}

  void request(std::uint64_t version, const std::string& sha256) override {
    wanted_ = {version, sha256};
    const auto most = static_cast<std::uint64_t>(world_.options.loading_time_max.count());
    const bool takes_time = most > 0 && happens(world_.random, 0.5);
    const std::uint64_t milliseconds = takes_time ? pick(world_.random, most) : 0;
    const Millis by_chance{static_cast<std::int64_t>(milliseconds)};
    ready_at_ = world_.clock.steady() + actor_.loading_time.value_or(by_chance);
  }

  std::optional<Result<registry::LoadedModel>> take() override {
    if (!wanted_ || world_.clock.steady() < ready_at_) return std::nullopt;
    const auto [version, sha256] = *std::exchange(wanted_, std::nullopt);
    if (actor_.models_away) return fail(Code::kUnavailable, "the simulation wants it");
    return actor_.models.load(version, sha256);
  }

 private:
  World& world_;
  Actor& actor_;
  std::optional<std::pair<std::uint64_t, std::string>> wanted_;
  SteadyTime ready_at_{};
};

}  // namespace

// ---- an actor, as the wrappers see it ----

namespace {

// Tables so small that much is forgotten and asked for again.
cache::PredictionCacheOptions cache_options() {
  cache::PredictionCacheOptions options;
  options.memory_bytes_max = 100'000;
  options.secret = "of all the simulated processes' own";
  return options;
}

}  // namespace

Actor::Actor(World& world, Kind its_kind, std::string its_name)
    : kind(its_kind),
      name(std::move(its_name)),
      clock(world.clock),
      store(world.store, *this),
      models(store, kModels),
      predictions(cache_options(), clock,
                  std::make_unique<cache::LentEntries>(world.shared_predictions)),
      world_(world) {}

void Actor::at(std::string_view place) {
  if (!inside || world_.quiet) return;
  if (traced()) {
    std::fprintf(stderr, "%s %s: %.*s\n", format_time(world_.clock.wall()).c_str(), name.c_str(),
                 static_cast<int>(place.size()), place.data());
  }
  if (place == crash_at) {
    crash_at.clear();
    world_.kill(*this, place);
  }
  if (place == stall_at) {
    stall_at.clear();
    if (kind == Kind::kTrainer) world_.broker.expire_member(name);  // it beats its heart no more
    world_.run_others(stall_for);
  }
  if (world_.hook) world_.hook(*this, place);
  world_.upheaval(*this, place);
}

bool Actor::duplicates() {
  const double probability = world_.chaos.duplicate;
  return probability > 0 && happens(world_.mischief, probability);
}

bool Actor::log_lags() {
  if (lags_left > 0) return lags_left-- > 0;
  return happens(world_.random, world_.chaos.lag);
}

std::optional<stream::CommitFault> Actor::commit_fault() {
  if (!commit_faults.empty()) {
    const auto fault = commit_faults.front();
    commit_faults.erase(commit_faults.begin());
    return fault;
  }
  if (crash_at == "offsets-sent") return stream::CommitFault::kOffsetsSent;
  if (!happens(world_.random, world_.chaos.commit_fault)) return std::nullopt;
  return static_cast<stream::CommitFault>(pick(world_.random, 4));
}

std::optional<Error> Actor::store_fault() {
  if (world_.quiet || !happens(world_.random, world_.chaos.store_fault)) return std::nullopt;
  static constexpr Code kCodes[] = {Code::kUnavailable, Code::kTimeout, Code::kIo,
                                    Code::kExhausted};
  return Error(kCodes[pick(world_.random, std::size(kCodes))], "the simulation wants it");
}

bool Actor::store_fault_after_work() { return happens(world_.random, 0.5); }

void Actor::write(Event event) {
  if (traced()) {
    std::fprintf(stderr, "JOURNAL %s %s %s, %zu predictions, the first of epoch %d\n", name.c_str(),
                 event.who.c_str(), event.value.c_str(), event.predictions.size(),
                 event.predictions.empty() ? 0 : static_cast<int>(event.predictions[0].epoch));
  }
  world_.journal.push_back(std::move(event));
}

void Actor::has_read(const std::string& topic, const stream::LogEntry& entry) {
  if (topic != world_.topics.control) return;
  const auto record = world_.control_record(entry.value);
  if (record && record->type != record::ControlType::kResume) epoch_seen = record->epoch;
}

Sabotage Actor::sabotage() const {
  const Sabotage sabotage = world_.options.sabotage;
  // Of trainers it would be another fault.
  if (sabotage == Sabotage::kHearsOfHaltsLate && kind != Kind::kScorer) return Sabotage::kNone;
  return sabotage;
}

// ---- the world ----

World::World(WorldOptions its_options)
    : options(its_options), random(its_options.seed), mischief(~its_options.seed) {
  control_topic_ = topics.control;
  roles_control_topic_ = topics.control;
  trainers_control_topic_ = topics.control;
  if (options.signed_control) {
    if (options.sabotage != Sabotage::kBelievesEverybody) {
      roles_control_topic_ = record::readers_topic(topics.control);
    }
    control_topic_ = record::readers_topic(topics.control);
    trainers_control_topic_ = record::trainers_topic(topics.control);
  }
  log::configure({traced() ? log::Level::kDebug : log::Level::kOff, log::Shape::kText, false});
  const Status made = broker.ensure_topics({{topics.features, 3, false},
                                            {topics.predictions, 2, false},
                                            {topics.dead, 1, false},
                                            {topics.control, 1, true},
                                            {topics.members, 1, false},
                                            {topics.swaps, 1, true}},
                                           kTimeout);
  if (!made) problems.push_back(made.error().message());
  // A transaction of 10 s is ended at the coordinator's next look, up to 10 s later.
  broker.set_timeouts(Millis{10'000}, Millis{60'000}, Millis{20'000});
  const auto add = [&](Actor::Kind kind, const std::string& name) {
    actors_.push_back(std::make_unique<Actor>(*this, kind, name));
  };
  for (int i = 0; i < options.trainers; ++i)
    add(Actor::Kind::kTrainer, "trainer-" + std::to_string(i));
  if (options.produced > 0) add(Actor::Kind::kProducer, "producer-0");
  for (int i = 0; i < options.scorers; ++i)
    add(Actor::Kind::kScorer, "scorer-" + std::to_string(i));
  if (options.pushed > 0) {
    add(Actor::Kind::kGateway, "gateway-0");
    actors_.back()->pushed.wanted = options.pushed;
  }
  for (auto& actor : actors_) set_skew(*actor);
}

void World::set_skew(Actor& actor) {
  if (options.skew_max == Millis{0}) return;
  const auto most = static_cast<std::uint64_t>(options.skew_max.count());
  actor.clock.set_skew(Millis{static_cast<std::int64_t>(pick(mischief, 2 * most + 1))} -
                       options.skew_max);
}

World::~World() {
  quiet = true;
  for (auto& actor : actors_) actor->role.reset();
  log::configure({});
}

std::vector<Actor*> World::of(Actor::Kind kind) {
  std::vector<Actor*> found;
  for (auto& actor : actors_) {
    if (actor->kind == kind) found.push_back(actor.get());
  }
  return found;
}

void World::stop(Actor& actor) {
  actor.wanted = false;
  if (!actor.role || actor.inside) return;
  actor.inside = true;
  try {
    actor.role->finish();
    actor.role.reset();
  } catch (const SimulatedCrash&) {
    bury(actor);
  }
  actor.inside = false;
}

Actor* World::choose() {
  std::vector<Actor*> ready;
  for (auto& actor : actors_) {
    if (actor->wanted && !actor->inside && clock.steady() >= actor->not_before) {
      ready.push_back(actor.get());
    }
  }
  return ready.empty() ? nullptr : ready[pick(random, ready.size())];
}

void World::step() {
  clock.advance(Millis{1 + pick(random, 20)});
  if (Actor* actor = choose()) step(*actor);
}

void World::step(Actor& actor) {
  actor.inside = true;
  ++depth_;
  try {
    Status status;
    if (!actor.role) {
      auto opened = open(actor);
      if (opened) actor.role = std::move(*opened);
      else status = fail(std::move(opened.error()));
    }
    if (status) status = actor.role->step(Millis{20}, {});
    if (!status) give_up(actor, status.error());
  } catch (const SimulatedCrash&) {
    bury(actor);
  }
  --depth_;
  actor.inside = false;
}

void World::give_up(Actor& actor, const Error& error) {
  if (!may_try_again(error.code())) {
    problems.push_back(actor.name + " gave up for good: " + std::string(code_name(error.code())) +
                       ": " + error.message());
  }
  actor.last_life_fenced = error.code() == Code::kFenced;
  actor.role.reset();
  actor.not_before = clock.steady() + Millis{500};
}

void World::kill(Actor& actor, std::string_view place) {
  actor.process->crash();
  ++actor.crashes;
  throw SimulatedCrash{place};
}

void World::bury(Actor& actor) {
  quiet = true;
  actor.role.reset();
  quiet = false;
  actor.broker.reset();
  actor.process.reset();
  actor.not_before = clock.steady() + Millis{200 + pick(random, 3'000)};
}

void World::upheaval(Actor& actor, std::string_view place) {
  if (chaos.clock_jump > 0 && happens(mischief, chaos.clock_jump)) set_skew(actor);
  if (happens(random, chaos.crash)) kill(actor, place);
  if (!happens(random, chaos.stall)) return;
  // From some milliseconds to a minute and a half; the short ones are as frequent as the long.
  const double power = static_cast<double>(pick(random, 1000)) / 1000;
  run_others(Millis{static_cast<std::int64_t>(5 * std::pow(18'000, power))});
  if (happens(random, chaos.crash * 20)) kill(actor, place);
}

void World::run(Millis duration) {
  const SteadyTime end = clock.steady() + duration;
  while (clock.steady() < end) step();
}

void World::run_others(Millis duration, const std::function<bool()>& until) {
  const SteadyTime end = clock.steady() + duration;
  if (depth_ > kDepthMax) {
    clock.advance(duration);
    return;
  }
  while (clock.steady() < end && !(until && until())) step();
}

bool World::run_until(const std::function<bool()>& condition, Millis limit) {
  const SteadyTime end = clock.steady() + limit;
  while (!condition()) {
    if (clock.steady() >= end) return false;
    for (int i = 0; i < 5; ++i) step();
  }
  return true;
}

bool World::settled() {
  const record::ControlState state = control();
  for (const auto& name : files_in(kDatasets)) {
    if (name != "used" && name != "rejected") return false;
  }
  if (state.begun) return false;
  if (!state.gate_open()) return true;
  const auto committed = broker.committed(kGroup, topics.features);
  std::map<std::int32_t, std::int64_t> ends;
  for (const auto& record : broker.records(topics.features)) {
    ends[record.partition] = record.offset + 1;
  }
  for (const auto& [partition, end] : ends) {
    const auto at = committed.find(partition);
    if (at == committed.end() || at->second < end) return false;
  }
  std::uint64_t produced = 0;
  for (const Actor* producer : of(Actor::Kind::kProducer)) produced += producer->rows.produced;
  for (const Actor* gateway : of(Actor::Kind::kGateway)) {
    if (gateway->pushed.acknowledged.size() < options.pushed) return false;
  }
  return produced >= options.produced && broker.open_transactions() == 0;
}

bool World::settle(Millis limit) {
  chaos = {};
  broker.set_away_until({});
  for (auto& actor : actors_) {
    actor->commit_faults.clear();
    actor->crash_at.clear();
    actor->stall_at.clear();
    actor->lags_left = 0;
    actor->not_before = std::min(actor->not_before, clock.steady() + Millis{5'000});
  }
  if (!run_until([&] { return settled(); }, limit)) return false;
  run(Millis{8'000});  // and nothing more happens
  return settled();
}

// ---- roles ----

CrashPoints World::crash_points(Actor& actor) {
  return CrashPoints([this, &actor](std::string_view place) {
    if (place == "acknowledged")
      journal.push_back({Event::Kind::kConcluded, actor.name, "", {}, {}, {}, actor.epoch_seen});
    actor.at(place);
  });
}

Result<std::unique_ptr<Role>> World::open(Actor& actor) {
  if (!actor.process) {
    actor.process = broker.instance();
    actor.broker = std::make_unique<WatchedBroker>(broker, *actor.process, actor, topics);
  }
  ++actor.lives;
  if (actor.kind == Actor::Kind::kTrainer) return open_trainer(actor);
  if (actor.kind == Actor::Kind::kProducer) {
    produce::ProducerOptions own;
    own.features_topic = topics.features;
    own.control_topic = roles_control_topic_;
    own.members_topic = topics.members;
    own.member = actor.name;
    own.rate = 20;
    own.count = options.produced;
    own.seed = random();
    own.broker_timeout = kTimeout;
    return std::unique_ptr<Role>(WEIR_TRY(
        produce::Producer::open(own, *actor.broker, actor.models, actor.clock, actor.rows)));
  }
  if (actor.kind == Actor::Kind::kGateway) {
    return std::unique_ptr<Role>(
        WEIR_TRY(Gateway::open(*actor.broker, topics, actor.pushed, actor.clock, mischief())));
  }
  score::ScorerOptions own;
  own.pipeline = "sim";
  own.features_topic = topics.features;
  own.predictions_topic = topics.predictions;
  own.dead_topic = topics.dead;
  own.control_topic = roles_control_topic_;
  own.members_topic = topics.members;
  own.swaps_topic = topics.swaps;
  own.group = kGroup;
  own.member = actor.name;
  own.batch_records_max = 7;
  own.broker_timeout = kTimeout;
  own.commit_interval = options.commit_interval;
  own.old_model_max = kOldModelMax;
  own.cache = &actor.cache;
  return std::unique_ptr<Role>(WEIR_TRY(
      score::Scorer::open(own, *actor.broker, std::make_unique<SimulatedLoader>(*this, actor),
                          actor.clock, crash_points(actor), actor.counters)));
}

Result<std::unique_ptr<Role>> World::open_trainer(Actor& actor) {
  train::TrainerOptions own;
  own.control_topic = trainers_control_topic_;
  own.members_topic = topics.members;
  own.predictions_topic = topics.predictions;
  own.dead_topic = topics.dead;
  own.group = "sim.trainers";
  own.name = actor.name;
  own.transactional_id = "sim.trainer";
  if (options.sabotage == Sabotage::kDoesNotDepose) own.transactional_id += "." + actor.name;
  own.halt_while_training = options.halt_while_training;
  own.halt_timeout = Millis{3'000};
  own.watch_interval = Millis{500};
  own.schedule = Schedule::parse(options.schedule).value();
  own.min_interval = options.min_interval;
  own.copy_from = {"/warehouse"};
  own.broker_timeout = kTimeout;
  own.program_version = "simulation";
  own.training.target = "y";
  return std::unique_ptr<Role>(WEIR_TRY(train::Trainer::open(
      own, *actor.broker, actor.store, kDatasets, kModels,
      [this, &actor](const registry::Dataset& dataset, const train::ProgressFunction& progress) {
        return train(actor, dataset, progress);
      },
      actor.clock, crash_points(actor))));
}

// ---- what comes from outside ----

const Drop* World::drop(const std::string& name, const std::string& bytes, bool good) {
  const std::string path = std::string(kDatasets) + "/" + name;
  if (in_drop_folder(name)) return nullptr;
  store.put(path, bytes);
  auto made = std::make_unique<Drop>();
  made->path = path;
  made->id = store.status(path)->file_id;
  made->good = good;
  made->files[made->id] = bytes;
  drops.push_back(std::move(made));
  return drops.back().get();
}

const Drop* World::drop(const std::string& name, DatasetKind kind) {
  return drop(name, make_dataset(random, kind), is_good(kind));
}

const Drop* World::drop_folder(const std::string& name, DatasetKind kind) {
  const std::string path = std::string(kDatasets) + "/" + name;
  if (in_drop_folder(name)) return nullptr;
  auto made = std::make_unique<Drop>();
  made->path = path;
  made->good = is_good(kind);
  for (const char* part : {"/part-0.csv", "/part-1.csv", "/_SUCCESS"}) {
    const std::string bytes = part[1] == '_' ? "" : make_dataset(random, kind);
    store.put(path + part, bytes);
    made->files[store.status(path + part)->file_id] = bytes;
  }
  made->id = store.status(path)->file_id;
  drops.push_back(std::move(made));
  return drops.back().get();
}

void World::feed(FeatureKind kind) {
  std::optional<std::string> key;
  if (happens(random, 0.7)) key = "k" + std::to_string(pick(random, 50));
  broker.produce(topics.features, key, make_features(random, kind));
}

void World::forge_control(const std::string& value) {
  ++forged_control_records;
  broker.produce(topics.control, std::nullopt, value);
}

void World::ask_rollback(std::uint64_t version, std::uint64_t epoch) {
  record::MemberRecord ask;
  ask.type = record::MemberType::kAskRollback;
  ask.member = "ann";
  ask.version = version;
  ask.epoch = epoch;
  broker.produce(topics.members, std::nullopt, ask.to_json());
}

void World::ask_train(const std::string& dataset, std::uint64_t epoch) {
  record::MemberRecord ask;
  ask.type = record::MemberType::kAskTrain;
  ask.member = "ann";
  ask.dataset = dataset;
  ask.epoch = epoch;
  ask.within_ms = 60'000;
  ask.request = "ann:" + std::to_string(++trainings_asked_for);
  broker.produce(topics.members, std::nullopt, ask.to_json());
}

// ---- what a test looks at ----

const std::optional<record::ControlRecord>& World::control_record(const std::string& value) const {
  const auto [known, is_new] = control_records_.try_emplace(value);
  if (is_new) {
    auto record = control_topic_.read(value);
    if (record) known->second = std::move(*record);
  }
  return known->second;
}

record::ControlState World::control() const {
  record::ControlState state;
  for (const auto& entry : broker.records(topics.control)) {
    const auto& record = control_record(entry.value);
    if (record) static_cast<void>(state.apply(*record));
  }
  return state;
}

std::vector<std::string> World::files_in(const std::string& folder) {
  std::vector<std::string> names;
  const auto entries = store.list(folder);
  if (!entries) return names;
  for (const auto& entry : *entries) names.push_back(entry.name);
  return names;
}

bool World::in_drop_folder(const std::string& name) {
  return store.status(std::string(kDatasets) + "/" + name).has_value();
}

std::uint64_t World::models_trained_on(const Drop& drop) {
  registry::ModelRegistry models(store, kModels);
  std::uint64_t count = 0;
  const auto versions = models.versions();
  if (!versions) return 0;
  for (const std::uint64_t version : *versions) {
    const auto manifest = models.manifest(version);
    if (manifest && manifest->dataset.file_id == drop.id) ++count;
  }
  return count;
}

}  // namespace weir::simulation
