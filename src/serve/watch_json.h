// What the watcher of the stream has told last, as JSON and as words: GET /v1/watch.
//
// Threads: pure functions. Errors: none.
#pragma once

#include <nlohmann/json_fwd.hpp>
#include <string>
#include <vector>

#include "base/clock.h"
#include "serve/pipeline_status.h"

namespace weir::serve {

// The watcher that has told something: the first by name of those who speak. Null: none does.
const gate::MemberTable::Member* watcher_of(const PipelineStatus& status);

// What it has raised and not taken back, in words.
struct WatchAlarm {
  std::string kind;  // "drift", "accuracy"
  std::string words;
};
std::vector<WatchAlarm> watch_alarms(const PipelineStatus& status);

nlohmann::ordered_json watch_json(const PipelineStatus& status, const std::string& pipeline,
                                  Clock& clock);

}  // namespace weir::serve
