#include "stream/start_offset.h"

namespace weir::stream {

Result<std::int64_t> start_offset(const PartitionStart& at, bool group_committed_in_topic) {
  if (at.committed) {
    if (*at.committed < at.log_start)
      return fail(out_of_range(at.topic, at.partition, *at.committed));
    return *at.committed;
  }
  if (!group_committed_in_topic) return at.log_start;
  if (at.log_start == 0) return 0;
  return fail(Code::kCorrupt,
              "topic " + at.topic + " partition " + std::to_string(at.partition) +
                  ": the group has committed offsets in other partitions but none here, and the "
                  "records below offset " +
                  std::to_string(at.log_start) +
                  " were deleted unread; set the group's offset by hand to go on");
}

Error offsets_lost(const std::string& group, const std::string& topic,
                   const std::string& evidence) {
  return Error(
      Code::kCorrupt,
      "group " + group + " has no committed offsets in topic " + topic +
          ", but there are records in " + evidence +
          ", which only its commits fill: its offsets were lost, perhaps after "
          "offsets.retention.minutes without a member; set the group's offsets by hand, or "
          "empty that topic to begin anew");
}

Error out_of_range(const std::string& topic, std::int32_t partition, std::int64_t offset) {
  return Error(Code::kCorrupt, "topic " + topic + " partition " + std::to_string(partition) +
                                   ": offset " + std::to_string(offset) +
                                   " is not in the log (any more); records were deleted before "
                                   "they were read, or the topic was made anew; set the group's "
                                   "offset by hand to go on");
}

}  // namespace weir::stream
