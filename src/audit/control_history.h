// The control log as evidence: every record judged against those before it.
//
// Written apart from record::ControlState on purpose: that says what a process does with the log,
// this says what has to be true of it. Records that cannot follow are breaches and change nothing.
//
// Threads: plain values. Errors: none; what is wrong goes into Findings.
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <set>
#include <span>
#include <string>

#include "audit/findings.h"
#include "record/control_topic.h"

namespace weir::audit {

struct ControlEntry {
  std::int64_t offset = 0;
  std::int64_t timestamp_ms = 0;  // since 1970
  std::string value;
};

// One epoch, from its halt or train to its resume.
struct Reign {
  record::ControlRecord begin;
  std::int64_t begun_ms = 0;
  std::optional<record::ControlRecord> resume;  // absent while the epoch is under way
  std::int64_t resumed_ms = 0;

  bool halts() const { return begin.type == record::ControlType::kHalt; }
  bool trained() const { return resume && resume->outcome == record::Outcome::kTrained; }
};

struct ControlHistory {
  std::map<std::uint64_t, Reign> reigns;  // by epoch

  // The epoch that was begun and has not ended, 0 if there is none.
  std::uint64_t under_way() const;
  // The first epoch after this one that halted the stream and has ended; null if there is none.
  const Reign* next_halt(std::uint64_t epoch) const;
  // The epochs with a resume that says "trained": each is a model version.
  std::set<std::uint64_t> trained() const;
};

// Records that the topic does not vouch for are forged: breaches, too, which change nothing.
ControlHistory judge_control_log(std::span<const ControlEntry> entries,
                                 const record::ControlTopic& topic, Findings& findings);

}  // namespace weir::audit
