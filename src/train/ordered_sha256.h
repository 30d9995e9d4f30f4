// The sha256 of bytes whose pieces are done with out of order, on several threads: each piece is
// hashed in its turn, by whichever thread comes by. So the thread that reads need not hash.
//
// Owner: a pass. Threads: add() from any at once, each number once; finish_hex() after all have
// ended. Memory: the pieces that came early, at most `waiting_max`; a thread with one more waits.
// Errors: none.
#pragma once

#include <condition_variable>
#include <cstdint>
#include <map>
#include <mutex>
#include <string>

#include "base/sha256.h"

namespace weir::train {

class OrderedSha256 {
 public:
  explicit OrderedSha256(std::size_t waiting_max) : waiting_max_(waiting_max) {}

  // Piece `number`, from 0: `before` and then `bytes`. Every number has to come in the end: who
  // adds the next one never waits.
  void add(std::uint64_t number, std::string before, std::string bytes);
  // Of all pieces, and `rest` behind them.
  std::string finish_hex(std::string_view rest);

 private:
  struct Piece {
    std::string before;
    std::string bytes;
  };

  const std::size_t waiting_max_;
  std::mutex mutex_;
  std::condition_variable went_on_;
  std::map<std::uint64_t, Piece> waiting_;  // guarded by mutex_
  std::uint64_t next_ = 0;                  // guarded by mutex_; while hashing_ it is that one
  bool hashing_ = false;                    // guarded by mutex_; who set it owns hash_
  Sha256 hash_;
};

}  // namespace weir::train
