// What a worker knows of a run of splits, and how the states of workers become one.
//
// Who reads a split alone cannot know whether it begins inside a quoted field. So there is a state
// for each beginning that may be: outside quotes, and inside of them where the split does not begin
// its part. The splits before say which was right, when their state is merged with it. A beginning
// under which the bytes cannot be read on ends in a fault, which counts only if it was the right
// one.
//
// The place that is spoken of is the border between two splits; but where a quote stands right
// before the border, it is the first byte behind it that is none (before it, a quote that closes a
// field and one that belongs to it cannot be told apart).
//
// Owner: the caller. Threads: one per object. Errors: as said at each.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "base/error.h"
#include "format/csv_chunker.h"
#include "train/model_making.h"
#include "train/profile_totals.h"
#include "train/split_plan.h"
#include "train/split_totals.h"

namespace weir::train {

// Why a part cannot be read on.
struct SplitFault {
  std::uint64_t part = 0;
  std::string part_path;
  std::optional<format::CsvFault> csv;  // its lines count as those of RunPlace
  std::string reason;                   // where it is no CsvFault
  std::string text() const { return csv ? csv->text() : reason; }
};

struct Alternative {
  bool begins_inside = false;
  bool ends_inside = false;
  // There is one of the three: totals of a plan for a model, a profile of a plan for one.
  std::optional<SplitFault> fault;
  std::optional<SplitTotals> totals;
  std::optional<ProfileTotals> profile;

  const RunPlace& place() const { return totals ? totals->place : profile->place(); }
};

struct SplitState {
  std::shared_ptr<const Plan> plan;
  std::uint64_t first = 0;
  std::uint64_t count = 0;
  std::vector<Alternative> alternatives;  // one or two, the one that begins outside quotes first

  std::uint64_t end() const { return first + count; }

  // Takes in the state of the splits that follow, of the same plan. kCorrupt where the two cannot
  // be of the same bytes.
  Status append(SplitState following);
};

// Reads one split, for what its plan makes, and what its last record has beyond it. kNotFound where
// the file is not as it was planned; kInvalidArgument for a plan that is none; the store's. What is
// wrong with the data becomes a fault, but that it cannot be read: kCorrupt and kUnsupported are
// the store's.
Result<SplitState> read_split(store::FileStore& store, const PlannedSplit& split);

// Of a whole data set: whether more rows were bad than may be, some for text where numbers were
// expected, and the plan is of the first rows alone. One of all rows may find the column's kind.
bool met_texts(const SplitState& state);

// The model of a whole data set: the same bits as train_on_dataset() makes on one machine. kBadData
// as there, and for states of a profile; kInvalidArgument where splits are missing.
Result<TrainedModel> fit_state(SplitState state, const std::string& part_url_prefix,
                               const std::function<Status()>& still_wanted);

}  // namespace weir::train
