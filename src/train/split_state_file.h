// The state of a run of splits as a file, and back.
//
//   "weirstat"  version (4 bytes)  length of the body (8 bytes)  body  sha256 of all before (32
//   bytes)
//
// Numbers are little-endian. States may stand one after the other. What reads one back merges and
// fits to the same bits. Whatever the bytes, they cost a reason and no more memory than they are
// long: each length is held against what is there, each number against what can have come of rows.
//
// Threads: pure functions. Errors: kCorrupt for bytes that are no whole state, kUnsupported for one
// of another version.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "base/error.h"
#include "train/split_state.h"

namespace weir::train {

inline constexpr std::string_view kStateMagic = "weirstat";
inline constexpr std::uint32_t kStateVersion = 2;

Result<std::string> state_file(const SplitState& state);
// The first state of `bytes`, which go on behind it.
Result<SplitState> take_state(std::string_view& bytes);

}  // namespace weir::train
