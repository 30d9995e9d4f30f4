// The predictions of one model in this process's memory: rows as they are, and their values. What
// was not asked for the longest goes first, once the budget is used up.
//
// A row is found by all of its bits; the hash, under a key that is made anew for each table, only
// says where to look. So no two rows can be taken for each other, and nobody can choose rows that
// lie in one place.
//
// Owner: a ModelCache. Threads: one at a time, hash() aside. Errors: none; where there is no memory
// at all, nothing is kept.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <vector>

#include "cache/memory_budget.h"
#include "cache/sip_hash.h"

namespace weir::cache {

class LocalTable {
 public:
  // `features`: of a row, at least 1.
  LocalTable(std::size_t features, MemoryBudget& budget, SipKey key);
  ~LocalTable();
  LocalTable(const LocalTable&) = delete;
  LocalTable& operator=(const LocalTable&) = delete;

  std::uint64_t hash(std::span<const double> row) const { return sip_hash(key_, row); }
  // `hash` is that of the row.
  std::optional<double> find(std::span<const double> row, std::uint64_t hash);
  void put(std::span<const double> row, std::uint64_t hash, double value);
  void clear();

  std::size_t entries() const { return entries_; }
  std::size_t bytes() const { return taken_; }
  // The next new row takes an old one's place.
  bool full() const { return full_; }

 private:
  using Place = std::uint32_t;
  static constexpr Place kNowhere = UINT32_MAX;
  struct Links {
    std::uint64_t hash;
    Place next;  // in the same bucket
    Place newer;
    Place older;
  };
  struct Chunk {
    std::unique_ptr<double[]> cells;  // a row and its value, one after the other
    std::unique_ptr<Links[]> links;
  };

  Links& links(Place place) {
    return chunks_[place / chunk_entries_].links[place % chunk_entries_];
  }
  double* cells(Place place) {
    return chunks_[place / chunk_entries_].cells.get() + (place % chunk_entries_) * (features_ + 1);
  }
  bool is_of(Place place, std::span<const double> row, std::uint64_t hash);
  Place look_up(std::span<const double> row, std::uint64_t hash);
  Place take_place();
  bool grow();
  bool spread(std::size_t buckets);
  void unlink_from_bucket(Place place);
  void unlink_from_order(Place place);
  void make_newest(Place place);
  void touch(Place place);
  Place& bucket_of(std::uint64_t hash) { return buckets_[hash & (buckets_.size() - 1)]; }

  const std::size_t features_;
  const std::size_t chunk_entries_;
  const std::size_t chunk_bytes_;
  const SipKey key_;
  MemoryBudget& budget_;
  std::vector<Place> buckets_;  // a power of two; empty before the first entry
  std::vector<Chunk> chunks_;
  std::size_t entries_ = 0;
  std::size_t taken_ = 0;
  bool full_ = false;
  Place newest_ = kNowhere;
  Place oldest_ = kNowhere;
};

}  // namespace weir::cache
