// The settings that say what is watched: a part of the table, see setting_table.h.
//
// Threads: pure functions. Errors: none.
#pragma once

#include <vector>

#include "config/setting_table.h"

namespace weir::config {

void add_watch(std::vector<Setting>& table);

}  // namespace weir::config
