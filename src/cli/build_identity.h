// What tells this program from all others: two programs of the same identity do the same
// arithmetic.
//
// Threads: a pure function. Errors: none.
#pragma once

#include <string>

namespace weir::cli {

// The linker's build id, in hexadecimal digits; empty where it has given none.
std::string build_identity();

}  // namespace weir::cli
