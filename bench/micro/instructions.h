// Counts the instructions that this thread executes outside the kernel, where the machine lets it:
// many virtual machines and containers do not.
//
// Owner: the caller. Threads: counts the one that made it. Errors: nullopt, and why_not() says why.
#pragma once

#include <cstdint>
#include <optional>
#include <string>

namespace weir::bench {

class InstructionCounter {
 public:
  InstructionCounter();
  ~InstructionCounter();
  InstructionCounter(const InstructionCounter&) = delete;
  InstructionCounter& operator=(const InstructionCounter&) = delete;

  // Since it was made.
  std::optional<std::uint64_t> read() const;
  const std::string& why_not() const { return why_not_; }

 private:
  int descriptor_;
  std::string why_not_;
};

}  // namespace weir::bench
