// Where a replay begins, as a person writes it.
//
//   earliest                       every record that is there
//   0:100,1:250                    partition:offset; partitions not named begin at the earliest
//   2026-11-25T10:00:00Z           RFC 3339, with a fraction of a second or an offset where wanted
//   2h                             so long before now, as durations are written in the settings
//
// Threads: pure functions. Errors: kInvalidArgument, with what is legal.
#pragma once

#include <string_view>

#include "base/clock.h"
#include "base/error.h"
#include "stream/topic_history.h"

namespace weir::cli {

Result<stream::HistoryStart> parse_replay_from(std::string_view text, WallTime now);

}  // namespace weir::cli
