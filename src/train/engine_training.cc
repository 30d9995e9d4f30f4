#include "train/engine_training.h"

#include <utility>
#include <vector>

#include "train/plan_json.h"
#include "train/split_merge.h"
#include "train/split_state_file.h"

namespace weir::train {
namespace {

const std::string kNoWhole = "what the engine gave is no whole state: ";

class EngineTraining {
 public:
  EngineTraining(store::FileStore& store, const std::string& address,
                 const registry::Dataset& dataset, const TrainingOptions& options,
                 SplitEngine& engine, const ProgressFunction& progress)
      : store_(store),
        address_(address),
        dataset_(dataset),
        options_(options),
        engine_(engine),
        progress_(progress) {}

  Result<TrainedModel> run() {
    SplitState state = WEIR_TRY(state_of(PlanFrom::kFirstRows));
    if (met_texts(state)) {
      auto second = state_of(PlanFrom::kAllRows, &state.plan->columns);
      if (second) {
        state = std::move(*second);
      } else if (second.error().code() != Code::kBadData &&
                 second.error().code() != Code::kAlreadyExists) {
        return fail(std::move(second.error()));
      }
    }
    return fit_state(std::move(state), url_prefix(), [this] { return tell(1); });
  }

 private:
  // `but`: kAlreadyExists where the plan comes out as this one, and nothing new would be found.
  Result<SplitState> state_of(PlanFrom from, const ColumnPlan* but = nullptr) {
    const std::vector<PlannedSplit> splits = WEIR_TRY(
        plan_splits(store_, address_, dataset_, options_, from, [this] { return tell(0); }));
    const Plan& plan = *splits.front().plan;
    if (but != nullptr && plan.columns.same_as(*but)) {
      return fail(Code::kAlreadyExists, "a look at all rows finds the same columns");
    }
    std::vector<std::string> lines;
    for (const PlannedSplit& split : splits) lines.push_back(WEIR_TRY(split_line(split)));
    return during(whole_state_of(lines, plan), "training on " + store_.url(plan.dataset));
  }

  Result<SplitState> whole_state_of(const std::vector<std::string>& lines, const Plan& plan) {
    const std::string bytes =
        WEIR_TRY(engine_.read_splits(lines, [this](double done) { return tell(done); }));
    auto state = put_together(bytes, plan);
    // What is wrong with it is no fault of the data set's, and may be right the next time.
    if (!state) return fail(Code::kUnavailable, kNoWhole + state.error().message());
    return state;
  }

  static Result<SplitState> put_together(std::string_view bytes, const Plan& plan) {
    std::vector<SplitState> states;
    while (!bytes.empty()) {
      states.push_back(WEIR_TRY(take_state(bytes)));
      if (const std::string differs = difference(plan, *states.back().plan); !differs.empty()) {
        return fail(Code::kCorrupt, "a state is of another plan: " + differs);
      }
    }
    return whole_state(WEIR_TRY(merge_states(std::move(states), Duplicates::kRefuse)));
  }

  Status tell(double done) {
    const auto total = static_cast<double>(dataset_.identity.length);
    return progress_({static_cast<std::uint64_t>(done * total), dataset_.identity.length});
  }

  // What stands before a path where a person is told of it.
  std::string url_prefix() const {
    const std::string url = store_.url(dataset_.identity.path);
    return url.substr(0, url.size() - dataset_.identity.path.size());
  }

  store::FileStore& store_;
  const std::string address_;
  const registry::Dataset& dataset_;
  const TrainingOptions& options_;
  SplitEngine& engine_;
  const ProgressFunction& progress_;
};

}  // namespace

Result<TrainedModel> train_on_engine(store::FileStore& store, const std::string& address,
                                     const registry::Dataset& dataset,
                                     const TrainingOptions& options, SplitEngine& engine,
                                     const ProgressFunction& progress) {
  return EngineTraining(store, address, dataset, options, engine, progress).run();
}

}  // namespace weir::train
