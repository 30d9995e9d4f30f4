// The status of a pipeline in the text format that Prometheus reads: a sample a line, each metric
// with its help and type. Durations are in seconds, offsets and lags in records.
//
// Threads: a pure function. Errors: none.
#pragma once

#include <string>

#include "base/clock.h"
#include "serve/pipeline_status.h"

namespace weir::serve {

std::string prometheus_text(const PipelineStatus& status, const std::string& pipeline,
                            const std::string& features_topic, Clock& clock);

}  // namespace weir::serve
