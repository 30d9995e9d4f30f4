// What somebody ought to look at, in plain words: from the status of the pipeline, from what flows,
// and from what troubles the gateway itself.
//
// A halt is no alert: it belongs to each training. One that does not end is.
//
// Threads: pure functions. Errors: none.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "base/clock.h"
#include "serve/flow.h"
#include "serve/live.h"
#include "serve/pipeline_status.h"

namespace weir::serve {

// How long a halt, or an age of the view, is taken for normal.
inline constexpr Millis kHaltNormal{120'000};
inline constexpr Millis kViewNormal{10'000};
// Up to so many records behind the topics the kept copy is taken for up to date.
inline constexpr std::int64_t kCopyBehindNormal = 5'000;

struct Alert {
  std::string name;     // "halted_long": for programs, never changes its meaning
  bool urgent = false;  // records are not scored, or nobody can tell
  std::string words;
};

struct AlertSources {
  const PipelineStatus* status = nullptr;  // null: not read yet
  std::optional<Millis> status_age;        // where it is known
  FlowFigures flow;
  std::int64_t copy_behind = 0;  // records that the figures of the flow are behind
  // What Kafka, the model in force, the store of predictions and pushing complain of; empty: no
  // trouble.
  std::string kafka_trouble;
  std::string model_trouble;
  std::string store_trouble;
  std::string push_trouble;
};

// What a view of the pipeline gives: flow, store and pushing are the caller's. The view outlives
// them.
AlertSources alert_sources(const LiveView* view, const std::optional<Error>& trouble, Clock& clock);

// The urgent first.
std::vector<Alert> alerts_of(const AlertSources& sources, Clock& clock);

// What an epoch under way is about: "data set /dataset/b.csv is being trained on".
std::string cause_of(const record::ControlRecord& begun);

}  // namespace weir::serve
