// What a run of splits that follow each other has come to: sums to fit a model from, rows that were
// refused, samples. Runs are merged in order, to the same bits however they were grouped.
//
// Inside a split, chunks are folded apart and merged in the order of the file (ChunkFolder, then
// OpenSplit); splits are merged by the SplitTree.
//
// A row's number is the number of its split in the data set times 2^32, and which record of that
// split it is. So it is known without having read what stands before.
//
// Owner: a pass. Threads: one per object. Errors: none.
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "format/csv_rows.h"
#include "model/accumulator.h"
#include "model/row_sample.h"
#include "train/row_intake.h"
#include "train/run_place.h"
#include "train/split_digest.h"
#include "train/split_tree.h"
#include "train/training_options.h"

namespace weir::train {

// How many rows trees are grown on, at most, where there are so many columns, the target included.
std::size_t growing_rows_max(const registry::BoostedSettings& settings, std::size_t columns);

inline constexpr unsigned kRecordBits = 32;  // of a row number
inline constexpr std::uint64_t kSplitsMax = std::uint64_t{1} << 31;

constexpr std::uint64_t row_number(std::uint64_t split, std::uint64_t record) {
  return (split << kRecordBits) + record;
}

// The rows of a chunk, folded.
struct ChunkSums {
  std::uint64_t records = 0;  // blank ones included
  model::Accumulator trained;
  model::Accumulator held_out;
  format::RefusedRows refused;
};

// Parses chunks and folds them; one for each thread. Keeps the samples of what it has seen.
class ChunkFolder {
 public:
  ChunkFolder(const RowIntake& intake, const TrainingOptions& options);

  // `chunk.first_record` is a row number; `index`: which chunk of its split it is.
  ChunkSums fold(const format::CsvChunk& chunk, std::uint64_t index);
  // Of the last fold():
  const record::RowBlock& terms() const { return *terms_; }
  const std::vector<std::uint32_t>& to_train() const { return to_train_; }
  // Held-out rows of all folds.
  const model::RowSample& sample() const { return sample_; }

 private:
  const RowIntake& intake_;
  const TrainingOptions& options_;
  model::RowSample sample_;
  record::RowBlock rows_;     // of features
  record::RowBlock scratch_;  // of terms, where those are others
  const record::RowBlock* terms_ = &rows_;
  std::vector<std::uint32_t> to_train_;
  std::vector<std::uint32_t> held_out_;
};

struct SplitSums {
  model::Accumulator trained;
  model::Accumulator held_out;
  SplitDigest digest;

  void merge(const SplitSums& following);
  SplitSums clone() const { return {trained.clone(), held_out.clone(), digest}; }
};

// A split whose chunks still come.
class OpenSplit {
 public:
  explicit OpenSplit(RowShape shape) : trained_(shape.terms), held_out_(shape.terms) {}
  void add(const ChunkSums& chunk);
  SplitSums close(std::string digest) &&;

 private:
  model::Accumulator trained_;
  model::Accumulator held_out_;
};

// Refused rows of any number of parts. The examples are those that come first.
class RefusedTally {
 public:
  struct Example {
    std::uint64_t part = 0;
    std::string part_name;
    format::RefusedRows::Example row;
    bool operator==(const Example&) const = default;
  };

  void add(const format::RefusedRows& refused, std::uint64_t part, const std::string& part_name);
  // `lines`: what has to be added to the lines of those of `part`, as the other began in its
  // middle.
  void append(const RefusedTally& following, std::uint64_t part, std::uint64_t lines);

  std::uint64_t count() const { return count_; }
  std::uint64_t blank_records() const { return blank_records_; }
  const std::map<format::RefusedRows::Reason, std::uint64_t>& reasons() const { return reasons_; }
  const std::vector<Example>& examples() const { return examples_; }
  // Of a tally that was read from a file.
  static RefusedTally of(std::map<format::RefusedRows::Reason, std::uint64_t> reasons,
                         std::uint64_t blank_records, std::vector<Example> examples);

 private:
  std::uint64_t count_ = 0;
  std::uint64_t blank_records_ = 0;
  std::map<format::RefusedRows::Reason, std::uint64_t> reasons_;
  std::vector<Example> examples_;
};

// Room for rows to grow trees on, as terms; absent where none are wanted.
std::optional<model::RowSample> make_growing(RowShape shape, const TrainingOptions& options);

struct SplitTotals {
  SplitTotals(RowShape shape, const TrainingOptions& options, std::uint64_t first_split);

  void add_split(SplitSums sums);  // the next one
  void append(SplitTotals following);
  SplitTotals clone() const { return {*this, tree.clone()}; }

  std::uint64_t end() const { return first + count; }

  std::uint64_t first = 0;  // split
  std::uint64_t count = 0;  // of splits
  SplitTree<SplitSums> tree;
  RefusedTally refused;
  std::uint64_t records = 0;                // blank ones included
  model::RowSample sample;                  // of held-out rows, as features
  std::optional<model::RowSample> growing;  // as make_growing() says
  RunPlace place;

 private:
  SplitTotals(const SplitTotals& other, SplitTree<SplitSums> nodes);
};

}  // namespace weir::train
