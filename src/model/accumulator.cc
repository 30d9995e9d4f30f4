// Rows wait in a buffer until a block is full; a full block is shifted, scaled and folded into the
// triangle of the lowest level. A triangle that has taken kFoldsPerLevel folds is folded into the
// one above and begins anew, like a digit that carries: rounding errors grow with the logarithm of
// the number of rows instead of with the number. Parts that are merged are carried in levels of
// their own: a file of a million chunks is as accurate as one of a few.
//
// The shift is by the mean of the first block, per column, which leaves the column of ones least
// like the others; where one wild value pulls the mean away from the middle of the data, by the
// median. The scale is a power of two, which is exact, and follows the largest magnitude seen.

#include "model/accumulator.h"

#include <algorithm>
#include <cmath>
#include <cstring>
#include <optional>
#include <string>

#include "base/check.h"
#include "model/block_fold.h"
#include "model/number_sort.h"

namespace weir::model {
namespace {

constexpr std::uint32_t kFoldsPerLevel = 32;
// Of a saved state: no count of folds in 64 bits has more levels, and no triangle of scaled
// columns, moved a few times, has a larger number.
constexpr std::uint32_t kSavedLevelsMax = 13;
constexpr double kSavedNumberMax = 0x1p48;
constexpr int kExponentMax = 1030;
constexpr std::uint32_t kNoBadColumn = 0xffffffff;

struct Level {
  std::vector<double> r;
  std::uint32_t folds = 0;
};

// Folds the level's triangle into the one above where it has taken its share, and so on upwards.
void carry(std::vector<Level>& levels, std::size_t size) {
  for (std::size_t i = 0; i < levels.size() && levels[i].folds == kFoldsPerLevel; ++i) {
    if (i + 1 == levels.size()) levels.push_back({std::vector<double>(size * size), 0});
    fold_triangle(levels[i + 1].r.data(), levels[i].r.data(), size);
    ++levels[i + 1].folds;
    std::fill(levels[i].r.begin(), levels[i].r.end(), 0.0);
    levels[i].folds = 0;
  }
}

// All levels in one; none are left.
std::vector<double> collapse_levels(std::vector<Level>& levels, std::size_t size) {
  for (std::size_t i = 0; i + 1 < levels.size(); ++i) {
    fold_triangle(levels[i + 1].r.data(), levels[i].r.data(), size);
  }
  std::vector<double> r = std::move(levels.back().r);
  levels.clear();
  return r;
}

// The mean where it lies no further from the median than the quartiles are apart, else the median.
// A constant column gives that constant exactly.
double middle_of(const double* values, std::size_t count) {
  std::vector<double> sorted(values, values + count);
  sort_numbers(sorted);
  const double median = sorted[(count - 1) / 2];
  const double spread = sorted[count - 1 - count / 4] - sorted[count / 4];
  double mean = 0;
  for (std::size_t i = 0; i < count; ++i) mean += sorted[i] / static_cast<double>(count);
  return spread > 0 && std::abs(mean - median) <= spread ? mean : median;
}

}  // namespace

struct Accumulator::State {
  State(std::size_t data_columns, RowKeeping keeping)
      : columns(data_columns),
        size(data_columns + 1),
        too_wide(data_columns > kColumnsMax),
        keeps(keeping == RowKeeping::kWhileFew && !too_wide) {
    if (too_wide) return;
    reference.assign(columns, 0);
    exponent.assign(columns, kExponentMin);
    dots.resize(2 * size);
  }

  double* column(std::size_t index) { return block.data()->values + (index + 1) * kBlockRows; }
  bool refused() const { return too_wide || bad_column; }

  // Memory for rows is taken when they come; most states only hold what was merged.
  void make_room() {
    if (block.empty()) block.resize(size * kBlockRows / 8);
    make_level();
  }
  void make_level() {
    if (levels.empty()) levels.push_back({std::vector<double>(size * size), 0});
  }
  // Whether room for so many rows was made among those that are kept.
  bool keep(std::size_t count);
  void take_full_block();
  void close_partial_block();
  void fold_buffered();
  bool shift_and_scale(std::size_t data_column);
  void raise_exponent(std::size_t data_column, int to);
  void close_part();
  void take_part(std::vector<double> r);
  Triangle collapse();

  const std::size_t columns;
  const std::size_t size;
  const bool too_wide;
  bool keeps;
  std::vector<double> kept;  // row-major
  std::uint64_t rows = 0;
  std::uint64_t folded_rows = 0;
  std::uint64_t rows_since_part = 0;
  std::optional<std::size_t> bad_column;
  std::vector<double> reference;
  std::vector<int> exponent;
  std::vector<Level> levels;  // of blocks, since the last merge; none before the first row
  std::vector<Level> parts;   // of merged parts; none before the first merge
  std::vector<CacheLine> block;
  std::vector<double> dots;
  std::size_t buffered = 0;
};

bool Accumulator::State::keep(std::size_t count) {
  if (keeps && count <= (kKeptNumbersMax - kept.size()) / columns) return true;
  keeps = false;
  kept = {};
  return false;
}

void Accumulator::State::take_full_block() {
  if (buffered == kBlockRows) fold_buffered();
}

void Accumulator::State::close_partial_block() {
  if (!refused() && buffered > 0) fold_buffered();
}

void Accumulator::State::fold_buffered() {
  const std::size_t count = buffered;
  buffered = 0;
  if (folded_rows == 0) {
    for (std::size_t j = 0; j < columns; ++j) {
      const double* const values = column(j);
      if (!std::all_of(values, values + count, [](double v) { return std::abs(v) <= kValueMax; })) {
        bad_column = j;
        return;
      }
      reference[j] = middle_of(values, count);
    }
  }
  double* const ones = block.data()->values;
  std::fill_n(ones, count, 1.0);
  std::fill(ones + count, ones + kBlockRows, 0.0);
  dots[0] = static_cast<double>(count);
  for (std::size_t j = 0; j < columns; ++j) {
    std::fill(column(j) + count, column(j) + kBlockRows, reference[j]);
    if (!shift_and_scale(j)) {
      bad_column = j;
      return;
    }
  }
  block_kernels().fold(levels[0].r.data(), size, ones, dots.data());
  folded_rows += count;
  rows_since_part += count;
  ++levels[0].folds;
  carry(levels, size);
}

bool Accumulator::State::shift_and_scale(std::size_t j) {
  const BlockKernels& kernels = block_kernels();
  const double largest = kernels.shift(column(j), reference[j], kValueMax);
  if (std::isnan(largest)) return false;
  raise_exponent(j, exponent_of(largest));
  dots[j + 1] = kernels.scale_and_sum(column(j), std::ldexp(1.0, -exponent[j]));
  return true;
}

void Accumulator::State::raise_exponent(std::size_t j, int to) {
  if (to <= exponent[j]) return;
  for (std::vector<Level>* const each : {&levels, &parts}) {
    for (Level& level : *each) scale_column(level.r.data(), size, j + 1, exponent[j] - to);
  }
  exponent[j] = to;
}

Triangle Accumulator::State::collapse() {
  close_partial_block();
  make_level();
  std::vector<double> r = collapse_levels(levels, size);
  if (!parts.empty()) {
    std::vector<double> all = collapse_levels(parts, size);
    fold_triangle(all.data(), r.data(), size);
    r = std::move(all);
  }
  return Triangle{folded_rows, size, std::move(r), reference, exponent, std::move(kept)};
}

// The rows that were added since the last merge are a part like those that are merged.
void Accumulator::State::close_part() {
  close_partial_block();
  if (refused() || rows_since_part == 0) return;
  take_part(collapse_levels(levels, size));
  block = {};
  rows_since_part = 0;
}

void Accumulator::State::take_part(std::vector<double> r) {
  if (parts.empty()) {
    parts.push_back({std::move(r), 1});
    return;
  }
  fold_triangle(parts[0].r.data(), r.data(), size);
  ++parts[0].folds;
  carry(parts, size);
}

Accumulator::Accumulator(std::size_t columns, RowKeeping keeping)
    : state_(std::make_unique<State>(columns, keeping)) {
  WEIR_CHECK(columns > 0);
}
Accumulator::~Accumulator() = default;
Accumulator::Accumulator(Accumulator&&) noexcept = default;
Accumulator& Accumulator::operator=(Accumulator&&) noexcept = default;

std::uint64_t Accumulator::rows() const { return state_->rows; }
std::size_t Accumulator::columns() const { return state_->columns; }

void Accumulator::add(const record::RowBlock& block, std::size_t first, std::size_t count) {
  State& state = *state_;
  WEIR_CHECK(block.columns == state.columns && first <= block.rows && count <= block.rows - first);
  state.rows += count;
  if (state.keep(count)) {
    for (std::size_t i = first; i < first + count; ++i) {
      for (std::size_t j = 0; j < state.columns; ++j) state.kept.push_back(block.value(i, j));
    }
  }
  if (count > 0 && !state.refused()) state.make_room();
  while (count > 0 && !state.refused()) {
    const std::size_t taken = std::min(count, kBlockRows - state.buffered);
    for (std::size_t j = 0; j < state.columns; ++j) {
      std::memcpy(state.column(j) + state.buffered, block.values.data() + j * block.rows + first,
                  taken * sizeof(double));
    }
    state.buffered += taken;
    first += taken;
    count -= taken;
    state.take_full_block();
  }
}

void Accumulator::add(const record::RowBlock& block, std::span<const std::uint32_t> rows) {
  State& state = *state_;
  WEIR_CHECK(block.columns == state.columns);
  for (const std::uint32_t row : rows) WEIR_CHECK(row < block.rows);
  state.rows += rows.size();
  if (state.keep(rows.size())) {
    for (const std::uint32_t row : rows) {
      for (std::size_t j = 0; j < state.columns; ++j) state.kept.push_back(block.value(row, j));
    }
  }
  if (!rows.empty() && !state.refused()) state.make_room();
  while (!rows.empty() && !state.refused()) {
    const auto taken = rows.first(std::min(rows.size(), kBlockRows - state.buffered));
    for (std::size_t j = 0; j < state.columns; ++j) {
      const double* const from = block.values.data() + j * block.rows;
      double* const to = state.column(j) + state.buffered;
      for (std::size_t i = 0; i < taken.size(); ++i) to[i] = from[taken[i]];
    }
    state.buffered += taken.size();
    rows = rows.subspan(taken.size());
    state.take_full_block();
  }
}

void Accumulator::merge(const Accumulator& following) {
  State& state = *state_;
  WEIR_CHECK(following.columns() == state.columns);
  state.close_part();
  state.rows += following.rows();
  if (state.refused() || following.rows() == 0) return;
  if (!following.state_->keeps) state.keeps = false;
  if (state.keep(following.rows())) {
    const std::vector<double>& theirs = following.state_->kept;
    state.kept.insert(state.kept.end(), theirs.begin(), theirs.end());
  }

  State other(*following.state_);
  Triangle theirs = other.collapse();
  if (other.bad_column) {
    state.bad_column = other.bad_column;
    return;
  }
  if (state.folded_rows == 0) {
    state.reference = theirs.reference;
    state.exponent = theirs.exponent;
    state.folded_rows = theirs.rows;
    state.take_part(std::move(theirs.r));
    return;
  }
  std::vector<int> exponent(state.columns);
  for (std::size_t j = 0; j < state.columns; ++j) {
    exponent[j] = std::max({state.exponent[j], theirs.exponent[j],
                            exponent_of(theirs.reference[j] - state.reference[j])});
    state.raise_exponent(j, exponent[j]);
  }
  move_to(theirs, state.reference, exponent);
  state.folded_rows += theirs.rows;
  state.take_part(std::move(theirs.r));
}

Accumulator Accumulator::clone() const {
  Accumulator copy(state_->columns);
  copy.state_ = std::make_unique<State>(*state_);
  return copy;
}

void Accumulator::save(ByteWriter& to) const {
  State state(*state_);
  state.close_part();
  to.u64(state.rows);
  if (state.too_wide) return;
  to.u32(state.bad_column ? static_cast<std::uint32_t>(*state.bad_column) : kNoBadColumn);
  if (state.bad_column) return;
  to.u8(state.keeps ? 1 : 0);
  if (state.keeps) to.doubles(state.kept);
  to.u32(static_cast<std::uint32_t>(state.parts.size()));
  if (state.parts.empty()) return;
  to.doubles(state.reference);
  for (const int e : state.exponent) to.u32(static_cast<std::uint32_t>(e));
  for (const Level& level : state.parts) {
    to.u32(level.folds);
    for (std::size_t i = 0; i < state.size; ++i) {
      to.doubles(std::span(level.r).subspan(i * state.size + i, state.size - i));
    }
  }
}

Accumulator Accumulator::load(ByteReader& from, std::size_t columns) {
  Accumulator loaded(columns);
  State& state = *loaded.state_;
  state.rows = from.u64();
  if (state.too_wide) return loaded;
  const std::uint32_t bad = from.u32();
  if (bad != kNoBadColumn) {
    state.bad_column = bad;
    state.keeps = false;
    if (bad >= columns) from.refuse();
    return loaded;
  }
  const auto all_within = [](std::span<const double> values, double limit) {
    return std::all_of(values.begin(), values.end(),
                       [&](double value) { return std::abs(value) <= limit; });
  };
  state.keeps = from.flag();
  if (state.keeps) {
    if (state.rows > kKeptNumbersMax / columns) from.refuse();
    state.kept = from.doubles(state.rows * columns);
    if (!all_within(state.kept, kValueMax)) from.refuse();
  }
  const std::uint32_t levels = from.u32();
  if (levels > kSavedLevelsMax || (levels == 0) != (state.rows == 0)) from.refuse();
  if (!from.ok() || levels == 0) return loaded;
  state.folded_rows = state.rows;
  state.reference = from.doubles(columns);
  if (!all_within(state.reference, kValueMax)) from.refuse();
  for (int& e : state.exponent) {
    e = static_cast<int>(from.u32());
    if (e < kExponentMin || e > kExponentMax) from.refuse();
  }
  for (std::uint32_t n = 0; n < levels && from.ok(); ++n) {
    Level level{{}, from.u32()};
    if (level.folds >= kFoldsPerLevel || (n + 1 == levels && level.folds == 0)) from.refuse();
    if (from.left() / sizeof(double) < state.size * (state.size + 1) / 2) from.refuse();
    if (!from.ok()) break;
    level.r.resize(state.size * state.size);
    for (std::size_t i = 0; i < state.size; ++i) {
      const std::vector<double> row = from.doubles(state.size - i);
      if (!all_within(row, kSavedNumberMax)) from.refuse();
      std::copy(row.begin(), row.end(),
                level.r.begin() + static_cast<std::ptrdiff_t>(i * state.size + i));
    }
    state.parts.push_back(std::move(level));
  }
  return loaded;
}

Result<Triangle> Accumulator::summary(const record::Schema& schema) const {
  if (schema.features.size() + 1 != state_->columns) {
    return fail(Code::kInvalidArgument,
                "the schema has " + std::to_string(schema.features.size() + 1) +
                    " columns, the rows " + std::to_string(state_->columns));
  }
  if (state_->too_wide) {
    return fail(Code::kBadData, "there are " + std::to_string(state_->columns) +
                                    " columns; at most " + std::to_string(kColumnsMax) +
                                    " can be trained on");
  }
  State copy(*state_);
  Triangle triangle = copy.collapse();
  if (copy.bad_column) {
    const std::size_t j = *copy.bad_column;
    const std::string& name = j < schema.features.size() ? schema.features[j] : schema.target;
    return fail(Code::kBadData,
                "column '" + name + "' holds a number that is not finite or is beyond 1e300");
  }
  return triangle;
}

}  // namespace weir::model
