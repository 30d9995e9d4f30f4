// States of splits on their way between commands: files as they are, or one line of base64 each,
// for schedulers whose pipes carry lines.
//
// Threads: one. Errors: kIo, kNotFound, and those of take_state with the file's name.
#pragma once

#include <string>
#include <vector>

#include "base/error.h"
#include "train/split_state.h"

namespace weir::cli {

// The whole of a file of this machine; "-" is stdin.
Result<std::string> read_input(const std::string& path);

// All states of the files, in either form; no files: stdin.
Result<std::vector<train::SplitState>> read_states(const std::vector<std::string>& paths);

// To stdout.
Status write_state(const train::SplitState& state, bool base64);

}  // namespace weir::cli
