// Reads a whole topic without a group: the control log and the members topic, which have one
// partition, or all of a topic's partitions, each in its own order.
//
// Owner: one role. Threads: one. Isolation: read_committed. Errors: kUnavailable, kTimeout,
// kNotFound, kPermissionDenied.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "base/clock.h"
#include "base/error.h"

namespace weir::stream {

struct LogEntry {
  std::int32_t partition = 0;
  std::int64_t offset = 0;
  std::int64_t timestamp_ms = 0;  // set by the broker or the writer, since 1970
  std::string key;
  std::string value;
};

class LogReader {
 public:
  virtual ~LogReader() = default;
  // What has come since the last call, waiting at most `timeout` for the first entry.
  virtual Result<std::vector<LogEntry>> poll(Millis timeout) = 0;
  // Every entry from the position up to the end that each partition has now: one committed before
  // this call is in the answer, or was in an earlier one. kTimeout where an open transaction or a
  // missing broker hides the end for longer than `timeout`.
  virtual Result<std::vector<LogEntry>> read_to_end(Millis timeout) = 0;
};

}  // namespace weir::stream
