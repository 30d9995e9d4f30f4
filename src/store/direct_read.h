// Reads of a file in HDFS straight from the DataNodes that have its blocks, for as far as that
// goes.
//
// It goes where DataNodes ask for no token and no encryption and their data transfer port
// (dfs.datanode.address) can be reached. Where it does not, nothing is lost but the attempt: the
// caller goes on by WebHDFS from where this ended, and no other attempt is made for
// kDirectReadPause.
//
// While one block is read the next one is asked for: two connections, two DataNodes at work.
//
// Owner: a store. Threads: from any thread at once.
#pragma once

#include <atomic>
#include <functional>
#include <vector>

#include "base/clock.h"
#include "store/block_reader.h"

namespace weir::store {

// Of less the calls that it takes to find the blocks cost more than they save.
inline constexpr std::uint64_t kDirectReadBytesMin = std::uint64_t{4} << 20;
// Blocks are asked for in ranges of this many bytes.
inline constexpr std::uint64_t kLocatedBytes = std::uint64_t{4} << 30;
inline constexpr Millis kDirectReadPause{600'000};

class DirectRead {
 public:
  // Where the blocks of a range of the file lie, in order.
  using Locate =
      std::function<Result<std::vector<BlockPlace>>(std::uint64_t offset, std::uint64_t length)>;

  DirectRead(bool allowed, const BlockReaderOptions& options, Clock& clock)
      : allowed_(allowed), options_(options), clock_(clock) {}

  bool is_worth_trying(std::uint64_t bytes) const;
  // Hands on the bytes [position, end) of the file, or as many of them as it can.
  Status read(const Locate& locate, std::uint64_t position, std::uint64_t end,
              const ByteSink& sink);

 private:
  Status read_range(const Locate& locate, std::uint64_t position, std::uint64_t end,
                    const ByteSink& sink) const;

  const bool allowed_;
  const BlockReaderOptions options_;
  Clock& clock_;
  std::atomic<SteadyTime> not_before_{SteadyTime{}};
};

}  // namespace weir::store
