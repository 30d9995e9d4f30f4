// What must hold between settings, each of which is legal on its own; and the names that follow
// from the pipeline's name.
//
// Threads: pure functions. Errors: broken rules as values, each under the setting to look at first.
#pragma once

#include <string>
#include <vector>

#include "config/settings.h"

namespace weir::config {

// Topics and groups that were not given: <pipeline>.features and so on.
void fill_from_pipeline(Settings& settings);

struct BrokenRule {
  std::string setting;  // its dotted name
  std::string other;    // the setting it does not go with; may be empty
  std::string what;
  std::string hint;
};
std::vector<BrokenRule> broken_rules(const Settings& settings);

}  // namespace weir::config
