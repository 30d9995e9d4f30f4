#include "gate/waiting_notice.h"

#include <algorithm>

namespace weir::gate {

void WaitingNotice::waits(std::string kind, std::string words, log::Level level) {
  if (kind != kind_) {
    kind_ = std::move(kind);
    since_ = clock_.steady();
    since_wall_ = clock_.wall();
    next_said_ = kFirstSaidAfter;
  }
  words_ = std::move(words);
  const Millis lasted = lasts();
  if (lasted < next_said_) return;
  log::write(
      level, "makes no progress: " + words_,
      {{"member", who_}, {"since", format_time(since_wall_)}, {"seconds", lasted.count() / 1000}});
  // Of what was told the end is told, too, whatever came in between.
  said_ = said_ || level != log::Level::kDebug;
  // Twice as long each time, at most kSaidAgainMax between two.
  next_said_ = lasted + std::min(lasted, kSaidAgainMax);
}

bool WaitingNotice::waits_at_gate(const record::ControlState& state) {
  if (state.gate_open()) return false;
  std::string cause;
  if (state.begun) {
    cause = state.begun->dataset
                ? "data set " + state.begun->dataset->path + " is being trained on"
                : "a rollback to version " + std::to_string(state.begun->rollback_to.value_or(0));
    cause += ", epoch " + std::to_string(state.begun->epoch);
  }
  if (state.version == 0) {
    waits("first model", "waiting for the first model" + (cause.empty() ? "" : ": " + cause),
          log::Level::kInfo);
    return true;
  }
  waits("gate", "the gate is closed since " + state.begun->at + ": " + cause, log::Level::kWarn);
  return true;
}

void WaitingNotice::moves() {
  if (said_) {
    log::info("makes progress again", {{"member", who_}});
  }
  kind_.clear();
  words_.clear();
  said_ = false;
}

Millis WaitingNotice::lasts() const {
  if (kind_.empty()) return Millis{0};
  return std::chrono::duration_cast<Millis>(clock_.steady() - since_);
}

}  // namespace weir::gate
