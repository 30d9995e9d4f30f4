// ${VAR} and ${VAR:default} in a value of the file; `$${` stands for a plain `${`.
//
// What is put in is not looked at again: neither for further variables nor as YAML. A variable that
// is set to nothing counts as set. A default ends at the first '}'.
//
// Threads: pure function. Errors: in words, naming the variable and never its value.
#pragma once

#include <string>
#include <string_view>
#include <tl/expected.hpp>

#include "config/load_settings.h"

namespace weir::config {

tl::expected<std::string, std::string> substitute(std::string_view text,
                                                  const Environment& environment);

// The text that substitute() turns into `text`.
std::string escape_for_substitution(std::string_view text);

}  // namespace weir::config
