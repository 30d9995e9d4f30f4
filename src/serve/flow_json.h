// The figures of the flow and the alerts as JSON: what GET /v1/flow and GET /v1/alerts give, and
// `weir top -o json`.
//
// Threads: pure functions. Errors: none.
#pragma once

#include <nlohmann/json_fwd.hpp>
#include <vector>

#include "serve/alerts.h"
#include "serve/flow.h"
#include "serve/metrics_page.h"

namespace weir::serve {

nlohmann::ordered_json flow_json(const FlowFigures& figures, std::int64_t copy_behind);
nlohmann::ordered_json alerts_json(const std::vector<Alert>& alerts);
void add_flow(MetricsPage& page, const FlowFigures& figures);

}  // namespace weir::serve
