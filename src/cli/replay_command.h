// weir score --from: a replay (score/replay.h), with progress on a terminal and a summary.
#pragma once

#include <cstdint>
#include <string>

#include "cli/context.h"

namespace weir::cli {

struct ReplayCommand {
  std::string from;
  std::uint64_t version = 0;
  std::string to;
  bool append = false;
};

// Gives the exit code: 0 where all was replayed, 1 where a stop came before.
int run_replay(const CommonOptions& common, const ReplayCommand& command);

}  // namespace weir::cli
