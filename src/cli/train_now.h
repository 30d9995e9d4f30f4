// weir train --now: asks the leading trainer for a training, and waits for its end.
//
// Errors: kUnavailable where no trainer is live, kInvalidArgument where it refuses, kBadData and
// kIo where the training comes to nothing, kTimeout where it takes longer than one waits.
#pragma once

#include <string>

#include "cli/context.h"

namespace weir::cli {

struct TrainNowOptions {
  bool asked = false;
  std::string dataset;
  std::string wait = "10m";
};

Status train_now(const CommonOptions& common, const TrainNowOptions& options);

}  // namespace weir::cli
