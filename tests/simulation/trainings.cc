// How a trainer of the simulation comes to a model: by itself, or by a cluster that reads the
// splits one by one, with all that may happen in between.
#include "simulation/world.h"
#include "train/engine_training.h"
#include "train/plan_json.h"
#include "train/split_merge.h"
#include "train/split_state_file.h"

namespace weir::simulation {
namespace {

constexpr std::uint64_t kBadRowsMax = 2;
constexpr std::uint64_t kSplitBytes = 150;  // so that there are several

class SimulatedCluster final : public train::SplitEngine {
 public:
  SimulatedCluster(World& world, Actor& actor) : world_(world), actor_(actor) {}

  Result<std::string> read_splits(const std::vector<std::string>& lines,
                                  const train::SplitProgress& progress) override {
    const auto count = static_cast<std::int64_t>(lines.size());
    std::vector<train::SplitState> states;
    for (const std::string& line : lines) {
      WEIR_TRY(progress(static_cast<double>(states.size()) / static_cast<double>(count)));
      world_.run_others(world_.options.training_time / count);
      actor_.at("task");
      if (auto fault = actor_.store_fault()) {
        return fail(Code::kUnavailable, "a task failed: " + fault->message());
      }
      const auto split = WEIR_TRY(train::parse_split_line(line));
      auto state = train::read_split(world_.store, split);
      if (!state) return fail(Code::kUnavailable, "a task failed: " + state.error().message());
      states.push_back(std::move(*state));
    }
    WEIR_TRY(progress(1));
    std::string bytes;
    for (const auto& state :
         WEIR_TRY(train::merge_states(std::move(states), train::Duplicates::kRefuse))) {
      bytes += WEIR_TRY(train::state_file(state));
    }
    return bytes;
  }

 private:
  World& world_;
  Actor& actor_;
};

}  // namespace

Result<train::TrainedModel> World::train(Actor& actor, const registry::Dataset& dataset,
                                         const train::ProgressFunction& progress) {
  train::TrainingOptions own;
  own.target = "y";
  own.bad_rows_max = kBadRowsMax;
  own.threads = 1;
  if (options.on_cluster) {
    SimulatedCluster cluster(*this, actor);
    own.split_bytes = kSplitBytes;
    return train::train_on_engine(store, "memory:///", dataset, own, cluster, progress);
  }
  for (int i = 0; i < 3; ++i) {
    WEIR_TRY(progress({}));
    run_others(options.training_time / 3);
  }
  actor.at("train");
  WEIR_TRY(progress({}));
  if (auto fault = actor.store_fault()) return fail(std::move(*fault));
  // Its threads cannot be unwound by a SimulatedCrash: it reads the store itself, without the
  // chaos.
  return train::train_on_dataset(store, dataset, own,
                                 [](const train::TrainingProgress&) { return Status{}; });
}

}  // namespace weir::simulation
