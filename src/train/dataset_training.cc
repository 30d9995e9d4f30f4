// The pass over the bytes is a small assembly line:
//
//   calling thread:  store -> chunks of whole records (dataset_chunks.h)
//   parser threads:  chunk -> rows -> the chunk's own two accumulators (to train on, held out)
//   whoever is done: merges finished chunks in the order of the file, and hashes their bytes, one
//                    at a time
//
// The cuts between chunks follow from the bytes alone and the merges from the cuts, so the result
// has the same bits on one thread or eight. A chunk that waits for its turn holds two small
// triangles, not its rows.
#include "train/dataset_training.h"

#include <algorithm>
#include <memory>
#include <mutex>
#include <optional>
#include <utility>

#include "train/column_plan.h"
#include "train/dataset_chunks.h"
#include "train/in_order.h"
#include "train/ordered_sha256.h"
#include "train/row_intake.h"
#include "train/split_totals.h"

namespace weir::train {
namespace {

constexpr std::size_t kChunksToHashMax = 4;  // that were parsed before their turn

struct ChunkResult {
  std::uint64_t split = 0;
  std::size_t part = 0;
  ChunkSums sums;
};

// What all chunks before the next one have come to.
class Totals {
 public:
  Totals(const RowIntake& intake, const TrainingOptions& options, const registry::Dataset& dataset)
      : shape_(intake.shape()),
        dataset_(dataset),
        bad_rows_max_(options.bad_rows_max),
        totals_(shape_, options, 0),
        open_(shape_) {}

  // Takes a finished chunk; merges it and those that waited for it. False once there are more bad
  // rows than allowed: what follows is of no use. From any thread.
  bool add(std::uint64_t order, ChunkResult result) {
    return in_order_.add(order, std::move(result), [this](const ChunkResult& chunk) {
      close_until(chunk.split);
      open_.add(chunk.sums);
      totals_.refused.add(chunk.sums.refused, chunk.part, dataset_.parts[chunk.part].name);
      totals_.records += chunk.sums.records;
      return !too_many_bad();
    });
  }

  // After all threads have ended:
  bool too_many_bad() const { return totals_.refused.count() > bad_rows_max_; }
  const RefusedTally& refused() const { return totals_.refused; }
  SplitTotals finish(std::uint64_t splits, const model::RowSample& sample) {
    close_until(splits);
    totals_.sample.merge(sample);
    return std::move(totals_);
  }

 private:
  void close_until(std::uint64_t split) {
    while (totals_.end() < split) {
      totals_.add_split(std::move(open_).close(""));  // what was read as a whole has its sha256
      open_ = OpenSplit(shape_);
    }
  }

  const RowShape shape_;
  const registry::Dataset& dataset_;
  const std::uint64_t bad_rows_max_;
  SplitTotals totals_;  // of splits that have ended; the rest of it of all chunks
  OpenSplit open_;
  InOrder<ChunkResult> in_order_;
};

class Pass {
 public:
  Pass(store::FileStore& store, const registry::Dataset& dataset, const TrainingOptions& options,
       const ColumnPlan& columns, const ProgressFunction& progress)
      : store_(store),
        dataset_(dataset),
        options_(options),
        columns_(columns),
        chunks_(store, dataset, options, [&](std::uint64_t bytes, std::uint64_t rows) {
          return progress({bytes, dataset.identity.length, rows});
        }) {}

  Result<TrainedModel> run() {
    if (dataset_.identity.length == 0) {
      return fail(Code::kBadData, store_.url(dataset_.identity.path) + " is empty");
    }
    Status read = chunks_.read(
        "training on ", [this](const std::string& header) { return begin(header); },
        [this] { parse_chunks(); });
    const std::string what = "training on " + store_.url(dataset_.identity.path);
    if (rows_were_refused()) {
      return fail(
          too_many_bad_rows(totals_->refused(), options_, dataset_.is_folder).while_doing(what));
    }
    WEIR_TRY(std::move(read));
    return during(make_model(), what);
  }

  // After run(): whether more rows were bad than may be, some for text where numbers were expected.
  bool met_texts() const {
    return rows_were_refused() &&
           met_in_features(totals_->refused(), format::RowFault::kNotANumber, options_);
  }

 private:
  bool rows_were_refused() const { return totals_ && totals_->too_many_bad(); }

  Status begin(const std::string& header) {
    intake_ = WEIR_TRY(RowIntake::make(header, options_, columns_));
    totals_ = std::make_unique<Totals>(*intake_, options_, dataset_);
    sample_ = std::make_unique<model::RowSample>(intake_->shape().features, options_.seed,
                                                 options_.sample_rows_max);
    growing_ = make_growing(intake_->shape(), options_);
    return {};
  }

  // ---- a parser thread ----

  void parse_chunks() {
    ChunkFolder folder(*intake_, options_);
    while (auto task = chunks_.next()) {
      // When it is over they are drained, so that the reader never waits.
      if (!chunks_.stopped()) parse_chunk(folder, *task);
      hash_.add(task->order, std::move(task->before), std::move(task->chunk.bytes));
    }
    const std::lock_guard lock(sample_mutex_);
    sample_->merge(folder.sample());
  }

  void parse_chunk(ChunkFolder& folder, const DatasetChunk& task) {
    ChunkSums sums = folder.fold(task.chunk, task.index);
    if (growing_) {
      // One for all threads, as it may be large; what it holds in the end is the same.
      const std::lock_guard lock(growing_mutex_);
      growing_->add(folder.terms(), folder.to_train());
    }
    if (!totals_->add(task.order, {task.split, task.part, std::move(sums)})) chunks_.stop();
  }

  // ---- after the pass ----

  Result<TrainedModel> make_model() {
    const std::string sha256 = hash_.finish_hex(chunks_.behind_the_last());
    const std::uint64_t splits = chunks_.layout().splits;
    SplitTotals totals = totals_->finish(splits, *sample_);
    totals.growing = std::move(growing_);
    growing_.reset();
    TrainedModel trained =
        WEIR_TRY(make_trained_model(std::move(totals), intake_->schema(), columns_, options_,
                                    [this] { return chunks_.report_progress(); }));
    trained.manifest.dataset_sha256 = sha256;
    trained.manifest.splits_sha256 = splits == 1 ? sha256 : "";
    return trained;
  }

  store::FileStore& store_;
  const registry::Dataset& dataset_;
  const TrainingOptions& options_;
  const ColumnPlan& columns_;
  DatasetChunks chunks_;

  std::mutex sample_mutex_;
  std::unique_ptr<model::RowSample> sample_;  // guarded by sample_mutex_ while parsers run
  std::mutex growing_mutex_;
  std::optional<model::RowSample> growing_;  // guarded by growing_mutex_; absent without trees

  // Set once by the calling thread before the parsers start, then constant (Totals locks itself).
  std::optional<RowIntake> intake_;
  std::unique_ptr<Totals> totals_;

  OrderedSha256 hash_{kChunksToHashMax};
};

}  // namespace

Result<TrainedModel> train_on_dataset(store::FileStore& store, const registry::Dataset& dataset,
                                      const TrainingOptions& options,
                                      const ProgressFunction& progress) {
  const auto all_rows = [&] {
    return profile_all_rows(store, dataset, options, [&](std::uint64_t bytes) {
      return progress({bytes, dataset.identity.length, 0});
    });
  };
  const std::string what = "training on " + store.url(dataset.identity.path);
  const ColumnPlan plan = WEIR_TRY(during(plan_dataset(store, dataset, options, all_rows), what));
  Pass pass(store, dataset, options, plan, progress);
  auto trained = pass.run();
  if (trained || plan.from_all_rows || !pass.met_texts()) return trained;
  // What looked like numbers at first may be something else further down.
  const auto second_plan = plan_from_all_rows(options, all_rows);
  if (!second_plan && second_plan.error().code() != Code::kBadData) {
    return fail(Error(second_plan.error()).while_doing(what));
  }
  if (!second_plan || second_plan->same_as(plan)) return trained;
  return Pass(store, dataset, options, *second_plan, progress).run();
}

}  // namespace weir::train
