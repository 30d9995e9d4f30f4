#include "cli/status_words.h"

#include <cstdio>

#include "base/text.h"

namespace weir::cli {

std::string seconds_text(std::int64_t milliseconds) {
  char text[40];
  std::snprintf(text, sizeof text, "%.1f s", static_cast<double>(milliseconds) / 1000);
  return text;
}

std::string member_state(const gate::MemberTable::Member& member) {
  const record::MemberProgress& progress = member.latest.progress;
  if (member.silent) return "silent";
  std::string state = "at work";
  if (member.halted_epoch != 0) state = "halted for epoch " + std::to_string(member.halted_epoch);
  if (progress.waiting_for.empty()) return state;
  return (member.halted_epoch != 0 ? state + ": " : "") + one_line(progress.waiting_for) +
         (progress.waiting_ms > 0 ? ", for " + seconds_text(progress.waiting_ms) : "");
}

}  // namespace weir::cli
