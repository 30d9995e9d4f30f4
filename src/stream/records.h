// Bytes on a stream, as they come and as they go.
//
// Threads: a RecordBatch belongs to one thread; views stay good as long as the batch lives.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace weir::stream {

using Headers = std::vector<std::pair<std::string, std::string>>;

struct Record {
  std::int32_t partition = 0;
  std::int64_t offset = 0;
  std::int64_t timestamp_ms = 0;
  std::optional<std::string_view> key;  // absent and empty are not the same
  std::string_view value;               // data() is null where there is none: a tombstone
};

// What a group was when a batch was polled: sent along with the offsets, so that a member that was
// thrown out meanwhile cannot commit. Opaque; each implementation has its own.
class GroupMetadata {
 public:
  virtual ~GroupMetadata() = default;
};

// A run of records of one topic; within a partition the offsets rise.
class RecordBatch {
 public:
  virtual ~RecordBatch() = default;
  virtual std::span<const Record> records() const = 0;
  virtual Headers headers(std::size_t index) const = 0;  // copied out only when asked for
  // The value of the last header of this name; lives as long as the batch.
  virtual std::optional<std::string_view> header(std::size_t index,
                                                 const std::string& name) const = 0;
  virtual std::shared_ptr<const GroupMetadata> group() const = 0;
};

// Where a record has come to stand.
struct Place {
  std::int32_t partition = -1;
  std::int64_t offset = -1;

  bool operator==(const Place&) const = default;
};

struct OutRecord {
  std::string_view topic;
  std::optional<std::int32_t> partition;  // else by the key, as Java's murmur2 partitioner does
  std::optional<std::string_view> key;
  std::string_view value;
  const Headers* headers = nullptr;  // optional
  bool null_value = false;           // no value at all, which is not an empty one: a tombstone
  // Filled in by the time that its transaction has committed, by a sink that was opened to tell
  // places; good until commit() or abort() has returned, or the sink is gone.
  Place* place = nullptr;
};

// The next offset that the group wants from a partition: last processed + 1.
struct PartitionOffset {
  std::int32_t partition = 0;
  std::int64_t next_offset = 0;
};

}  // namespace weir::stream
