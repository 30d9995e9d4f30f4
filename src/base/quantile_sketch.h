// Quantiles of a stream of numbers in bounded memory: exact while there are no more than
// kBucketsMax different values, then to a relative error that is as small as so many buckets allow.
//
// A bucket holds the doubles whose bits agree but for the lowest `shift`, so its width is relative
// to its values, as in DDSketch (Masson, Rim & Lee, VLDB 2019); `shift` is the least with which all
// values fit. What a sketch holds depends on the values alone, not on their order nor on how they
// were spread over the sketches that were merged.
//
// Owner: the caller. Threads: one per object. Errors: none; NaN is not to be added.
#pragma once

#include <cstdint>
#include <unordered_map>
#include <vector>

#include "base/byte_codec.h"

namespace weir {

class QuantileSketch {
 public:
  static constexpr std::size_t kBucketsMax = 4'096;

  void add(double value);
  void merge(const QuantileSketch& other);

  std::uint64_t count() const { return count_; }
  // The value of rank ceil(fraction * count), from 1; 0 where there is none. Of a bucket of several
  // values it is the middle between the lowest and the highest.
  double quantile(double fraction) const;

  // Equal sketches make equal bytes. What cannot be a sketch makes the reader fail.
  void save(ByteWriter& to) const;
  static QuantileSketch load(ByteReader& from);

 private:
  struct Bucket {
    double lowest;
    double highest;
    std::uint64_t count;
  };
  void add_bucket(std::int64_t key, const Bucket& bucket);
  void raise_shift(int to);
  std::vector<Bucket> sorted() const;

  std::unordered_map<std::int64_t, Bucket> buckets_;
  int shift_ = 0;
  std::uint64_t count_ = 0;
};

}  // namespace weir
