// The pass over the bytes is a small assembly line:
//
//   calling thread:  store -> CsvChunker -> queue of chunks
//   parser threads:  chunk -> rows -> the chunk's own two accumulators (to train on, held out)
//   whoever is done: merges finished chunks in the order of the file, and hashes their bytes, one
//   at
//                    a time
//
// No chunk has records of two splits (docs/decisions/splits.md): a machine that reads one split
// alone comes to the same sums.
//
// The cuts between chunks follow from the bytes alone and the merges from the cuts, so the result
// has the same bits on one thread or eight. A chunk that waits for its turn holds two small
// triangles, not its rows.
#include "train/dataset_training.h"

#include <algorithm>
#include <atomic>
#include <map>
#include <memory>
#include <mutex>
#include <optional>
#include <thread>
#include <utility>

#include "base/bounded_queue.h"
#include "format/csv_chunker.h"
#include "train/column_plan.h"
#include "train/ordered_sha256.h"
#include "train/row_intake.h"
#include "train/split_plan.h"
#include "train/split_totals.h"

namespace weir::train {
namespace {

constexpr std::size_t kChunksQueued = 3;
constexpr std::size_t kChunksToHashMax = 4;  // that were parsed before their turn
constexpr std::chrono::milliseconds kProgressEvery{200};

struct ChunkTask {
  std::uint64_t order = 0;  // in the data set
  std::uint64_t split = 0;
  std::uint64_t index = 0;  // in the split
  std::size_t part = 0;
  std::string before;  // bytes of the data set that no chunk has: headers
  format::CsvChunk chunk;
};

struct ChunkResult {
  std::uint64_t split = 0;
  std::size_t part = 0;
  ChunkSums sums;
};

// What all chunks before the next one have come to. Guarded by its mutex.
class Totals {
 public:
  Totals(const RowIntake& intake, const TrainingOptions& options, const registry::Dataset& dataset)
      : shape_(intake.shape()),
        dataset_(dataset),
        bad_rows_max_(options.bad_rows_max),
        totals_(shape_, options, 0),
        open_(shape_) {}

  // Takes a finished chunk; merges it and those that waited for it. False once there are more bad
  // rows than allowed: what follows is of no use.
  bool add(std::uint64_t order, ChunkResult result) {
    const std::lock_guard lock(mutex_);
    waiting_.emplace(order, std::move(result));
    for (auto next = waiting_.find(next_); next != waiting_.end() && !too_many_bad();
         next = waiting_.find(++next_)) {
      const ChunkResult& chunk = next->second;
      close_until(chunk.split);
      open_.add(chunk.sums);
      totals_.refused.add(chunk.sums.refused, chunk.part, dataset_.parts[chunk.part].name);
      totals_.records += chunk.sums.records;
      waiting_.erase(next);
    }
    return !too_many_bad();
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

  std::mutex mutex_;
  const RowShape shape_;
  const registry::Dataset& dataset_;
  const std::uint64_t bad_rows_max_;
  SplitTotals totals_;  // of splits that have ended; the rest of it of all chunks
  OpenSplit open_;
  std::map<std::uint64_t, ChunkResult> waiting_;
  std::uint64_t next_ = 0;
};

class Pass {
 public:
  Pass(store::FileStore& store, const registry::Dataset& dataset, const TrainingOptions& options,
       const ColumnPlan& columns, const ProgressFunction& progress)
      : store_(store),
        dataset_(dataset),
        options_(options),
        columns_(columns),
        progress_(progress),
        plan_(lay_out_splits(dataset, options.split_bytes)) {}

  Result<TrainedModel> run() {
    if (dataset_.identity.length == 0) {
      return fail(Code::kBadData, store_.url(dataset_.identity.path) + " is empty");
    }
    Status read = read_parts();
    queue_.close();
    for (std::thread& parser : parsers_) parser.join();
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
  using Time = std::chrono::steady_clock::time_point;

  bool rows_were_refused() const { return totals_ && totals_->too_many_bad(); }

  // ---- the calling thread ----

  Status read_parts() {
    for (std::size_t part = 0; part < dataset_.parts.size(); ++part) {
      const std::string& path = dataset_.parts[part].path;
      WEIR_TRY(during(read_part(part), "training on " + store_.url(path)));
      if (stopped_early()) return {};
    }
    next_progress_ = {};
    return report_progress();
  }

  Status read_part(std::size_t part) {
    format::CsvChunkerOptions chunker_options;
    chunker_options.record_bytes_max = options_.record_bytes_max;
    chunker_options.split_bytes = options_.split_bytes;
    format::CsvChunker chunker(chunker_options);
    // The numbers of the splits follow from the lengths that were listed.
    const std::uint64_t length = dataset_.parts[part].length;
    std::uint64_t read = 0;
    unchunked_from_ = unchunked_.size();
    chunk_seen_ = false;
    const auto changed = [] { return fail(Code::kNotFound, "it changed while it was read"); };
    WEIR_TRY(store_.read(dataset_.parts[part].path, 0, store::kToEnd,
                         [&](std::string_view bytes) -> Status {
                           if (stopped_early()) return fail(Code::kCancelled, "too many bad rows");
                           read += bytes.size();
                           if (read > length) return changed();
                           if (!chunk_seen_) unchunked_ += bytes;
                           bytes_ += bytes.size();
                           WEIR_TRY(report_progress());
                           WEIR_TRY(chunker.feed(bytes));
                           return take_chunks(part, chunker);
                         }));
    if (read != length) return changed();
    WEIR_TRY(chunker.finish());
    return take_chunks(part, chunker);
  }

  Status take_chunks(std::size_t part, format::CsvChunker& chunker) {
    if (!chunker.header()) return {};
    WEIR_TRY(see_header(*chunker.header(), part));
    while (auto chunk = chunker.next()) {
      const std::uint64_t split = plan_.first_split[part] + chunk->offset / options_.split_bytes;
      if (split != split_) {
        split_ = split;
        index_ = 0;
        records_ = 0;
      }
      chunk->first_record = row_number(split, records_);
      records_ += chunk->records;
      rows_ += chunk->records;
      if (!chunk_seen_) unchunked_.resize(unchunked_from_ + chunk->offset);
      chunk_seen_ = true;
      if (!queue_.push({order_++, split, index_++, part, std::exchange(unchunked_, {}),
                        std::move(*chunk)})) {
        break;
      }
    }
    return {};
  }

  Status see_header(const std::string& text, std::size_t part) {
    if (part < parts_begun_) return {};
    ++parts_begun_;
    if (intake_) {
      if (text == intake_->header()) return {};
      return fail(Code::kBadData, std::string(kOtherHeader));
    }
    intake_ = WEIR_TRY(RowIntake::make(text, options_, columns_));
    totals_ = std::make_unique<Totals>(*intake_, options_, dataset_);
    sample_ = std::make_unique<model::RowSample>(intake_->shape().features, options_.seed,
                                                 options_.sample_rows_max);
    growing_ = make_growing(intake_->shape(), options_);
    const unsigned processors = std::max(1U, std::thread::hardware_concurrency());
    const unsigned threads = options_.threads != 0 ? options_.threads : processors;
    for (unsigned i = 0; i < threads; ++i) parsers_.emplace_back([this] { parse_chunks(); });
    return {};
  }

  Status report_progress() {
    const Time now = std::chrono::steady_clock::now();
    if (now < next_progress_) return {};
    next_progress_ = now + kProgressEvery;
    return progress_({bytes_, dataset_.identity.length, rows_});
  }

  bool stopped_early() const { return stop_.load(std::memory_order_relaxed); }

  // ---- a parser thread ----

  void parse_chunks() {
    ChunkFolder folder(*intake_, options_);
    while (auto task = queue_.pop()) {
      // When it is over they are drained, so that the reader never waits.
      if (!stopped_early()) parse_chunk(folder, *task);
      hash_.add(task->order, std::move(task->before), std::move(task->chunk.bytes));
    }
    const std::lock_guard lock(sample_mutex_);
    sample_->merge(folder.sample());
  }

  void parse_chunk(ChunkFolder& folder, const ChunkTask& task) {
    ChunkSums sums = folder.fold(task.chunk, task.index);
    if (growing_) {
      // One for all threads, as it may be large; what it holds in the end is the same.
      const std::lock_guard lock(growing_mutex_);
      growing_->add(folder.terms(), folder.to_train());
    }
    if (!totals_->add(task.order, {task.split, task.part, std::move(sums)})) stop_ = true;
  }

  // ---- after the pass ----

  Result<TrainedModel> make_model() {
    const std::string sha256 = hash_.finish_hex(unchunked_);
    SplitTotals totals = totals_->finish(plan_.splits, *sample_);
    totals.growing = std::move(growing_);
    growing_.reset();
    TrainedModel trained =
        WEIR_TRY(make_trained_model(std::move(totals), intake_->schema(), columns_, options_,
                                    [this] { return report_progress(); }));
    trained.manifest.dataset_sha256 = sha256;
    trained.manifest.splits_sha256 = plan_.splits == 1 ? sha256 : "";
    return trained;
  }

  store::FileStore& store_;
  const registry::Dataset& dataset_;
  const TrainingOptions& options_;
  const ColumnPlan& columns_;
  const ProgressFunction& progress_;
  const SplitLayout plan_;

  BoundedQueue<ChunkTask> queue_{kChunksQueued};
  std::atomic<bool> stop_{false};
  std::mutex sample_mutex_;
  std::unique_ptr<model::RowSample> sample_;  // guarded by sample_mutex_ while parsers run
  std::mutex growing_mutex_;
  std::optional<model::RowSample> growing_;  // guarded by growing_mutex_; absent without trees

  // Set once by the calling thread before the parsers start, then constant (Totals locks itself).
  std::optional<RowIntake> intake_;
  std::unique_ptr<Totals> totals_;
  std::vector<std::thread> parsers_;

  OrderedSha256 hash_{kChunksToHashMax};

  // The calling thread's own.
  std::string unchunked_;           // what is to be hashed before the next chunk
  std::size_t unchunked_from_ = 0;  // where the current part begins in it
  bool chunk_seen_ = false;         // of the current part
  std::uint64_t bytes_ = 0;
  std::size_t parts_begun_ = 0;
  std::uint64_t order_ = 0;    // of the next chunk
  std::uint64_t split_ = 0;    // of the last chunk
  std::uint64_t index_ = 0;    // of the next chunk in that split
  std::uint64_t records_ = 0;  // so far in that split
  std::uint64_t rows_ = 0;     // so far in the data set, blank ones included
  Time next_progress_{};
};

}  // namespace

Result<TrainedModel> train_on_dataset(store::FileStore& store, const registry::Dataset& dataset,
                                      const TrainingOptions& options,
                                      const ProgressFunction& progress) {
  const auto still_wanted = [&](std::uint64_t bytes) {
    return progress({bytes, dataset.identity.length, 0});
  };
  const std::string what = "training on " + store.url(dataset.identity.path);
  const ColumnPlan plan =
      WEIR_TRY(during(plan_dataset(store, dataset, options, still_wanted), what));
  Pass pass(store, dataset, options, plan, progress);
  auto trained = pass.run();
  if (trained || plan.from_all_rows || !pass.met_texts()) return trained;
  // What looked like numbers at first may be something else further down.
  const auto second_plan = plan_from_all_rows(store, dataset, options, still_wanted);
  if (!second_plan && second_plan.error().code() != Code::kBadData) {
    return fail(Error(second_plan.error()).while_doing(what));
  }
  if (!second_plan || second_plan->same_as(plan)) return trained;
  return Pass(store, dataset, options, *second_plan, progress).run();
}

}  // namespace weir::train
