// A whole pipeline on one thread: trainers, a producer and scorers on an in-memory cluster and
// store, stepped in an order that follows from a seed, on a clock that moves only here.
//
// A process may be held up (the others go on in the middle of its call) or die at every call that
// it makes to the outside; then it is started anew, as a supervisor would. The chaos that does it
// is off until a test turns it on; directed tests hook in at a named place instead.
//
// Owner: a test. Threads: one. Errors: problems() tells what went wrong beside the promises: a role
// that gave up for good.
#pragma once

#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include "base/simulated_clock.h"
#include "base/skewed_clock.h"
#include "cache/fakes_test.h"
#include "cache/prediction_cache.h"
#include "produce/producer.h"
#include "record/control_topic.h"
#include "score/scorer.h"
#include "simulation/data_sets.h"
#include "simulation/gateway.h"
#include "simulation/journal.h"
#include "simulation/watched_broker.h"
#include "store/memory_file_store.h"
#include "stream/memory_broker.h"
#include "train/trainer.h"

namespace weir::simulation {

inline constexpr const char* kDatasets = "/dataset";
inline constexpr const char* kModels = "/MLmodel";
inline constexpr const char* kGroup = "sim.scorers";
inline constexpr Millis kOldModelMax{3'000};

struct Chaos {  // probabilities for one call to the outside
  double stall = 0;
  double crash = 0;
  double commit_fault = 0;
  double store_fault = 0;
  double lag = 0;
  double duplicate = 0;   // of a record that is published
  double clock_jump = 0;  // of a host's wall clock
};

struct WorldOptions {
  std::uint64_t seed = 1;
  bool halt_while_training = true;
  int trainers = 1;
  int scorers = 2;
  std::uint64_t produced = 60;  // rows, by the producer; 0: there is none
  bool signed_control = false;  // control records count only with the trainers' signature
  std::uint64_t pushed = 0;     // messages, by a gateway; 0: there is none
  Millis skew_max{0};           // by which a host's wall clock may be wrong
  Sabotage sabotage = Sabotage::kNone;
  Millis training_time{300};       // about
  bool on_cluster = false;         // trainings have their splits read by an engine
  Millis commit_interval{100};     // of the scorers
  Millis loading_time_max{4'000};  // of a model, by a scorer; half of them take no time
  std::vector<std::string> schedule = {"arrival"};  // of the trainers
  Millis min_interval{0};
};

class World;

// One process: a role, what it needs, and its fate.
class Actor final : public Watcher {
 public:
  enum class Kind { kTrainer, kProducer, kScorer, kGateway };
  Actor(World& world, Kind kind, std::string name);

  void at(std::string_view place) override;
  bool duplicates() override;
  bool log_lags() override;
  std::optional<stream::CommitFault> commit_fault() override;
  std::optional<Error> store_fault() override;
  bool store_fault_after_work() override;
  void write(Event event) override;
  void has_read(const std::string& topic, const stream::LogEntry& entry) override;
  Sabotage sabotage() const override;

  const Kind kind;
  const std::string name;
  bool wanted = true;       // is to run
  bool inside = false;      // a call of it is on the stack: it is being stepped, or held up
  SteadyTime not_before{};  // paused, or waiting for its next life
  std::string crash_at;     // dies once when it reaches this crash point, or calls from this place
  std::string stall_at;     // is held up once there, for so long
  Millis stall_for{0};
  std::optional<Millis> loading_time;  // of a model, for a scorer; else by chance
  bool models_away = false;            // no model can be loaded
  int lags_left = 0;                   // so many polls of a log find nothing
  std::uint64_t epoch_seen = 0;        // the last that it read the begin of
  int crashes = 0;
  int lives = 0;
  bool last_life_fenced = false;
  std::vector<stream::CommitFault> commit_faults;  // of its next commits

  SkewedClock clock;
  std::unique_ptr<stream::MemoryInstance> process;
  std::unique_ptr<WatchedBroker> broker;
  WatchedStore store;
  registry::ModelRegistry models;
  std::unique_ptr<Role> role;
  score::ScorerCounters counters;
  // Over its lives, and more than a process keeps of its cache: of old models, too.
  cache::PredictionCache predictions;
  cache::CacheAccess cache{predictions};
  produce::ProducerCounters rows;
  GatewayLedger pushed;

 private:
  friend class World;
  World& world_;
};

// A data set as it was dropped.
struct Drop {
  std::string path;
  std::string id;  // the store's, of the file or the folder
  bool good = false;
  std::map<std::string, std::string> files;  // id -> bytes
};

class World {
 public:
  explicit World(WorldOptions options);
  ~World();

  // ---- the pieces ----
  Actor& trainer(std::size_t i = 0) { return *of(Actor::Kind::kTrainer)[i]; }
  Actor& scorer(std::size_t i = 0) { return *of(Actor::Kind::kScorer)[i]; }
  std::vector<Actor*> of(Actor::Kind kind);
  void start(Actor& actor) { actor.wanted = true; }
  void stop(Actor& actor);  // a clean end

  // ---- the world goes on ----
  void step();  // of one process that is ready
  void run(Millis duration);
  // Runs until the condition holds; false where it did not within `limit`.
  bool run_until(const std::function<bool()>& condition, Millis limit = Millis{120'000});
  // The others go on for a while, or until the condition holds: to be called from `hook`.
  void run_others(Millis duration, const std::function<bool()>& until = {});
  // Everything is done that there is to do.
  bool settled();
  // Ends all faults (not the hook) and runs until it is settled.
  bool settle(Millis limit = Millis{600'000});

  // ---- what comes from outside ----
  // nullptr where the name is taken just now.
  const Drop* drop(const std::string& name, const std::string& bytes, bool good);
  const Drop* drop(const std::string& name, DatasetKind kind);
  const Drop* drop_folder(const std::string& name, DatasetKind kind);
  void feed(FeatureKind kind);
  void ask_rollback(std::uint64_t version, std::uint64_t epoch);
  void ask_train(const std::string& dataset, std::uint64_t epoch);
  // A record of another hand than the trainer's in the control log.
  void forge_control(const std::string& value);
  // As one knows it who may check what the trainers have signed.
  const record::ControlTopic& control_topic() const { return control_topic_; }

  // ---- what a test looks at ----
  record::ControlState control() const;
  // Nothing where the record is none, or none that counts. Remembered, as signatures take their
  // time.
  const std::optional<record::ControlRecord>& control_record(const std::string& value) const;
  std::vector<std::string> files_in(const std::string& folder);  // names
  bool in_drop_folder(const std::string& name);
  std::uint64_t models_trained_on(const Drop& drop);
  std::uint64_t forged_control_records = 0;
  std::uint64_t trainings_asked_for = 0;
  std::vector<std::string> problems;  // found on the way

  WorldOptions options;
  Random random;
  Random mischief;  // of clocks and duplicates, so that runs without them stay as they were
  Chaos chaos;
  TopicNames topics;
  SimulatedClock clock;
  cache::FakeEntries shared_predictions;  // of all scorers
  stream::MemoryBroker broker{clock};
  store::MemoryFileStore store{clock};
  Journal journal;
  std::vector<std::unique_ptr<Drop>> drops;
  // Called at each place that an actor reaches, before the chaos.
  std::function<void(Actor&, std::string_view place)> hook;
  bool quiet = false;  // no hook, no chaos: in the middle of what cannot be interrupted

 private:
  friend class Actor;
  Actor* choose();
  void step(Actor& actor);
  Result<std::unique_ptr<Role>> open(Actor& actor);
  Result<std::unique_ptr<Role>> open_trainer(Actor& actor);
  Result<train::TrainedModel> train(Actor& actor, const registry::Dataset& dataset,
                                    const train::ProgressFunction& progress);
  CrashPoints crash_points(Actor& actor);
  void give_up(Actor& actor, const Error& error);
  void bury(Actor& actor);
  [[noreturn]] void kill(Actor& actor, std::string_view place);
  void upheaval(Actor& actor, std::string_view place);
  void set_skew(Actor& actor);

  record::ControlTopic control_topic_;
  mutable std::map<std::string, std::optional<record::ControlRecord>> control_records_;
  record::ControlTopic roles_control_topic_;  // of producers and scorers
  record::ControlTopic trainers_control_topic_;
  std::vector<std::unique_ptr<Actor>> actors_;
  int depth_ = 0;
};

}  // namespace weir::simulation
