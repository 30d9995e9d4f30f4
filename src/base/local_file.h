// A small file of this machine, read whole.
//
// Threads: any. Errors: kNotFound or kPermissionDenied where it cannot be opened, kIo where it
// cannot be read; each names the path and why.
#pragma once

#include <cstddef>
#include <string>

#include "base/error.h"

namespace weir {

// At most so many bytes: a caller with a limit asks for one more, and sees that there is more.
Result<std::string> read_local_file(const std::string& path, std::size_t bytes_max);

}  // namespace weir
