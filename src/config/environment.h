// The variables of the environment, as a value.
//
// Threads: any, as long as nobody sets a variable. Errors: none.
#pragma once

#include <map>
#include <string>

namespace weir::config {

using Environment = std::map<std::string, std::string>;
Environment process_environment();

}  // namespace weir::config
