// The status of a pipeline as JSON: what `weir status --output json` prints and GET /v1/status
// gives.
//
// Threads: pure functions. Errors: none.
#pragma once

#include <nlohmann/json_fwd.hpp>
#include <string>

#include "serve/pipeline_status.h"

namespace weir::serve {

nlohmann::ordered_json status_json(const PipelineStatus& status, const std::string& pipeline,
                                   Clock& clock);

}  // namespace weir::serve
