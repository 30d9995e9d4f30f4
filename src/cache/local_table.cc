#include "cache/local_table.h"

#include <algorithm>
#include <cstring>

namespace weir::cache {
namespace {

constexpr std::size_t kChunkBytes = 64 * 1024;
constexpr std::size_t kBucketsMin = 1024;
constexpr std::size_t kEntriesMax = std::size_t{1} << 31;

}  // namespace

LocalTable::LocalTable(std::size_t features, MemoryBudget& budget, SipKey key)
    : features_(features),
      chunk_entries_(std::max<std::size_t>(
          1, kChunkBytes / ((features + 1) * sizeof(double) + sizeof(Links)))),
      chunk_bytes_(chunk_entries_ * ((features + 1) * sizeof(double) + sizeof(Links))),
      key_(key),
      budget_(budget) {}

LocalTable::~LocalTable() { budget_.give(taken_); }

bool LocalTable::is_of(Place place, std::span<const double> row, std::uint64_t hash) {
  return links(place).hash == hash && std::memcmp(cells(place), row.data(), row.size_bytes()) == 0;
}

LocalTable::Place LocalTable::look_up(std::span<const double> row, std::uint64_t hash) {
  if (buckets_.empty()) return kNowhere;
  Place place = bucket_of(hash);
  while (place != kNowhere && !is_of(place, row, hash)) place = links(place).next;
  return place;
}

std::optional<double> LocalTable::find(std::span<const double> row, std::uint64_t hash) {
  const Place place = look_up(row, hash);
  if (place == kNowhere) return std::nullopt;
  touch(place);
  return cells(place)[features_];
}

void LocalTable::put(std::span<const double> row, std::uint64_t hash, double value) {
  Place place = look_up(row, hash);
  if (place == kNowhere) {
    place = take_place();
    if (place == kNowhere) return;
    std::memcpy(cells(place), row.data(), row.size_bytes());
    links(place).hash = hash;
    links(place).next = bucket_of(hash);
    bucket_of(hash) = place;
    make_newest(place);
  } else {
    touch(place);
  }
  cells(place)[features_] = value;
}

// A new place, or that of the oldest, which is forgotten; kNowhere where there is no memory at all.
LocalTable::Place LocalTable::take_place() {
  if (entries_ == chunks_.size() * chunk_entries_) full_ = !grow();
  if (!full_) return static_cast<Place>(entries_++);
  if (oldest_ == kNowhere) return kNowhere;
  const Place place = oldest_;
  unlink_from_order(place);
  unlink_from_bucket(place);
  return place;
}

bool LocalTable::grow() {
  const std::size_t entries_then = (chunks_.size() + 1) * chunk_entries_;
  if (entries_then > kEntriesMax || !budget_.take(chunk_bytes_)) return false;
  if (entries_then > buckets_.size() && !spread(std::max(buckets_.size() * 2, kBucketsMin))) {
    budget_.give(chunk_bytes_);
    return false;
  }
  taken_ += chunk_bytes_;
  chunks_.push_back({std::make_unique<double[]>(chunk_entries_ * (features_ + 1)),
                     std::make_unique<Links[]>(chunk_entries_)});
  return true;
}

// Over so many buckets in the place of those that there are.
bool LocalTable::spread(std::size_t buckets) {
  const std::size_t more = (buckets - buckets_.size()) * sizeof(Place);
  if (!budget_.take(more)) return !buckets_.empty();  // longer chains, then
  taken_ += more;
  buckets_.assign(buckets, kNowhere);
  for (std::size_t i = 0; i < entries_; ++i) {
    const auto place = static_cast<Place>(i);
    Place& bucket = bucket_of(links(place).hash);
    links(place).next = bucket;
    bucket = place;
  }
  return true;
}

void LocalTable::unlink_from_bucket(Place place) {
  Place* link = &bucket_of(links(place).hash);
  while (*link != place) link = &links(*link).next;
  *link = links(place).next;
}

void LocalTable::unlink_from_order(Place place) {
  const Links own = links(place);
  (own.newer == kNowhere ? newest_ : links(own.newer).older) = own.older;
  (own.older == kNowhere ? oldest_ : links(own.older).newer) = own.newer;
}

void LocalTable::make_newest(Place place) {
  links(place).newer = kNowhere;
  links(place).older = newest_;
  (newest_ == kNowhere ? oldest_ : links(newest_).newer) = place;
  newest_ = place;
}

void LocalTable::touch(Place place) {
  if (place == newest_) return;
  unlink_from_order(place);
  make_newest(place);
}

void LocalTable::clear() {
  std::vector<Place>().swap(buckets_);
  std::vector<Chunk>().swap(chunks_);
  entries_ = 0;
  full_ = false;
  newest_ = oldest_ = kNowhere;
  budget_.give(taken_);
  taken_ = 0;
}

}  // namespace weir::cache
