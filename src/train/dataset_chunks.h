// A data set on its way through this machine: read from its first byte to its last, cut into chunks
// of whole records, and handed to as many threads as there are to be. No chunk has records of two
// splits (docs/decisions/splits.md), so a machine that reads one split alone comes to the same
// chunks.
//
//   calling thread:  store -> CsvChunker -> queue of chunks
//   other threads:   next() until there is none
//
// The cuts follow from the bytes alone: what is made of each chunk, and merged in their order, has
// the same bits on one thread or eight. Memory: a few chunks of 1 MiB for each thread.
//
// Owner: a pass; read() starts and joins the threads. Threads: next(), stop() and stopped() from
// any; all else from the calling one. Errors: kBadData with the part and the line; kNotFound where
// a part is longer or shorter than it was listed; the store's; those of what it was given.
#pragma once

#include <algorithm>
#include <atomic>
#include <chrono>
#include <cstdint>
#include <functional>
#include <limits>
#include <optional>
#include <string>
#include <string_view>
#include <thread>
#include <vector>

#include "base/bounded_queue.h"
#include "base/error.h"
#include "format/csv_chunker.h"
#include "registry/dataset_folder.h"
#include "store/file_store.h"
#include "train/split_plan.h"
#include "train/training_options.h"

namespace weir::train {

struct DatasetChunk {
  std::uint64_t order = 0;  // in the data set
  std::uint64_t split = 0;
  std::uint64_t index = 0;  // in the split
  std::size_t part = 0;
  std::string before;  // bytes of the data set that no chunk has: headers
  format::CsvChunk chunk;
};

class DatasetChunks {
 public:
  // Of what was read so far, rows with blank ones. Called on the calling thread a few times a
  // second; its error ends the reading.
  using Progress = std::function<Status(std::uint64_t bytes, std::uint64_t rows)>;

  // All outlive it.
  DatasetChunks(store::FileStore& store, const registry::Dataset& dataset,
                const TrainingOptions& options, Progress progress);

  // `doing`: what is told of an error, before the part's address, such as "training on ".
  // `begin`: told the header on the calling thread, before any other thread is there. `work`: on
  // each of those, until next() has no more.
  Status read(std::string_view doing, const std::function<Status(const std::string&)>& begin,
              const std::function<void()>& work);

  // For `begin`: there are to be no more threads than so many; one at least.
  void limit_threads(std::size_t most) { threads_max_ = std::max<std::size_t>(most, 1); }

  std::optional<DatasetChunk> next() { return queue_.pop(); }
  // What follows is of no use: the reading ends soon, without an error of its own. What is queued
  // is to be drained all the same.
  void stop() { stop_ = true; }
  bool stopped() const { return stop_.load(std::memory_order_relaxed); }

  // After read():
  const SplitLayout& layout() const { return layout_; }
  const std::string& behind_the_last() const { return unchunked_; }  // bytes that no chunk has
  Status report_progress();

 private:
  using Time = std::chrono::steady_clock::time_point;

  Status read_parts(std::string_view doing);
  Status read_part(std::size_t part);
  Status take_chunks(std::size_t part, format::CsvChunker& chunker);
  Status see_header(const std::string& text, std::size_t part);

  store::FileStore& store_;
  const registry::Dataset& dataset_;
  const TrainingOptions& options_;
  const Progress progress_;
  const SplitLayout layout_;
  std::function<Status(const std::string&)> begin_;
  std::function<void()> work_;

  BoundedQueue<DatasetChunk> queue_;
  std::atomic<bool> stop_{false};
  std::vector<std::thread> threads_;
  std::size_t threads_max_ = std::numeric_limits<std::size_t>::max();

  // The calling thread's own.
  std::optional<std::string> header_;
  std::string unchunked_;           // what comes before the next chunk
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

}  // namespace weir::train
