#include "train/engine_training.h"

#include <utility>
#include <vector>

#include "train/column_plan.h"
#include "train/plan_json.h"
#include "train/profile_state.h"
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
        progress_(progress),
        what_("training on " + store.url(dataset.identity.path)) {}

  Result<TrainedModel> run() {
    WEIR_TRY(tell(0));
    const AllRows all_rows = [this] { return profile(); };
    const ColumnPlan columns =
        WEIR_TRY(during(plan_dataset(store_, dataset_, options_, all_rows), what_));
    SplitState state = WEIR_TRY(state_with(columns));
    if (met_texts(state)) {
      // What looked like numbers at first may be something else further down.
      auto second = plan_from_all_rows(options_, all_rows);
      if (!second && second.error().code() != Code::kBadData) {
        return fail(Error(second.error()).while_doing(what_));
      }
      if (second && !second->same_as(columns)) state = WEIR_TRY(state_with(*second));
    }
    return fit_state(std::move(state), url_prefix(), [this] { return tell(1); });
  }

 private:
  Result<SplitState> state_with(const ColumnPlan& columns) {
    return during(read(WEIR_TRY(plan_model(store_, address_, dataset_, options_, columns))), what_);
  }

  Result<format::DatasetProfile> profile() {
    auto state = WEIR_TRY(read(WEIR_TRY(plan_profile(store_, address_, dataset_, options_))));
    return profile_of(std::move(state), url_prefix());
  }

  Result<SplitState> read(const std::vector<PlannedSplit>& splits) {
    const Plan& plan = *splits.front().plan;
    std::vector<std::string> lines;
    for (const PlannedSplit& split : splits) lines.push_back(WEIR_TRY(split_line(split)));
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
  const std::string what_;
};

}  // namespace

Result<TrainedModel> train_on_engine(store::FileStore& store, const std::string& address,
                                     const registry::Dataset& dataset,
                                     const TrainingOptions& options, SplitEngine& engine,
                                     const ProgressFunction& progress) {
  return EngineTraining(store, address, dataset, options, engine, progress).run();
}

}  // namespace weir::train
