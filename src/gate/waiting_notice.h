// Why a role makes no progress: said once it has lasted, and again after intervals that grow.
//
// Owner: a role. Threads: one. Errors: none.
#pragma once

#include <string>

#include "base/clock.h"
#include "base/log.h"
#include "record/control.h"

namespace weir::gate {

class WaitingNotice {
 public:
  // `who`: the member, for the log.
  WaitingNotice(Clock& clock, std::string who) : clock_(clock), who_(std::move(who)) {}

  // Called whenever the role has looked: what it waits for, in words. The same kind of waiting goes
  // on while `kind` is the same, though the words may change. Said at `level`.
  void waits(std::string kind, std::string words, log::Level level);
  // What the control log makes everyone wait for: the first model, or the end of a halt. False
  // where it says that the gate is open.
  bool waits_at_gate(const record::ControlState& state);
  // Something has moved.
  void moves();

  // Empty where something moves.
  const std::string& words() const { return words_; }
  Millis lasts() const;

  static constexpr Millis kFirstSaidAfter{10'000};
  static constexpr Millis kSaidAgainMax{600'000};

 private:
  Clock& clock_;
  const std::string who_;
  std::string kind_;
  std::string words_;
  SteadyTime since_{};
  WallTime since_wall_{};
  Millis next_said_{};  // after so long
  bool said_ = false;
};

}  // namespace weir::gate
