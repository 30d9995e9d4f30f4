// Whether a models folder and a control log belong together.
//
// A version is published in an epoch that the log has begun; any other is of another pipeline, or
// of a log that is gone, and would be taken for the model of an epoch to come. Threads: a pure
// function. Errors: kBadConfig, with what to do.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "base/error.h"

namespace weir::train {

// epoch: the last that the log has begun, 0 for none.
Status check_models_are_of_log(const std::vector<std::uint64_t>& versions,
                               const std::string& control_topic, std::uint64_t epoch);

}  // namespace weir::train
