// A planned split as a line of JSON, and back: what `weir plan` writes and `weir stats` reads.
//
// Numbers are written so that they read back to the same bits. Threads: pure functions. Errors:
// kBadData for a line that is none, or tells of what cannot be; kUnsupported for one of another
// version.
#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "base/error.h"
#include "train/split_plan.h"

namespace weir::train {

// One line without its end. A path that is no UTF-8 is refused: JSON cannot spell it.
Result<std::string> split_line(const PlannedSplit& split);
// `known`: a plan that was read before; the new split shares it where it has the same.
Result<PlannedSplit> parse_split_line(std::string_view line,
                                      const std::shared_ptr<const Plan>& known = nullptr);

// What all lines of a plan have in common. Equal plans have equal texts.
Result<std::string> plan_text(const Plan& plan);
Result<Plan> parse_plan(std::string_view text);
// The first thing in which two plans differ, as "options.seed: 1 and 2"; empty where they do not.
std::string difference(const Plan& a, const Plan& b);

}  // namespace weir::train
