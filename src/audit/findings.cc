#include "audit/findings.h"

#include <numeric>

namespace weir::audit {
namespace {

constexpr std::array<BreachKind, kBreaches> kKinds = {{
    {Breach::kLost, 1, "lost", "a record below the committed offset has no answer"},
    {Breach::kDoubled, 1, "doubled", "a record has more than one answer"},
    {Breach::kPhantom, 1, "phantom", "an answer names a record that is not there"},
    {Breach::kAheadOfOffsets, 1, "ahead_of_offsets",
     "a record is answered that the group's committed offset does not cover"},
    {Breach::kUnreadableAnswer, 1, "unreadable_answer",
     "a prediction or dead letter that is not of the documented shape"},
    {Breach::kKeyChanged, 1, "key_changed", "an answer's key is not that of its record"},
    {Breach::kDeadLetterChanged, 1, "dead_letter_changed",
     "a dead letter's value or headers are not those of its record"},
    {Breach::kOrderBroken, 1, "order_broken",
     "answers of one feature partition are out of order within a partition"},
    {Breach::kWrongValue, 2, "wrong_value",
     "a prediction is not what its model says of the record"},
    {Breach::kDeadWithoutCause, 2, "dead_without_cause",
     "a dead letter of a record that can be scored"},
    {Breach::kScoredDespiteFault, 2, "scored_despite_fault",
     "a prediction of a record that cannot be scored"},
    {Breach::kUnknownModel, 2, "unknown_model",
     "a prediction names a model that is not there or not whole"},
    {Breach::kEpochFalls, 3, "epoch_falls",
     "an earlier epoch follows a later one along a partition"},
    {Breach::kUnknownEpoch, 3, "unknown_epoch",
     "a prediction names an epoch that the control log has not put in force"},
    {Breach::kWrongModel, 3, "wrong_model",
     "a prediction names a model that did not rule its epoch"},
    {Breach::kOutOfReign, 3, "out_of_reign",
     "a prediction was committed before its epoch's resume, or after the next one's halt"},
    {Breach::kSwapNotOnRecord, 3, "swap_not_on_record",
     "the swaps topic does not say, or says wrongly, where an epoch took over a partition"},
    {Breach::kControlUnreadable, 3, "control_unreadable",
     "a record of the control log that cannot be read"},
    {Breach::kControlForged, 3, "control_forged",
     "a record of the control log that no trusted key has signed"},
    {Breach::kControlOutOfOrder, 3, "control_out_of_order",
     "a record of the control log that cannot follow"},
    {Breach::kDatasetMissing, 4, "dataset_missing",
     "a data set that was taken up is not where it has to be"},
    {Breach::kDatasetChanged, 4, "dataset_changed",
     "a data set is not the bytes that its model was trained on"},
    {Breach::kDatasetTwice, 4, "dataset_twice", "a data set in two places, or with two models"},
    {Breach::kRowsDoNotAddUp, 4, "rows_do_not_add_up",
     "rows in are not rows trained, held out and refused"},
    {Breach::kReasonMissing, 4, "reason_missing", "a refused data set without its reason"},
    {Breach::kStrayData, 4, "stray_data",
     "a file among the used or rejected ones that nothing names"},
    {Breach::kModelMissing, 5, "model_missing", "a version of the control log is not there"},
    {Breach::kModelBroken, 5, "model_broken",
     "a version that is not whole, or not the one announced"},
    {Breach::kModelUnannounced, 5, "model_unannounced",
     "a version that the control log does not name"},
    {Breach::kStrayModelFile, 5, "stray_model_file",
     "a file among the models that belongs to none"},
}};

constexpr bool in_order() {
  for (std::size_t i = 0; i < kKinds.size(); ++i) {
    if (static_cast<std::size_t>(kKinds[i].breach) != i) return false;
  }
  return true;
}
static_assert(in_order());

}  // namespace

std::span<const BreachKind> breach_kinds() { return kKinds; }

void Findings::add(Breach breach, std::uint64_t count, std::string example) {
  if (count == 0) return;
  Found& found = found_[static_cast<std::size_t>(breach)];
  found.count += count;
  if (found.examples.size() < examples_max_) found.examples.push_back(std::move(example));
}

std::uint64_t Findings::total() const {
  return std::accumulate(found_.begin(), found_.end(), std::uint64_t{0},
                         [](std::uint64_t sum, const Found& found) { return sum + found.count; });
}

}  // namespace weir::audit
