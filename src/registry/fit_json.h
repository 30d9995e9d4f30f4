// How a linear fit's report stands in a manifest.
//
// Threads: pure functions. Errors: fit_from_json throws nlohmann's exceptions for what is not
// whole.
#pragma once

#include <nlohmann/json_fwd.hpp>

#include "model/fit_report.h"

namespace weir::registry {

// Without the notes, which the manifest has among its own.
nlohmann::ordered_json fit_to_json(const model::FitReport& report);
model::FitReport fit_from_json(const nlohmann::json& json);

}  // namespace weir::registry
