// The settings of the gateway: what it keeps, its door, and Redis.
//
// Threads: pure functions. Errors: none.
#pragma once

#include <vector>

#include "config/setting_table.h"

namespace weir::config {

void add_gateway(std::vector<Setting>& table);

}  // namespace weir::config
