// Who answered which offsets: the control log and the swaps topic folded into reigns.
//
// A reign is an epoch that has ended in a resume: from there on, up to the next resume, the version
// that the resume names rules. A version has more than one where a data set was refused under it,
// or where it was rolled back to. The control log says who ruled; the notes of the swaps topic say
// from which offset on, along each partition.
//
// Threads: a plain value. Errors: none; what cannot be is counted and left out.
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <vector>

#include "record/control.h"
#include "record/swap.h"

namespace weir::record {

// The feature records [first, next) of a partition. `next` is where the next epoch that answered
// anything here took over: empty where none has so far.
struct OffsetRange {
  std::int64_t first = 0;
  std::optional<std::int64_t> next;

  bool operator==(const OffsetRange&) const = default;
};

struct Reign {
  ControlRecord resume;                        // epoch, version, outcome, who and when
  std::optional<ControlRecord> ended_by;       // the next resume; empty: in force
  std::map<std::int32_t, OffsetRange> ranges;  // by partition; those that it has answered in
};

class ReignHistory {
 public:
  // In the order of the control log. One that cannot follow changes nothing, as everywhere.
  void apply(const ControlRecord& record);
  // In any order, before or after the control records.
  void apply(const SwapRecord& swap);

  // All reigns of a version, in their order; of all versions for 0.
  std::vector<Reign> reigns(std::uint64_t version) const;
  // Notes of an epoch that has not ruled, or of another version than the one that did.
  std::uint64_t contradictions() const;

 private:
  // The offset from which on `epoch` answered, by the notes that agree with the control log.
  std::optional<std::int64_t> first_of(std::int32_t partition, std::uint64_t epoch) const;

  ControlState state_;
  std::map<std::uint64_t, ControlRecord> resumes_;  // by epoch
  // partition -> epoch -> version -> the lowest offset noted
  std::map<std::int32_t, std::map<std::uint64_t, std::map<std::uint64_t, std::int64_t>>> notes_;
};

}  // namespace weir::record
