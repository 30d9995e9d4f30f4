#include "train/models_of_log.h"

#include <algorithm>

namespace weir::train {

Status check_models_are_of_log(const std::vector<std::uint64_t>& versions,
                               const std::string& control_topic, std::uint64_t epoch) {
  const auto newest = std::max_element(versions.begin(), versions.end());
  if (newest == versions.end() || *newest <= epoch) return {};
  return fail(
      Code::kBadConfig,
      "the models folder holds version " + std::to_string(*newest) + ", and the control log " +
          control_topic + " " +
          (epoch == 0 ? "knows of no epoch"
                      : "knows of none after epoch " + std::to_string(epoch)) +
          ": it is another pipeline's folder, or the log was begun anew, or its records are "
          "older than control.trusted_keys (then set control.unsigned_epochs). Give the "
          "pipeline a model.path of its own, or the control topic that belongs to it");
}

}  // namespace weir::train
