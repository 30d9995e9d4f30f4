// A block of an HDFS file, straight from a DataNode, by HDFS's own data transfer protocol.
//
// By WebHDFS a DataNode reads a block from itself and copies it out in small pieces; this way it
// hands its file to the socket. Every byte is held against the checksums that HDFS keeps.
//
// It knows DataNodes that ask for no token and no encryption, and checksums of CRC-32C; of all
// others it says kUnsupported, and the bytes are to be had by WebHDFS.
//
// Owner: one read; on one thread. Errors: kUnsupported; kUnavailable and kTimeout of the
// connection; kCorrupt where a checksum does not fit; the sink's. Limits: kPacketBytesMax, and the
// timeouts, which the time in the sink does not count for. A DataNode that sends a byte now and
// then ends in kTimeout after twice stall_timeout at the latest.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "base/clock.h"
#include "store/file_store.h"
#include "store/posix_file.h"
#include "store/stall_watch.h"

namespace weir::store {

inline constexpr std::size_t kPacketBytesMax = kReadPieceBytesMax;

struct DataNodeAddress {
  std::string ip;
  std::uint16_t port = 0;
  bool operator==(const DataNodeAddress&) const = default;
};

struct BlockPlace {
  std::uint64_t offset = 0;  // in the file
  std::uint64_t bytes = 0;
  std::string pool;
  std::uint64_t id = 0;
  std::uint64_t generation = 0;
  DataNodeAddress data_node;  // that HDFS names first
};

struct BlockReaderOptions {
  Millis connect_timeout{2'000};
  Millis stall_timeout{30'000};    // until the next byte, and for kStallBytesMin of them
  Clock* clock = &system_clock();  // of the latter alone; outlives the reader
};

class BlockReader {
 public:
  // Connects and asks for the bytes [offset, offset + length) of the block; the answer is not
  // waited for, so that a DataNode can be at work on the next block meanwhile.
  static Result<BlockReader> open(const BlockPlace& block, std::uint64_t offset,
                                  std::uint64_t length, const BlockReaderOptions& options);
  // Of a connection on which the answer comes by itself; for tests and fuzzing.
  static BlockReader over(FileHandle socket, std::uint64_t offset, std::uint64_t length);
  // Hands them on in order; all of them, or an error. Once.
  Status read(const ByteSink& sink);

 private:
  struct Packet;
  BlockReader(FileHandle socket, std::string what, std::uint64_t offset, std::uint64_t length,
              const BlockReaderOptions& options);
  Status fill(std::size_t bytes);
  Result<std::string_view> take(std::size_t bytes);
  Status read_answer();
  Result<Packet> next_packet();
  Status hand_on(const Packet& packet, const ByteSink& sink);
  void say_goodbye();
  void watch_from_now(Millis limit);
  Status check_headway(std::size_t bytes);
  tl::unexpected<Error> unknown(const std::string& why) const;

  FileHandle socket_;
  std::string what_;  // for messages: "block 7 at 127.0.0.1:9866"
  Clock* clock_;
  Millis stall_timeout_;
  std::optional<StallWatch> watch_;  // while it reads
  std::uint64_t at_;                 // in the block, of the next byte to hand on
  std::uint64_t end_;                // in the block
  std::uint64_t expected_ = 0;       // in the block, where the next packet begins
  std::size_t checksum_bytes_ = 0;   // that one checksum is of
  std::vector<char> buffer_;
  std::size_t begin_ = 0;  // of what was received and not yet taken
  std::size_t filled_ = 0;
};

}  // namespace weir::store
