// What the columns of a run of splits hold, gathered chunk by chunk: the profile from which the
// columns are planned where that takes all rows. Runs are merged in order.
//
// What of it depends on order, the figures, is merged as the sums of a training are: chunks inside
// their split, splits by the SplitTree; so it has the same bits however splits were grouped over
// threads and workers. The rest of a profile does not depend on who saw which row.
//
// Owner: a pass. Threads: one per object. Errors: none.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "base/byte_codec.h"
#include "format/column_profile.h"
#include "train/run_place.h"
#include "train/split_tree.h"
#include "train/training_options.h"

namespace weir::train {

// A profile of no rows, that keeps what planning by these options asks for.
format::DatasetProfile empty_profile(const std::vector<std::string>& header,
                                     const TrainingOptions& options);

class ProfileTotals {
 public:
  ProfileTotals(format::DatasetProfile empty, std::uint64_t first_split);

  // Of the next chunk, which lies in that split; what is left of the profile comes by add_rest().
  void add(std::uint64_t split, const format::ProfileFigures& chunk);
  // Of chunks whose figures were taken out: any, in any order.
  void add_rest(const format::DatasetProfile& rest) { rest_.merge(rest); }
  // No more chunks of splits before this one come.
  void close_until(std::uint64_t split);
  // The run that follows; all splits of both are closed.
  void append(ProfileTotals following);

  // Where the run lies, for those who read one apart.
  const RunPlace& place() const { return place_; }
  void set_place(const RunPlace& place) { place_ = place; }

  // Of all splits, which are closed; there is one at least.
  format::DatasetProfile whole() &&;

  // All but the place as bytes, and back: of `count` splits, closed, by the same options as
  // `empty`. What no rows can come to makes the reader fail.
  void save(ByteWriter& to) const;
  static ProfileTotals load(ByteReader& from, format::DatasetProfile empty,
                            std::uint64_t first_split, std::uint64_t count);

 private:
  format::ProfileFigures none_;
  std::uint64_t end_;  // of the splits that were closed
  RunPlace place_;
  SplitTree<format::ProfileFigures> tree_;
  format::ProfileFigures open_;  // of the split that comes next
  format::DatasetProfile rest_;
};

}  // namespace weir::train
