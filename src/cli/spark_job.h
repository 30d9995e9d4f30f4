// The text of spark/job.py, which is built into the program.
//
// Threads: a constant. Errors: none.
#pragma once

#include <string_view>

namespace weir::cli {

extern const std::string_view kSparkJob;

}  // namespace weir::cli
