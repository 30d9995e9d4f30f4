// Something that reads the splits of a plan elsewhere, such as a cluster, and merges what they come
// to: what `model.engine` names where it is not this machine.
//
// Owner: cli makes one, and whoever trains by it uses it. Threads: one call at a time. Errors:
// kCorrupt where a worker finds the data at fault (bad rows are no error: states tell of them);
// kUnavailable, which may pass; kExhausted where it takes too long or makes no headway; kBadConfig
// where it cannot even begin; still_wanted's.
#pragma once

#include <cstdint>
#include <functional>
#include <string>
#include <vector>

#include "base/error.h"

namespace weir::train {

// What part of the work is done, 0 to 1. Called several times a second; its error ends the work.
using SplitProgress = std::function<Status(double done)>;

class SplitEngine {
 public:
  virtual ~SplitEngine() = default;

  // `lines`: all of a plan, in order, for a model or for a profile. Gives states of all its splits,
  // merged: one file of a state after the other (split_state_file.h). When it returns, nothing of
  // its work goes on any more.
  virtual Result<std::string> read_splits(const std::vector<std::string>& lines,
                                          const SplitProgress& progress) = 0;
};

}  // namespace weir::train
