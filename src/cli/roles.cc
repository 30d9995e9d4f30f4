#include "cli/roles.h"

#include "base/pulse.h"
#include "cli/progress_line.h"
#include "cli/spark_engine.h"
#include "cli/split_source.h"
#include "train/dataset_import.h"
#include "train/engine_training.h"
#include "watch/watcher.h"

namespace weir::cli {
namespace {

std::uint64_t sum_of(const std::deque<score::ScorerCounters>& scorers,
                     std::atomic<std::uint64_t> score::ScorerCounters::*figure) {
  std::uint64_t sum = 0;
  for (const score::ScorerCounters& one : scorers) sum += (one.*figure).load();
  return sum;
}

}  // namespace

std::uint64_t RunCounters::scored() const {
  return sum_of(scorers, &score::ScorerCounters::scored);
}
std::uint64_t RunCounters::dead() const { return sum_of(scorers, &score::ScorerCounters::dead); }
std::uint64_t RunCounters::transactions() const {
  return sum_of(scorers, &score::ScorerCounters::transactions);
}

Result<std::unique_ptr<Roles>> Roles::make(Context& context, const TopicUses& uses) {
  store::FileStore* store = WEIR_TRY(context.store());
  stream::Broker* broker = WEIR_TRY(context.broker());
  trace::Tracer* tracer = WEIR_TRY(context.tracer());
  WEIR_TRY(context.ensure_topics(uses));
  const std::string& path = context.settings().dataset.path;
  WEIR_TRY(during(store->make_directories(path), "reaching the store at " + store->url(path)));
  return std::unique_ptr<Roles>(
      new Roles{context,
                *store,
                *broker,
                tracer,
                registry::ModelRegistry(*store, context.settings().model.path),
                {},
                false});
}

Result<cache::PredictionCache*> Roles::prediction_cache() {
  if (!cache) cache = WEIR_TRY(open_prediction_cache(context.settings(), context.clock()));
  return cache->get();
}

// As model.engine says: here, or elsewhere.
Result<train::TrainOnRows> Roles::training_on_rows() {
  const train::TrainingOptions options = context.training_options();
  if (context.settings().model.engine == config::Engine::kLocal) {
    return
        [this, options](const registry::Dataset& dataset, const train::ProgressFunction& progress) {
          return train::train_on_dataset(store, dataset, options, progress);
        };
  }
  std::shared_ptr<train::SplitEngine> spark =
      WEIR_TRY(SparkEngine::make(context.settings(), config::process_environment()));
  return [this, options, spark](const registry::Dataset& dataset,
                                const train::ProgressFunction& progress) {
    return train::train_on_engine(store, address_of(store), dataset, options, *spark, progress);
  };
}

RoleSpec Roles::trainer() {
  RoleSpec spec;
  spec.name = "trainer";
  spec.open = [this]() -> Result<std::unique_ptr<Role>> {
    auto train = [this, options = context.training_options(),
                  on_rows = WEIR_TRY(training_on_rows())](const registry::Dataset& dataset,
                                                          const train::ProgressFunction& progress) {
      const LongWork training;
      ProgressLine line(context.clock(), shows_progress);
      const std::string name = store::base_name(dataset.identity.path);
      const auto beat_and_tell = [&](const train::TrainingProgress& now) {
        Pulse::beat_own();
        line.show_training(name, now);
        return progress(now);
      };
      return train::make_model(store, dataset, options, on_rows, beat_and_tell);
    };
    train::TrainerOptions trainer = context.trainer_options();
    trainer.tracer = tracer;
    return std::unique_ptr<Role>(WEIR_TRY(train::Trainer::open(
        trainer, broker, store, context.settings().dataset.path, context.settings().model.path,
        train, context.clock(), CrashPoints::kill_at_env())));
  };
  // Not an end, but the place where this role's figures are taken over.
  spec.done = [this, trained = std::uint64_t{0}, refused = std::uint64_t{0}](Role& role) mutable {
    const train::TrainerCounts& now = static_cast<train::Trainer&>(role).counts();
    const std::uint64_t refused_now = now.refused + now.failed;
    // A role made anew counts from 0.
    if (now.trained < trained || refused_now < refused) trained = refused = 0;
    counters.trained += now.trained - trained;
    counters.refused += refused_now - refused;
    trained = now.trained;
    refused = refused_now;
    return false;
  };
  return spec;
}

Result<RoleSpec> Roles::producer() {
  const config::Settings& own = context.settings();
  produce::ProducerOptions options;
  options.features_topic = own.topics.features;
  options.control_topic = context.control_topic();
  options.members_topic = own.topics.members;
  options.member = WEIR_TRY(context.claim_member_name("producer"));
  options.rate = own.produce.rate;
  options.count = static_cast<std::uint64_t>(own.produce.count);
  options.seed = static_cast<std::uint64_t>(context.clock().wall().time_since_epoch().count());
  RoleSpec spec;
  spec.name = "producer";
  spec.open = [this, options]() -> Result<std::unique_ptr<Role>> {
    return std::unique_ptr<Role>(WEIR_TRY(
        produce::Producer::open(options, broker, models, context.clock(), counters.producer)));
  };
  spec.done = [](Role& role) { return static_cast<produce::Producer&>(role).done(); };
  return spec;
}

Result<std::vector<RoleSpec>> Roles::scorers() {
  const config::Settings& own = context.settings();
  score::ScorerOptions options;
  options.pipeline = own.pipeline;
  options.features_topic = own.topics.features;
  options.predictions_topic = own.topics.predictions;
  options.dead_topic = own.topics.dead;
  options.control_topic = context.control_topic();
  options.members_topic = own.topics.members;
  options.swaps_topic = own.topics.swaps;
  options.group = own.score.group;
  options.commit_interval = own.score.commit_interval;
  options.old_model_max = own.score.old_model_max;
  options.batch_records_max = static_cast<std::size_t>(own.score.batch_records_max);
  options.tracer = tracer;
  cache::PredictionCache* const predictions = WEIR_TRY(prediction_cache());
  std::vector<RoleSpec> specs;
  for (int thread = 1; thread <= own.score.threads; ++thread) {
    options.member = WEIR_TRY(context.claim_scorer_name(thread));
    if (predictions) {
      scorer_caches.push_back(std::make_unique<cache::CacheAccess>(*predictions));
      options.cache = scorer_caches.back().get();
    }
    score::ScorerCounters& own_counters = counters.scorers.emplace_back();
    RoleSpec spec;
    spec.name = thread == 1 ? "scorer" : "scorer " + std::to_string(thread);
    spec.open = [this, options, &own_counters]() -> Result<std::unique_ptr<Role>> {
      return std::unique_ptr<Role>(WEIR_TRY(score::Scorer::open(
          options, broker, std::make_unique<score::BackgroundModelLoader>(models), context.clock(),
          CrashPoints::kill_at_env(), own_counters)));
    };
    specs.push_back(std::move(spec));
  }
  return specs;
}

Result<RoleSpec> Roles::watcher() {
  const config::Settings& own = context.settings();
  watch::WatcherOptions options;
  options.control_topic = context.control_topic();
  options.features_topic = own.topics.features;
  options.predictions_topic = own.topics.predictions;
  options.actuals_topic = own.topics.actuals;
  options.members_topic = own.topics.members;
  options.member = WEIR_TRY(context.claim_member_name("watcher"));
  options.psi_max = own.watch.psi_max;
  options.rmse_max = own.watch.rmse_max;
  options.clear_fraction = own.watch.clear_fraction;
  options.lasting = own.watch.lasting;
  options.rows_min = static_cast<std::uint64_t>(own.watch.rows_min);
  options.window = static_cast<std::uint64_t>(own.watch.window_rows);
  options.actuals_min = static_cast<std::uint64_t>(own.watch.actuals_min);
  options.accuracy = {static_cast<std::size_t>(own.watch.waiting_max), own.watch.waiting_time_max,
                      static_cast<std::size_t>(own.watch.actuals_window)};
  options.retrain_dataset = own.watch.retrain_dataset;
  options.retrain_interval = own.watch.retrain_interval;
  RoleSpec spec;
  spec.name = "watcher";
  spec.open = [this, options]() -> Result<std::unique_ptr<Role>> {
    return std::unique_ptr<Role>(
        WEIR_TRY(watch::Watcher::open(options, broker, models, context.clock())));
  };
  return spec;
}

Status run_roles(Context& context, std::vector<RoleSpec> specs, const std::stop_source& stop,
                 Ending& ending, const Conclude& conclude) {
  SupervisorOptions options;
  options.on_stuck = [&conclude] {
    leave_now([&](bool may_print) {
      conclude(may_print);
      return kExitStuck;
    });
  };
  Supervisor supervisor(context.clock(), std::move(options));
  ending.begin([&](bool may_print) {
    const int code = conclude(may_print);
    const Status error = supervisor.first_error();
    return error ? code : report(error.error());
  });
  Status ended = supervisor.run(std::move(specs), stop);
  ending.ended();
  return ended;
}

}  // namespace weir::cli
