// Where entries lie that processes share: bytes under names.
//
// Owner: the cache. Threads: any. Errors: none; what cannot be had is not there, and what cannot be
// written is not written.
#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "base/clock.h"

namespace weir::cache {

struct NamedEntry {
  std::string name;
  std::string bytes;
};

struct SharedEntriesState {
  bool reachable = false;
  std::string trouble;  // in words, where it is not reachable, or refuses what is written
  std::uint64_t failures = 0;
  std::uint64_t written = 0;
  std::uint64_t not_written = 0;
};

class SharedEntries {
 public:
  virtual ~SharedEntries() = default;

  // False: nobody is to be asked now; it costs nothing to find out.
  virtual bool reachable() const = 0;
  // One for each name, in their order; nothing at all where the answer did not come in time.
  virtual std::optional<std::vector<std::optional<std::string>>> get(
      std::span<const std::string> names, Millis timeout) = 0;
  // Later, by somebody else; dropped where too many wait.
  virtual void put(std::vector<NamedEntry> entries) = 0;

  virtual SharedEntriesState state() const = 0;
};

}  // namespace weir::cache
