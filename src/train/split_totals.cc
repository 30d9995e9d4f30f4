#include "train/split_totals.h"

#include <algorithm>

#include "base/check.h"
#include "model/boosted_training.h"
#include "model/model.h"
#include "model/split.h"

namespace weir::train {
namespace {

// A small data set's rows are kept, to refine the fit on them (model/row_refinement.h); what has
// more chunks than this has too many rows, and need not copy any.
constexpr std::uint64_t kChunksKept = 8;

}  // namespace

std::size_t growing_rows_max(const registry::BoostedSettings& settings, std::size_t columns) {
  const std::size_t values_allow = model::kGrowingValuesMax / std::max<std::size_t>(columns, 1);
  return std::min<std::size_t>(settings.rows_max, std::max<std::size_t>(values_allow, 1));
}

ChunkFolder::ChunkFolder(const RowIntake& intake, const TrainingOptions& options)
    : intake_(intake),
      options_(options),
      sample_(intake.shape().features, options.seed, options.sample_rows_max) {}

ChunkSums ChunkFolder::fold(const format::CsvChunk& chunk, std::uint64_t index) {
  ChunkSums sums{
      chunk.records,
      model::Accumulator(intake_.shape().terms, index < kChunksKept ? model::RowKeeping::kWhileFew
                                                                    : model::RowKeeping::kNone),
      model::Accumulator(intake_.shape().terms, model::RowKeeping::kNone),
      {}};
  intake_.parse(chunk, rows_, sums.refused);
  // Written to both sides and counted to one, as the processor cannot foresee which.
  to_train_.resize(rows_.rows);
  held_out_.resize(rows_.rows);
  const model::HoldOut is_held_out(options_.seed, options_.test_fraction);
  std::size_t out = 0;
  for (std::uint32_t row = 0; row < rows_.rows; ++row) {
    to_train_[row - out] = row;
    held_out_[out] = row;
    out += is_held_out(rows_.row_numbers[row]) ? 1 : 0;
  }
  to_train_.resize(rows_.rows - out);
  held_out_.resize(out);
  terms_ = &intake_.terms_of(rows_, scratch_);
  sums.trained.add(*terms_, to_train_);
  sums.held_out.add(*terms_, held_out_);
  sample_.add(rows_, held_out_);
  return sums;
}

void SplitSums::merge(const SplitSums& following) {
  trained.merge(following.trained);
  held_out.merge(following.held_out);
  digest.merge(following.digest);
}

void OpenSplit::add(const ChunkSums& chunk) {
  trained_.merge(chunk.trained);
  held_out_.merge(chunk.held_out);
}

SplitSums OpenSplit::close(std::string digest) && {
  return {std::move(trained_), std::move(held_out_), {std::move(digest)}};
}

void RefusedTally::add(const format::RefusedRows& refused, std::uint64_t part,
                       const std::string& part_name) {
  count_ += refused.count();
  blank_records_ += refused.blank_records();
  for (const auto& [reason, count] : refused.reasons()) reasons_[reason] += count;
  for (const auto& example : refused.examples()) {
    if (examples_.size() == format::RefusedRows::kExamplesMax) break;
    examples_.push_back({part, part_name, example});
  }
}

void RefusedTally::append(const RefusedTally& following, std::uint64_t part, std::uint64_t lines) {
  count_ += following.count_;
  blank_records_ += following.blank_records_;
  for (const auto& [reason, count] : following.reasons_) reasons_[reason] += count;
  for (Example example : following.examples_) {
    if (examples_.size() == format::RefusedRows::kExamplesMax) break;
    if (example.part == part) example.row.line += lines;
    examples_.push_back(std::move(example));
  }
}

RefusedTally RefusedTally::of(std::map<format::RefusedRows::Reason, std::uint64_t> reasons,
                              std::uint64_t blank_records, std::vector<Example> examples) {
  RefusedTally tally;
  for (const auto& [reason, count] : reasons) tally.count_ += count;
  tally.reasons_ = std::move(reasons);
  tally.blank_records_ = blank_records;
  tally.examples_ = std::move(examples);
  return tally;
}

SplitTotals::SplitTotals(RowShape shape, const TrainingOptions& options, std::uint64_t first_split)
    : first(first_split),
      sample(shape.features, options.seed, options.sample_rows_max),
      growing(make_growing(shape, options)) {}

std::optional<model::RowSample> make_growing(RowShape shape, const TrainingOptions& options) {
  if (options.algorithm == model::kLinear) return std::nullopt;
  return model::RowSample(shape.terms, options.seed,
                          growing_rows_max(options.boosted, shape.terms));
}

SplitTotals::SplitTotals(const SplitTotals& other, SplitTree<SplitSums> nodes)
    : first(other.first),
      count(other.count),
      tree(std::move(nodes)),
      refused(other.refused),
      records(other.records),
      sample(other.sample),
      growing(other.growing),
      place(other.place) {}

void SplitTotals::add_split(SplitSums sums) {
  tree.append({0, end(), std::move(sums)});
  ++count;
}

void SplitTotals::append(SplitTotals following) {
  WEIR_CHECK(following.first == end());
  const std::uint64_t lines = place.append(following.place);
  refused.append(following.refused, following.place.first_part, lines);
  count += following.count;
  records += following.records;
  tree.append(std::move(following.tree));
  sample.merge(following.sample);
  if (growing) growing->merge(*following.growing);
}

}  // namespace weir::train
