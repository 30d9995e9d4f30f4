// What stands beside a data set that was refused: which, in which epoch, why, as JSON for people
// and programs.
//
// Threads: pure function. Errors: none.
#pragma once

#include <string>

#include "record/control.h"

namespace weir::train {

std::string reason_json(const record::ControlRecord& begun, record::Outcome outcome,
                        const std::string& reason, const std::string& at);

}  // namespace weir::train
