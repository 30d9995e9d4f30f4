// The pass over the bytes is a small assembly line:
//
//   calling thread:  store -> sha256 -> CsvChunker -> queue of chunks
//   parser threads:  chunk -> rows -> the chunk's own two accumulators (to train on, held out)
//   whoever is done: merges finished chunks in the order of the file, one at a time
//
// The cuts between chunks follow from the bytes alone and the merges from the cuts, so the result
// has the same bits on one thread or eight. A chunk that waits for its turn holds two small
// triangles, not its rows.
#include "train/dataset_training.h"

#include <algorithm>
#include <atomic>
#include <cmath>
#include <map>
#include <memory>
#include <mutex>
#include <optional>
#include <thread>

#include "base/bounded_queue.h"
#include "base/sha256.h"
#include "base/text.h"
#include "format/csv_chunker.h"
#include "format/csv_record.h"
#include "format/csv_rows.h"
#include "model/accumulator.h"
#include "model/row_sample.h"
#include "model/split.h"
#include "registry/model_document.h"
#include "train/column_plan.h"
#include "train/model_choice.h"

namespace weir::train {
namespace {

constexpr std::size_t kChunksQueued = 3;
constexpr std::size_t kReasonExamplesMax = 5;
// A small data set's rows are kept, to refine the fit on them (model/row_refinement.h); what has
// more chunks than this has too many rows, and need not copy any.
constexpr std::uint64_t kChunksKept = 8;
constexpr std::chrono::milliseconds kProgressEvery{200};

struct ChunkTask {
  std::uint64_t index = 0;
  std::size_t part = 0;
  format::CsvChunk chunk;
};

struct ChunkResult {
  std::size_t part = 0;
  std::uint64_t records = 0;
  model::Accumulator trained;
  model::Accumulator held_out;
  format::RefusedRows refused;
};

// What all chunks before the next one have come to. Guarded by its mutex.
class Totals {
 public:
  Totals(std::size_t columns, std::uint64_t bad_rows_max)
      : trained_(columns), held_out_(columns), bad_rows_max_(bad_rows_max) {}

  // Takes a finished chunk; merges it and those that waited for it. False once there are more bad
  // rows than allowed: what follows is of no use.
  bool add(std::uint64_t index, ChunkResult result) {
    const std::lock_guard lock(mutex_);
    waiting_.emplace(index, std::move(result));
    for (auto next = waiting_.find(next_); next != waiting_.end() && !too_many_bad();
         next = waiting_.find(++next_)) {
      trained_.merge(next->second.trained);
      held_out_.merge(next->second.held_out);
      refused_[next->second.part].merge(next->second.refused);
      refused_count_ += next->second.refused.count();
      records_ += next->second.records;
      blank_ += next->second.refused.blank_records();
      waiting_.erase(next);
    }
    return !too_many_bad();
  }

  // After all threads have ended:
  bool too_many_bad() const { return refused_count_ > bad_rows_max_; }
  std::size_t columns() const { return trained_.columns(); }
  const model::Accumulator& trained() const { return trained_; }
  const model::Accumulator& held_out() const { return held_out_; }
  const std::map<std::size_t, format::RefusedRows>& refused() const { return refused_; }
  std::uint64_t refused_count() const { return refused_count_; }
  std::uint64_t rows() const { return records_ - blank_; }

 private:
  std::mutex mutex_;
  model::Accumulator trained_;
  model::Accumulator held_out_;
  std::map<std::size_t, format::RefusedRows> refused_;  // by part
  std::map<std::uint64_t, ChunkResult> waiting_;
  std::uint64_t next_ = 0;
  std::uint64_t refused_count_ = 0;
  std::uint64_t records_ = 0;
  std::uint64_t blank_ = 0;
  const std::uint64_t bad_rows_max_;
};

class Pass {
 public:
  Pass(store::FileStore& store, const registry::Dataset& dataset, const TrainingOptions& options,
       const ColumnPlan& plan, const ProgressFunction& progress)
      : store_(store), dataset_(dataset), options_(options), plan_(plan), progress_(progress) {}

  Result<TrainedModel> run() {
    if (dataset_.identity.length == 0) {
      return fail(Code::kBadData, store_.url(dataset_.identity.path) + " is empty");
    }
    Status read = read_parts();
    queue_.close();
    for (std::thread& parser : parsers_) parser.join();
    if (rows_were_refused()) return fail(too_many_bad_rows());
    WEIR_TRY(std::move(read));
    return make_model();
  }

  // After run(): whether more rows were bad than may be, some for text where numbers were expected.
  bool met_texts() const { return rows_were_refused() && met(format::RowFault::kNotANumber); }

 private:
  using Time = std::chrono::steady_clock::time_point;

  bool rows_were_refused() const { return totals_ && totals_->too_many_bad(); }

  // Whether a row was refused for this in a feature's column.
  bool met(format::RowFault fault) const {
    for (const auto& [part, refused] : totals_->refused()) {
      for (const auto& [reason, count] : refused.reasons()) {
        if (reason.fault == fault && reason.column != options_.target) return true;
      }
    }
    return false;
  }

  // ---- the calling thread ----

  Status read_parts() {
    for (std::size_t part = 0; part < dataset_.parts.size(); ++part) {
      const std::string& path = dataset_.parts[part].path;
      WEIR_TRY(during(read_part(part), "training on " + store_.url(path)));
      if (stopped_early()) return {};
    }
    return {};
  }

  Status read_part(std::size_t part) {
    format::CsvChunkerOptions chunker_options;
    chunker_options.record_bytes_max = options_.record_bytes_max;
    format::CsvChunker chunker(chunker_options);
    const std::uint64_t first_record = next_record_;
    bool header_seen = false;
    const auto take_chunks = [&]() -> Status {
      if (!header_seen && chunker.header()) {
        WEIR_TRY(see_header(*chunker.header()));
        header_seen = true;
      }
      while (auto chunk = chunker.next()) {
        chunk->first_record += first_record;
        next_record_ = chunk->first_record + chunk->records;
        if (!queue_.push({next_index_++, part, std::move(*chunk)})) break;
      }
      return {};
    };
    WEIR_TRY(store_.read(dataset_.parts[part].path, 0, store::kToEnd,
                         [&](std::string_view bytes) -> Status {
                           if (stopped_early()) return fail(Code::kCancelled, "too many bad rows");
                           hash_.update(bytes);
                           bytes_ += bytes.size();
                           WEIR_TRY(report_progress());
                           WEIR_TRY(chunker.feed(bytes));
                           return take_chunks();
                         }));
    WEIR_TRY(chunker.finish());
    return take_chunks();
  }

  Status see_header(const std::string& text) {
    if (reader_) {
      if (text == header_text_) return {};
      return fail(Code::kBadData, "its header differs from the first part's");
    }
    const auto names = WEIR_TRY(during(format::parse_csv_header(text), "reading line 1"));
    std::vector<std::string> dropped = options_.drop_columns;
    dropped.insert(dropped.end(), plan_.ignored.begin(), plan_.ignored.end());
    reader_ = WEIR_TRY(during(format::CsvRowReader::make(names, options_.target, dropped),
                              "reading the header in line 1"));
    header_text_ = text;
    if (plan_.preparation) reader_->set_inputs(plan_.preparation->inputs());
    const std::size_t inputs = reader_->schema().features.size() + 1;
    const std::size_t columns = plan_.preparation ? plan_.preparation->terms().size() + 1 : inputs;
    totals_ = std::make_unique<Totals>(columns, options_.bad_rows_max);
    sample_ = std::make_unique<model::RowSample>(inputs, options_.seed, options_.sample_rows_max);
    if (options_.algorithm != model::kLinear) {
      growing_ = std::make_unique<model::RowSample>(columns, options_.seed,
                                                    growing_rows_max(options_.boosted, columns));
    }
    const unsigned processors = std::max(1U, std::thread::hardware_concurrency());
    const unsigned threads = options_.threads != 0 ? options_.threads : processors;
    for (unsigned i = 0; i < threads; ++i) parsers_.emplace_back([this] { parse_chunks(); });
    return {};
  }

  Status report_progress() {
    const Time now = std::chrono::steady_clock::now();
    if (now < next_progress_) return {};
    next_progress_ = now + kProgressEvery;
    return progress_({bytes_, dataset_.identity.length});
  }

  bool stopped_early() const { return stop_.load(std::memory_order_relaxed); }

  // ---- a parser thread ----

  void parse_chunks() {
    const std::size_t columns = totals_->columns();
    model::RowSample sample(reader_->schema().features.size() + 1, options_.seed,
                            options_.sample_rows_max);
    record::RowBlock rows;
    record::RowBlock expanded;
    std::vector<std::uint32_t> to_train;
    std::vector<std::uint32_t> held_out;
    while (auto task = queue_.pop()) {
      if (stopped_early()) continue;  // drain, so that the reader never waits
      ChunkResult result{
          task->part,
          task->chunk.records,
          model::Accumulator(columns, task->index < kChunksKept ? model::RowKeeping::kWhileFew
                                                                : model::RowKeeping::kNone),
          model::Accumulator(columns, model::RowKeeping::kNone),
          {}};
      reader_->parse(task->chunk, rows, result.refused);
      to_train.clear();
      held_out.clear();
      for (std::uint32_t row = 0; row < rows.rows; ++row) {
        const bool out =
            model::is_held_out(options_.seed, rows.row_numbers[row], options_.test_fraction);
        (out ? held_out : to_train).push_back(row);
      }
      sample.add(rows, held_out);
      if (plan_.preparation) expanded = plan_.preparation->expand(rows);
      const record::RowBlock& terms = plan_.preparation ? expanded : rows;
      result.trained.add(terms, to_train);
      result.held_out.add(terms, held_out);
      if (growing_) {
        // One for all threads, as it may be large; what it holds in the end is the same.
        const std::lock_guard lock(growing_mutex_);
        growing_->add(terms, to_train);
      }
      if (!totals_->add(task->index, std::move(result))) stop_ = true;
    }
    const std::lock_guard lock(sample_mutex_);
    sample_->merge(sample);
  }

  // ---- after the pass ----

  Error too_many_bad_rows() const {
    std::string reason = std::to_string(totals_->refused_count()) + " bad rows so far, " +
                         std::to_string(options_.bad_rows_max) + " allowed (dataset.bad_rows_max)";
    std::size_t told = 0;
    for (const auto& [part, refused] : totals_->refused()) {
      for (const auto& example : refused.examples()) {
        if (told++ >= kReasonExamplesMax) break;
        reason += (told == 1 ? ": " : "; ");
        if (dataset_.is_folder) reason += dataset_.parts[part].name + " ";
        reason += example.text();
      }
    }
    if (options_.features.missing == "refuse" && met(format::RowFault::kEmptyCell)) {
      reason += "; features.missing says what may stand in for values that are missing";
    }
    return Error(Code::kBadData, reason)
        .while_doing("training on " + store_.url(dataset_.identity.path));
  }

  Result<TrainedModel> make_model() {
    const std::string what = "training on " + store_.url(dataset_.identity.path);
    const record::Schema& schema = reader_->schema();
    record::RowBlock sample = sample_->to_block();
    ChosenModel chosen = WEIR_TRY(during(choose(sample), what));
    TrainedModel trained;
    registry::Manifest& manifest = trained.manifest;
    manifest.algorithm = std::string(chosen.model->algorithm());
    manifest.schema = schema;
    manifest.feature_types = registry::feature_types_of(chosen.model->inputs());
    manifest.dataset_sha256 = hash_.finish_hex();
    manifest.rows = totals_->rows();
    manifest.rows_trained = totals_->trained().rows();
    manifest.rows_held_out = totals_->held_out().rows();
    manifest.rows_refused = totals_->refused_count();
    for (const auto& [part, refused] : totals_->refused()) {
      for (const auto& [reason, count] : refused.reasons()) {
        std::string name(format::row_fault_name(reason.fault));
        if (!reason.column.empty()) name += " " + one_line(reason.column);
        manifest.refused_by_reason[name] += count;
      }
    }
    manifest.seed = options_.seed;
    manifest.test_fraction = options_.test_fraction;
    manifest.drop_columns = options_.drop_columns;
    manifest.intercept = options_.intercept;
    manifest.ridge = options_.ridge;
    manifest.wanted_algorithm = options_.algorithm;
    manifest.boosted = options_.boosted;
    manifest.features = options_.features;
    manifest.candidates = std::move(chosen.candidates);
    manifest.has_held_out = chosen.has_held_out;
    manifest.held_out = chosen.held_out;
    manifest.fit = std::move(chosen.fit);
    manifest.notes = plan_.notes;
    manifest.notes.insert(manifest.notes.end(), chosen.notes.begin(), chosen.notes.end());
    trained.model_json = chosen.model->to_json();
    trained.model = std::move(chosen.model);
    trained.test_csv = registry::test_csv_of(schema, trained.model->inputs(), sample);
    trained.held_out_sample = std::move(sample);
    return trained;
  }

  Result<ChosenModel> choose(const record::RowBlock& sample) {
    const record::RowBlock growing = growing_ ? growing_->to_block() : record::RowBlock();
    growing_.reset();
    ChoiceOptions choice{options_.algorithm, options_.boosted, options_.seed,
                         options_.intercept, options_.ridge,   nullptr};
    if (plan_.preparation) choice.preparation = &*plan_.preparation;
    return choose_model({totals_->trained(), totals_->held_out(), sample, growing},
                        reader_->schema(), choice, [this] { return report_progress(); });
  }

  store::FileStore& store_;
  const registry::Dataset& dataset_;
  const TrainingOptions& options_;
  const ColumnPlan& plan_;
  const ProgressFunction& progress_;

  BoundedQueue<ChunkTask> queue_{kChunksQueued};
  std::atomic<bool> stop_{false};
  std::mutex sample_mutex_;
  std::unique_ptr<model::RowSample> sample_;  // guarded by sample_mutex_ while parsers run
  std::mutex growing_mutex_;
  std::unique_ptr<model::RowSample> growing_;  // guarded by growing_mutex_; absent without trees

  // Set once by the calling thread before the parsers start, then constant (Totals locks itself).
  std::string header_text_;
  std::optional<format::CsvRowReader> reader_;
  std::unique_ptr<Totals> totals_;
  std::vector<std::thread> parsers_;

  // The calling thread's own.
  Sha256 hash_;
  std::uint64_t bytes_ = 0;
  std::uint64_t next_record_ = 0;
  std::uint64_t next_index_ = 0;
  Time next_progress_{};
};

// What the columns are: from the first megabyte where that is enough. nullopt: it tells nothing,
// and the pass itself will say why.
Result<std::optional<format::DatasetProfile>> profile_first(store::FileStore& store,
                                                            const registry::Dataset& dataset,
                                                            const TrainingOptions& options) {
  using Profile = std::optional<format::DatasetProfile>;
  auto first =
      profile_dataset(store, dataset, options.record_bytes_max, options.features.missing_words,
                      kProfiledFirst, [](std::uint64_t) { return Status{}; });
  if (first) return Profile(std::move(*first));
  if (first.error().code() != Code::kBadData) return fail(std::move(first.error()));
  return Profile();
}

}  // namespace

Result<TrainedModel> train_on_dataset(store::FileStore& store, const registry::Dataset& dataset,
                                      const TrainingOptions& options,
                                      const ProgressFunction& progress) {
  const PlanOptions plan_options{options.target, options.drop_columns, options.features};
  const auto plan_from_all = [&]() -> Result<ColumnPlan> {
    const auto profile = WEIR_TRY(
        profile_dataset(store, dataset, options.record_bytes_max, options.features.missing_words,
                        std::nullopt, [&](std::uint64_t bytes) {
                          return progress({bytes, dataset.identity.length});
                        }));
    return plan_columns(profile, plan_options);
  };
  const std::string what = "training on " + store.url(dataset.identity.path);
  ColumnPlan plan;
  bool planned_from_all = false;
  if (dataset.identity.length > 0) {
    const auto first = WEIR_TRY(during(profile_first(store, dataset, options), what));
    if (first && first->rows() > first->malformed() && first->find(options.target) != nullptr) {
      planned_from_all = needs_all_rows(*first, plan_options);
      plan = WEIR_TRY(
          during(planned_from_all ? plan_from_all() : plan_columns(*first, plan_options), what));
    }
  }
  Pass pass(store, dataset, options, plan, progress);
  auto trained = pass.run();
  if (trained || planned_from_all || !pass.met_texts()) return trained;
  // What looked like numbers at first may be something else further down.
  auto second_plan = plan_from_all();
  if (!second_plan || second_plan->same_as(plan)) return trained;
  return Pass(store, dataset, options, *second_plan, progress).run();
}

}  // namespace weir::train
