// Files of this machine that a command leaves for people: whole or not at all.
//
// Written beside their place and renamed. Threads: one. Errors: kAlreadyExists where something is
// at the place; kIo.
#pragma once

#include <string>
#include <utility>
#include <vector>

#include "base/error.h"

namespace weir::cli {

enum class Form { kFile, kFolder };

// A folder of the files, by their names in it, or the one file, whose name does not count.
Status put_whole(const std::string& place,
                 const std::vector<std::pair<std::string, std::string>>& files, Form form);

}  // namespace weir::cli
