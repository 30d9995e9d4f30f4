// The three roles as a supervisor takes them, made from a context.
//
// Owner: a command; the context and the counters outlive the specs.
#pragma once

#include <atomic>
#include <memory>

#include "cli/context.h"
#include "cli/supervisor.h"
#include "registry/model_registry.h"
#include "score/scorer.h"

namespace weir::cli {

// What the roles of this process have done so far, over all their lives.
struct RunCounters {
  std::atomic<std::uint64_t> produced{0};
  score::ScorerCounters scorer;
  std::atomic<std::uint64_t> trained{0};
  std::atomic<std::uint64_t> refused{0};
};

// What all roles of one process share: opened once, first contact with the servers made.
struct Roles {
  Context& context;
  store::FileStore& store;
  stream::Broker& broker;
  registry::ModelRegistry models;
  RunCounters counters;

  static Result<std::unique_ptr<Roles>> make(Context& context);

  RoleSpec trainer();
  Result<RoleSpec> producer();
  Result<RoleSpec> scorer();
};

}  // namespace weir::cli
