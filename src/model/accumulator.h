// The mergeable training state of a linear model: one pass, bounded memory, any number of parts.
//
// add() folds rows in; merge() joins the state of the rows that follow. Rows are gathered into
// blocks of a fixed number, so the bits depend on the order of the rows alone, never on how the
// calls of add() cut them, and never on the processor. Merging the parts of a data set in their
// order gives the same bits however the parts were spread over threads or machines, as long as the
// cuts between the parts are the same.
//
// Owner: the trainer. Threads: one thread per object. Shapes: `columns` = features + 1, the target
// last; another shape is a bug of the caller. Bad values (not finite, or beyond kValueMax) are
// remembered and refused by summary(), so no result is ever a NaN. Memory: about
// 8 * columns * (3 * columns + kBlockRows) bytes, and the rows themselves as long as they are few.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <span>

#include "base/byte_codec.h"
#include "base/error.h"
#include "model/model.h"
#include "model/triangle.h"
#include "record/row_block.h"
#include "record/schema.h"

namespace weir::model {

inline constexpr double kValueMax = 1e300;  // magnitude; differences and sums stay finite

// While a set has no more numbers than this, its rows are kept beside the triangle, so that a fit
// can be refined on them. Half a megabyte.
inline constexpr std::size_t kKeptNumbersMax = 65'536;

enum class RowKeeping { kNone, kWhileFew };

class Accumulator {
 public:
  // More than kColumnsMax columns: nothing is kept, and summary() says why. A set that was merged
  // from parts keeps its rows if all of them do.
  explicit Accumulator(std::size_t columns, RowKeeping keeping = RowKeeping::kWhileFew);
  ~Accumulator();
  Accumulator(Accumulator&&) noexcept;
  Accumulator& operator=(Accumulator&&) noexcept;

  // Folds in the rows [first, first + count) of the block.
  void add(const record::RowBlock& block, std::size_t first, std::size_t count);
  // Folds in the rows of the block whose indexes are given, in that order: the way to add one side
  // of a split without copying it first.
  void add(const record::RowBlock& block, std::span<const std::uint32_t> rows);

  // Joins the rows that follow. Both partial blocks are closed first, so a cut between parts is
  // part of the result's bits.
  void merge(const Accumulator& following);

  std::uint64_t rows() const;
  std::size_t columns() const;

  // All rows so far in one factor. kBadData naming the column where a value was bad, or where there
  // are too many columns; kInvalidArgument where the schema has another number of columns.
  Result<Triangle> summary(const record::Schema& schema) const;

  Accumulator clone() const;

  // As bytes, and back. A partial block is closed first, as merge() does: what was read back merges
  // and sums up to the same bits. The reader fails on anything that save() cannot have written of
  // so many columns, and on numbers that could not come of rows.
  void save(ByteWriter& to) const;
  static Accumulator load(ByteReader& from, std::size_t columns);

  struct State;

 private:
  std::unique_ptr<State> state_;
};

}  // namespace weir::model
