// What workers do: read planned splits to states, and merge states. To stdout, for whoever started
// them; apart from the commands, so that a program for workers alone needs nothing else of weir.
//
// Threads: one. Errors: those of the store, of read_split, merge_states and take_state; kIo;
// kInvalidArgument for a line that is none. So what exits with 65 where splits are read is the
// fault of the data, and a trainer counts on that.
#pragma once

#include <string>
#include <vector>

#include "base/error.h"
#include "train/split_merge.h"

namespace weir::cli {

// Lines of a plan, in any order: a state for each run of splits that follow each other.
Status read_splits(const std::vector<std::string>& lines, bool base64);
Status read_splits_of_stdin(bool base64);

// The states of all files (none: of stdin), as few as they can be.
Result<std::vector<train::SplitState>> merged_states(const std::vector<std::string>& files,
                                                     train::Duplicates duplicates);
Status merge_files(const std::vector<std::string>& files, train::Duplicates duplicates,
                   bool base64);

}  // namespace weir::cli
