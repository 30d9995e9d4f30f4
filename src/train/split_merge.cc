#include "train/split_merge.h"

#include <algorithm>

#include "base/sha256.h"
#include "train/plan_json.h"
#include "train/split_state_file.h"

namespace weir::train {
namespace {

constexpr std::size_t kGapsToldMax = 10;

std::string splits_text(std::uint64_t first, std::uint64_t end) {
  if (end - first == 1) return "split " + std::to_string(first);
  return "splits " + std::to_string(first) + " to " + std::to_string(end - 1);
}

struct Seen {
  std::uint64_t first = 0;
  std::uint64_t end = 0;
  std::string sha256;
};

Result<Seen> look_at(const SplitState& state) {
  return Seen{state.first, state.end(), sha256_hex(WEIR_TRY(state_file(state)))};
}

}  // namespace

Result<std::vector<SplitState>> merge_states(std::vector<SplitState> states,
                                             Duplicates duplicates) {
  std::stable_sort(states.begin(), states.end(),
                   [](const SplitState& a, const SplitState& b) { return a.first < b.first; });
  std::vector<SplitState> merged;
  Seen last;  // of the states that were taken, the one that begins last
  for (SplitState& state : states) {
    if (merged.empty()) {
      last = WEIR_TRY(look_at(state));
      merged.push_back(std::move(state));
      continue;
    }
    const std::string differs = difference(*merged.front().plan, *state.plan);
    if (!differs.empty()) {
      return fail(Code::kBadData, "the states are of different plans: " + differs);
    }
    const Seen now = WEIR_TRY(look_at(state));
    if (now.first < merged.back().end()) {
      const bool same = now.first == last.first && now.end == last.end && now.sha256 == last.sha256;
      if (same && duplicates == Duplicates::kIgnore) continue;
      return fail(Code::kBadData, splits_text(now.first, std::min(now.end, merged.back().end())) +
                                      (same ? " came twice (--ignore-duplicates passes over it)"
                                            : " came in two states that differ"));
    }
    last = now;
    if (now.first > merged.back().end()) {
      merged.push_back(std::move(state));
    } else {
      WEIR_TRY(merged.back().append(std::move(state)));
    }
  }
  return merged;
}

Result<SplitState> whole_state(std::vector<SplitState> merged) {
  if (merged.empty()) return fail(Code::kBadData, "there are no states");
  const std::uint64_t splits = merged.front().plan->splits;
  std::string missing;
  std::size_t gaps = 0;
  std::uint64_t at = 0;
  const auto see_gap = [&](std::uint64_t end) {
    if (at >= end || ++gaps > kGapsToldMax) return;
    missing += (missing.empty() ? "" : ", ") + splits_text(at, end);
  };
  for (const SplitState& state : merged) {
    see_gap(state.first);
    at = state.end();
  }
  see_gap(splits);
  if (gaps > kGapsToldMax) missing += " and more";
  if (gaps > 0) {
    return fail(Code::kBadData, "of " + std::to_string(splits) + " splits some are missing: " +
                                    missing + "; run 'weir stats' on their lines of the plan");
  }
  return std::move(merged.front());
}

}  // namespace weir::train
