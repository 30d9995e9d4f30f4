// The roles as a supervisor takes them, made from a context.
//
// Owner: a command; the context and the counters outlive the specs.
#pragma once

#include <atomic>
#include <deque>
#include <memory>
#include <optional>
#include <vector>

#include "cli/context.h"
#include "cli/ending.h"
#include "cli/prediction_cache.h"
#include "cli/supervisor.h"
#include "produce/producer.h"
#include "registry/model_registry.h"
#include "score/scorer.h"
#include "train/dataset_import.h"

namespace weir::cli {

// What the roles of this process have done so far, over all their lives.
struct RunCounters {
  produce::ProducerCounters producer;
  std::deque<score::ScorerCounters> scorers;  // of each thread; none moves when one is added
  std::atomic<std::uint64_t> trained{0};
  std::atomic<std::uint64_t> refused{0};

  // Of all threads together. From any thread, once the roles are made.
  std::uint64_t scored() const;
  std::uint64_t dead() const;
  std::uint64_t transactions() const;
};

// What all roles of one process share: opened once, first contact with the servers made.
struct Roles {
  Context& context;
  store::FileStore& store;
  stream::Broker& broker;
  trace::Tracer* tracer;  // null: traces are not exported
  registry::ModelRegistry models;
  RunCounters counters;
  bool shows_progress = false;  // of trainings, on a terminal
  // Made when the first of those that predict asks; null after that where there is to be none.
  std::optional<std::unique_ptr<cache::PredictionCache>> cache{};
  std::vector<std::unique_ptr<cache::CacheAccess>> scorer_caches{};

  // `uses`: what the roles that are going to be made do with the topics.
  static Result<std::unique_ptr<Roles>> make(Context& context, const TopicUses& uses);

  // One for all roles of this process; null where the settings want none.
  Result<cache::PredictionCache*> prediction_cache();
  Result<train::TrainOnRows> training_on_rows();
  RoleSpec trainer();
  Result<RoleSpec> producer();
  Result<std::vector<RoleSpec>> scorers();  // score.threads of them, each a member of the group
  Result<RoleSpec> watcher();
};

// Drives them to their end, which no server holds up: see ending.h. `conclude` is for an end that
// leaves a role behind; an error that ended them all is told after it, and gives the exit code.
Status run_roles(Context& context, std::vector<RoleSpec> specs, const std::stop_source& stop,
                 Ending& ending, const Conclude& conclude);

}  // namespace weir::cli
