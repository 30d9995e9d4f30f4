// The keys of the control log, from the local files that the settings name.
//
// Threads: one call, nothing kept. Errors: kBadConfig, naming setting and file; a private key that
// others on this machine can read is told as a warning.
#pragma once

#include "base/error.h"
#include "config/settings.h"
#include "record/control_topic.h"

namespace weir::cli {

Result<record::ControlKeys> read_control_keys(const config::ControlSettings& settings);

}  // namespace weir::cli
