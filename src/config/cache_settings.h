// The settings of the cache of predictions: a part of the table, see setting_table.h.
//
// Threads: pure functions. Errors: none.
#pragma once

#include <vector>

#include "config/setting_table.h"

namespace weir::config {

void add_cache(std::vector<Setting>& table);

}  // namespace weir::config
