// docs/configuration.md, written from the setting table. Threads: pure function. Errors: none.
#pragma once

#include <string>

namespace weir::config {

std::string reference_page();

}  // namespace weir::config
