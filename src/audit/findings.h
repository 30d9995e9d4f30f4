// What an audit can find, and what one has found.
//
// The kinds are a closed set with names that users meet in the report; each belongs to one promise
// of docs/promises.md. Findings counts all and keeps the first few of each kind in words.
//
// Owner: one audit. Threads: one. Limits: examples_max sentences a kind.
#pragma once

#include <array>
#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace weir::audit {

enum class Breach {
  // 1: each record once
  kLost,
  kDoubled,
  kPhantom,
  kAheadOfOffsets,
  kUnreadableAnswer,
  kKeyChanged,
  kDeadLetterChanged,
  kOrderBroken,
  // 2: the right number
  kWrongValue,
  kDeadWithoutCause,
  kScoredDespiteFault,
  kUnknownModel,
  // 3: epochs in order
  kEpochFalls,
  kUnknownEpoch,
  kWrongModel,
  kOutOfReign,
  kSwapNotOnRecord,
  kControlUnreadable,
  kControlForged,
  kControlOutOfOrder,
  // 4: one place, one model
  kDatasetMissing,
  kDatasetChanged,
  kDatasetTwice,
  kRowsDoNotAddUp,
  kReasonMissing,
  kStrayData,
  // 5: whole models only
  kModelMissing,
  kModelBroken,
  kModelUnannounced,
  kStrayModelFile,
};
inline constexpr std::size_t kBreaches = static_cast<std::size_t>(Breach::kStrayModelFile) + 1;

struct BreachKind {
  Breach breach;
  int promise;               // its number in docs/promises.md
  std::string_view name;     // "lost": stable
  std::string_view meaning;  // in words
};
std::span<const BreachKind> breach_kinds();  // all, in the order of the enumeration

class Findings {
 public:
  explicit Findings(std::size_t examples_max) : examples_max_(examples_max) {}

  // `example` names the offender; it is only built where it will be kept.
  template <typename Sentence>
  void add(Breach breach, Sentence example) {
    Found& found = found_[static_cast<std::size_t>(breach)];
    if (found.count++ < examples_max_) found.examples.push_back(example());
  }
  void add(Breach breach, std::uint64_t count, std::string example);

  std::uint64_t total() const;
  std::uint64_t count(Breach breach) const { return of(breach).count; }
  std::span<const std::string> examples(Breach breach) const { return of(breach).examples; }

 private:
  struct Found {
    std::uint64_t count = 0;
    std::vector<std::string> examples;
  };
  const Found& of(Breach breach) const { return found_[static_cast<std::size_t>(breach)]; }

  std::size_t examples_max_;
  std::array<Found, kBreaches> found_;
};

}  // namespace weir::audit
