// Promises 1 to 3: the answers, their values and their order. Part of checker.h.
#pragma once

#include <string>
#include <vector>

#include "simulation/world.h"

namespace weir::simulation {

// Promises 1 and 2, and that the epochs never fall along a partition: from the topics alone.
void check_answers(World& world, std::vector<std::string>& problems);
// The rest of promise 3: from the journal.
void check_order(World& world, std::vector<std::string>& problems);

}  // namespace weir::simulation
