// The inner loops of training: a block of rows folded into a triangle by Householder reflections.
//
// A block is column-major with kBlockRows rows to a column; column 0 is the ones, and rows that are
// not there are zero in every column. Two builds of the same loops exist where the processor offers
// AVX2; they give the same bits, since each sum has eight lanes in a fixed order and nothing is
// contracted to a fused multiply-add. A test holds them to that.
//
// Threads: pure functions. Errors: none; values must be finite and bounded as said.
#pragma once

#include <cstddef>
#include <vector>

namespace weir::model {

inline constexpr std::size_t kBlockRows = 256;

struct alignas(64) CacheLine {
  double values[8];
};

struct BlockKernels {
  const char* name;
  // column[i] -= reference for the whole column. Returns the largest magnitude after that, or NaN
  // where a value was not within [-limit, limit] before.
  double (*shift)(double* column, double reference, double limit);
  // column[i] *= factor; returns the sum.
  double (*scale_and_sum)(double* column, double factor);
  // R (size x size, row-major) := the factor of [R; block]; destroys the block but for its column
  // 0. dots: 2 * size numbers; on entry dots[j] is the inner product of columns 0 and j.
  void (*fold)(double* r, std::size_t size, double* block, double* dots);
};

// The fastest that this processor can run, and all that it can run.
const BlockKernels& block_kernels();
std::vector<BlockKernels> all_block_kernels();

}  // namespace weir::model
