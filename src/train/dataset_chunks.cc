#include "train/dataset_chunks.h"

#include <algorithm>
#include <utility>

#include "train/split_totals.h"

namespace weir::train {
namespace {

constexpr std::size_t kChunksQueued = 3;
constexpr std::chrono::milliseconds kProgressEvery{200};

}  // namespace

DatasetChunks::DatasetChunks(store::FileStore& store, const registry::Dataset& dataset,
                             const TrainingOptions& options, Progress progress)
    : store_(store),
      dataset_(dataset),
      options_(options),
      progress_(std::move(progress)),
      layout_(lay_out_splits(dataset, options.split_bytes)),
      queue_(kChunksQueued) {}

Status DatasetChunks::read(std::string_view doing,
                           const std::function<Status(const std::string&)>& begin,
                           const std::function<void()>& work) {
  begin_ = begin;
  work_ = work;
  Status read = read_parts(doing);
  queue_.close();
  for (std::thread& thread : threads_) thread.join();
  threads_.clear();
  return read;
}

Status DatasetChunks::read_parts(std::string_view doing) {
  for (std::size_t part = 0; part < dataset_.parts.size(); ++part) {
    Status read = read_part(part);
    if (stopped()) return {};
    WEIR_TRY(during(std::move(read), std::string(doing) + store_.url(dataset_.parts[part].path)));
  }
  next_progress_ = {};
  return report_progress();
}

Status DatasetChunks::read_part(std::size_t part) {
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
                         if (stopped()) return fail(Code::kCancelled, "what follows is of no use");
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

Status DatasetChunks::take_chunks(std::size_t part, format::CsvChunker& chunker) {
  if (!chunker.header()) return {};
  WEIR_TRY(see_header(*chunker.header(), part));
  while (auto chunk = chunker.next()) {
    const std::uint64_t split = layout_.first_split[part] + chunk->offset / options_.split_bytes;
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
    if (!queue_.push(
            {order_++, split, index_++, part, std::exchange(unchunked_, {}), std::move(*chunk)})) {
      break;
    }
  }
  return {};
}

Status DatasetChunks::see_header(const std::string& text, std::size_t part) {
  if (part < parts_begun_) return {};
  ++parts_begun_;
  if (header_) {
    if (text == *header_) return {};
    return fail(Code::kBadData, std::string(kOtherHeader));
  }
  header_ = text;
  WEIR_TRY(begin_(text));
  const unsigned processors = std::max(1U, std::thread::hardware_concurrency());
  const std::size_t threads = options_.threads != 0 ? options_.threads : processors;
  for (std::size_t i = 0; i < std::min(threads, threads_max_); ++i) threads_.emplace_back(work_);
  return {};
}

Status DatasetChunks::report_progress() {
  const Time now = std::chrono::steady_clock::now();
  if (now < next_progress_) return {};
  next_progress_ = now + kProgressEvery;
  return progress_(bytes_, rows_);
}

}  // namespace weir::train
