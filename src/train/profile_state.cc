#include "train/profile_state.h"

#include <utility>

#include "base/check.h"
#include "train/column_plan.h"
#include "train/plan_json.h"

namespace weir::train {
namespace {

Error no_profile() {
  return {Code::kBadData, "the states are of a model, which 'weir fit' makes of them"};
}

}  // namespace

Result<format::DatasetProfile> profile_of(SplitState state, const std::string& part_url_prefix) {
  const Plan& plan = *state.plan;
  if (plan.makes != PlanFor::kProfile) return fail(no_profile());
  if (state.first != 0 || state.count != plan.splits) {
    return fail(Code::kInvalidArgument, "the profile is of some splits alone");
  }
  Alternative& right = state.alternatives.front();
  WEIR_CHECK(!right.begins_inside);
  if (right.fault) {
    return fail(
        Error(Code::kBadData, right.fault->text())
            .while_doing(std::string(kLookingThrough) + part_url_prefix + right.fault->part_path));
  }
  format::DatasetProfile profile = std::move(*right.profile).whole();
  if (profile.rows() == 0) return fail(no_rows());
  return profile;
}

Result<std::vector<PlannedSplit>> plan_by_profile(store::FileStore& store,
                                                  const std::string& address,
                                                  const registry::Dataset& dataset,
                                                  const TrainingOptions& options,
                                                  SplitState profile) {
  if (profile.plan->makes != PlanFor::kProfile) return fail(no_profile());
  const auto wanted = WEIR_TRY(plan_profile(store, address, dataset, options));
  const std::string differs = difference(*wanted.front().plan, *profile.plan);
  if (!differs.empty()) {
    return fail(Code::kBadData,
                "the profile is of another data set, or of other settings: " + differs);
  }
  const std::string url = store.url(dataset.identity.path);
  const std::string prefix = url.substr(0, url.size() - dataset.identity.path.size());
  ColumnPlan columns =
      WEIR_TRY(plan_from_all_rows(options, [&] { return profile_of(std::move(profile), prefix); }));
  return plan_model(store, address, dataset, options, std::move(columns));
}

}  // namespace weir::train
