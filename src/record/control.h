// The records of the control log, and the one place that says what they mean.
//
// The control log is a Kafka topic of one partition, written by the leading trainer alone and never
// compacted. Each process folds it into a ControlState; the gate follows from that and from nothing
// else. docs/decisions/epoch-protocol.md tells the whole protocol.
//
//   {"type":"halt","epoch":3,"dataset":{"path":"/dataset/b.csv","length":35732,"modified_ms":…,
//    "file_id":"16392"},"by":"trainer@host","at":"2026-…Z"}
//   {"type":"train", …}     taken up without a halt (while_training: continue)
//   {"type":"resume","epoch":3,"version":3,"sha256":"…","outcome":"trained","reason":"…",
//    "predictions":{"0":1234,…},"dead":{"0":7,…}, …}
//
// Threads: plain values. Errors: parse gives kBadData, or kUnsupported for a type of a later
// version of the program.
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <string_view>

#include "base/error.h"

namespace weir::record {

// A data set as it was when it was taken up. One that has other bytes is another data set.
struct DatasetIdentity {
  std::string path;
  std::uint64_t length = 0;  // bytes; of a folder, of all its parts together
  std::int64_t modified_ms = 0;
  std::string file_id;  // the store's own id where it has one

  bool operator==(const DatasetIdentity&) const = default;
};

// Where the topics that scorers write end: by partition, the offset after the last record of any
// kind. Told by a resume, just before which they were looked up: its epoch has nothing below them.
// Where its epoch began with a halt, earlier ones have nothing at or above them either; without a
// halt they may go on for a while.
struct OutputEnds {
  std::map<std::int32_t, std::int64_t> predictions;
  std::map<std::int32_t, std::int64_t> dead;

  bool operator==(const OutputEnds&) const = default;
};

enum class ControlType { kHalt, kTrain, kResume };
enum class Outcome { kTrained, kRefused, kFailed, kRolledBack };

std::string_view outcome_name(Outcome outcome);

// Versions are epochs, and a version's folder has ten digits.
inline constexpr std::uint64_t kEpochMax = 9'999'999'999;

struct ControlRecord {
  ControlType type = ControlType::kHalt;
  std::uint64_t epoch = 0;
  std::optional<DatasetIdentity> dataset;    // halt and train; absent for a rollback
  std::optional<std::uint64_t> rollback_to;  // a halt that begins a rollback
  std::uint64_t version = 0;                 // resume: the model in force, 0 = none yet
  std::string sha256;                        // resume: of that model's model.json
  Outcome outcome = Outcome::kTrained;       // resume
  std::optional<OutputEnds> output_ends;     // resume; absent where they could not be looked up
  std::string reason;                        // in words
  std::string by;                            // who wrote it: "trainer@host:pid"
  std::string at;                            // RFC 3339, for people

  std::string to_json() const;
  static Result<ControlRecord> parse(std::string_view json);
};

// What the log says, up to the records applied so far.
struct ControlState {
  std::uint64_t epoch = 0;         // the highest that was begun
  std::uint64_t ruling_epoch = 0;  // the epoch of the last resume: the one that predictions name
  std::uint64_t halt_epoch = 0;    // the last that began with a halt, ended or not
  std::uint64_t version = 0;       // the live model, 0 = none yet
  std::string sha256;
  std::optional<ControlRecord> begun;       // a halt or train whose resume has not come
  std::optional<ControlRecord> last_begun;  // the last halt or train, ended or not
  std::optional<ControlRecord> last_resume;
  // The last data set that was taken up, and the resume of that epoch once it has come. Rollbacks
  // leave both as they are: the data set may still have to be moved out of the drop folder.
  std::optional<ControlRecord> last_taken_up;
  std::optional<ControlRecord> last_taken_up_end;

  // Open: there is a model, and no halt is in force.
  bool gate_open() const { return version > 0 && !(begun && begun->type == ControlType::kHalt); }
  // The model of an epoch that is over may end what it is at, as long as its successor is not at
  // hand: no halt was between the two, so that nobody counts on its silence.
  bool may_linger(std::uint64_t past_epoch) const { return halt_epoch <= past_epoch; }
  // Applies the next record. A record that cannot follow is refused (kCorrupt) and changes nothing:
  // an epoch that does not rise, a resume of another epoch than the one begun.
  Status apply(const ControlRecord& record);
};

}  // namespace weir::record
