// How the status of a pipeline is put into words, on a line each: for `weir status` and `weir top`.
//
// Threads: pure functions. Errors: none.
#pragma once

#include <cstdint>
#include <string>

#include "gate/members.h"

namespace weir::cli {

// "1.5 s"
std::string seconds_text(std::int64_t milliseconds);
// "at work", "halted for epoch 3: …", "silent"
std::string member_state(const gate::MemberTable::Member& member);

}  // namespace weir::cli
