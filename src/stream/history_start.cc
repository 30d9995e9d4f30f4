#include "stream/history_start.h"

#include <algorithm>

namespace weir::stream {
namespace {

std::string place(const std::string& topic, std::size_t partition) {
  return "topic " + topic + " partition " + std::to_string(partition);
}

}  // namespace

Result<std::vector<PartitionSpan>> history_spans(const std::string& topic,
                                                 const HistoryStart& start,
                                                 std::span<const PartitionBounds> bounds) {
  if (start.time_ms && !start.offsets.empty()) {
    return fail(Code::kInvalidArgument, "a history begins at a time or at offsets, not at both");
  }
  for (const auto& [partition, offset] : start.offsets) {
    if (partition >= 0 && static_cast<std::size_t>(partition) < bounds.size()) continue;
    return fail(Code::kInvalidArgument, "topic " + topic + " has no partition " +
                                            std::to_string(partition) + "; it has " +
                                            std::to_string(bounds.size()) + ", counted from 0");
  }
  std::vector<PartitionSpan> spans;
  for (std::size_t i = 0; i < bounds.size(); ++i) {
    const PartitionBounds& at = bounds[i];
    const auto partition = static_cast<std::int32_t>(i);
    std::int64_t begin = start.time_ms ? std::max(at.earliest, at.at_time) : at.earliest;
    if (const auto named = start.offsets.find(partition); named != start.offsets.end()) {
      begin = named->second;
      if (begin < at.earliest) {
        return fail(Code::kCorrupt, place(topic, i) + ": offset " + std::to_string(begin) +
                                        " is not in the log (any more), its first record has " +
                                        std::to_string(at.earliest) +
                                        "; begin there, or at a later one");
      }
    }
    spans.push_back({partition, std::min(begin, at.stable_end), at.stable_end});
  }
  return spans;
}

Error history_deleted(const std::string& topic, std::int32_t partition, std::int64_t offset) {
  return Error(Code::kCorrupt, place(topic, static_cast<std::size_t>(partition)) +
                                   ": the records from offset " + std::to_string(offset) +
                                   " on were deleted before they were read; give the topic more "
                                   "retention, or begin later");
}

}  // namespace weir::stream
