// Householder QR of a small triangle on top of a block of rows (Golub & Van Loan, 5.2; the flat
// tree of Demmel et al. 2012). The reflection that clears column k of the block against R(k,k)
// touches row k of R and the block, nothing else:
//
//   beta = -sign(R(k,k)) * sqrt(R(k,k)^2 + |b_k|^2)     v = (1, b_k / v0),  v0 = R(k,k) - beta
//   tau  = -v0 / beta                                   g_j = R(k,j) + (b_k . b_j) / v0
//   R(k,j) -= tau * g_j                                 b_j -= (tau * g_j / v0) * b_k
//
// Memory is what costs: the update of b_j for step k and its inner product with b_{k+1} for the
// next step are done in one sweep, kGroup columns at a time.

#include "model/block_fold.h"

#include <cmath>
#include <cstdint>
#include <limits>

namespace weir::model {
namespace {

// Four doubles that are added and multiplied lane by lane. A compiler without such registers uses
// two pairs or four scalars, in the same order.
typedef double Lanes __attribute__((vector_size(32), may_alias));
typedef std::int64_t Masks __attribute__((vector_size(32), may_alias));

constexpr std::size_t kLanes = 4;
constexpr std::size_t kVectors = kBlockRows / kLanes;
constexpr std::size_t kGroup = 3;
static_assert(kVectors % 2 == 0);

#define WEIR_INLINE inline __attribute__((always_inline))

WEIR_INLINE Lanes* lanes(double* values) {
  return static_cast<Lanes*>(__builtin_assume_aligned(values, sizeof(Lanes)));
}

// By reference: vectors as arguments would have an ABI that depends on the instruction set.
WEIR_INLINE double sum_lanes(const Lanes& even, const Lanes& odd) {
  const Lanes sum = even + odd;
  return (sum[0] + sum[1]) + (sum[2] + sum[3]);
}

WEIR_INLINE double shift_loop(double* column, double reference, double limit) {
  Lanes* const values = lanes(column);
  const std::int64_t magnitude_bits = std::numeric_limits<std::int64_t>::max();
  const Masks magnitude{magnitude_bits, magnitude_bits, magnitude_bits, magnitude_bits};
  Lanes largest{};
  Masks within = ~Masks{};
  for (std::size_t i = 0; i < kVectors; ++i) {
    const Lanes value = values[i];
    within &= reinterpret_cast<Lanes>(reinterpret_cast<Masks>(value) & magnitude) <= limit;
    const Lanes shifted = value - reference;
    values[i] = shifted;
    const Lanes size = reinterpret_cast<Lanes>(reinterpret_cast<Masks>(shifted) & magnitude);
    largest = size > largest ? size : largest;
  }
  double result = 0;
  for (std::size_t lane = 0; lane < kLanes; ++lane) {
    if (within[lane] == 0) return std::numeric_limits<double>::quiet_NaN();
    result = largest[lane] > result ? largest[lane] : result;
  }
  return result;
}

WEIR_INLINE double scale_loop(double* column, double factor) {
  Lanes* const values = lanes(column);
  Lanes even{};
  Lanes odd{};
  for (std::size_t i = 0; i < kVectors; i += 2) {
    const Lanes first = values[i] * factor;
    const Lanes second = values[i + 1] * factor;
    values[i] = first;
    values[i + 1] = second;
    even += first;
    odd += second;
  }
  return sum_lanes(even, odd);
}

// column -= factor * reflector; returns the square of its length.
WEIR_INLINE double update_and_square(double* column, double* reflector, double factor) {
  Lanes* const values = lanes(column);
  const Lanes* const v = lanes(reflector);
  Lanes even{};
  Lanes odd{};
  for (std::size_t i = 0; i < kVectors; i += 2) {
    const Lanes first = values[i] - factor * v[i];
    const Lanes second = values[i + 1] - factor * v[i + 1];
    values[i] = first;
    values[i + 1] = second;
    even += first * first;
    odd += second * second;
  }
  return sum_lanes(even, odd);
}

// For `Count` columns: column -= factor * reflector, and dot = column . next.
template <std::size_t Count>
WEIR_INLINE void update_and_dot(double* columns, double* reflector, double* next,
                                const double* factors, double* dots) {
  const Lanes* const v = lanes(reflector);
  const Lanes* const u = lanes(next);
  Lanes* values[Count] = {};
  double factor[Count] = {};
  Lanes even[Count] = {};
  Lanes odd[Count] = {};
#pragma GCC unroll 4
  for (std::size_t c = 0; c < Count; ++c) {
    values[c] = lanes(columns + c * kBlockRows);
    factor[c] = factors[c];
  }
  for (std::size_t i = 0; i < kVectors; i += 2) {
    const Lanes v0 = v[i];
    const Lanes v1 = v[i + 1];
    const Lanes u0 = u[i];
    const Lanes u1 = u[i + 1];
#pragma GCC unroll 4
    for (std::size_t c = 0; c < Count; ++c) {
      const Lanes first = values[c][i] - factor[c] * v0;
      const Lanes second = values[c][i + 1] - factor[c] * v1;
      values[c][i] = first;
      values[c][i + 1] = second;
      even[c] += first * u0;
      odd[c] += second * u1;
    }
  }
#pragma GCC unroll 4
  for (std::size_t c = 0; c < Count; ++c) dots[c] = sum_lanes(even[c], odd[c]);
}

// The scalars of the reflection of column k: row k of R anew, and how much of column k is taken off
// each later column.
WEIR_INLINE void reflect(double* row, std::size_t k, std::size_t size, const double* dots,
                         double* factors) {
  const double square = dots[k];
  if (square == 0) {
    for (std::size_t j = k + 1; j < size; ++j) factors[j] = 0;
    return;
  }
  const double alpha = row[k];
  const double length = std::sqrt(alpha * alpha + square);
  const double beta = alpha > 0 ? -length : length;
  const double v0 = alpha - beta;
  const double inverse = 1 / v0;
  const double tau = -v0 / beta;
  row[k] = beta;
  for (std::size_t j = k + 1; j < size; ++j) {
    const double taken = tau * (row[j] + dots[j] * inverse);
    row[j] -= taken;
    factors[j] = taken * inverse;
  }
}

WEIR_INLINE void fold_loop(double* r, std::size_t size, double* block, double* dots) {
  double* const factors = dots + size;
  for (std::size_t k = 0; k < size; ++k) {
    reflect(r + k * size, k, size, dots, factors);
    if (k + 1 == size) break;
    double* const reflector = block + k * kBlockRows;
    double* const next = reflector + kBlockRows;
    dots[k + 1] = update_and_square(next, reflector, factors[k + 1]);
    std::size_t j = k + 2;
    for (; j + kGroup <= size; j += kGroup) {
      update_and_dot<kGroup>(block + j * kBlockRows, reflector, next, factors + j, dots + j);
    }
    for (; j < size; ++j) {
      update_and_dot<1>(block + j * kBlockRows, reflector, next, factors + j, dots + j);
    }
  }
}

double shift_baseline(double* column, double reference, double limit) {
  return shift_loop(column, reference, limit);
}
double scale_baseline(double* column, double factor) { return scale_loop(column, factor); }
void fold_baseline(double* r, std::size_t size, double* block, double* dots) {
  fold_loop(r, size, block, dots);
}
constexpr BlockKernels kBaseline{"baseline", shift_baseline, scale_baseline, fold_baseline};

// Chosen by hand rather than by target_clones: its resolvers run before a sanitizer is ready.
#if defined(__x86_64__)
__attribute__((target("avx2"))) double shift_avx2(double* column, double reference, double limit) {
  return shift_loop(column, reference, limit);
}
__attribute__((target("avx2"))) double scale_avx2(double* column, double factor) {
  return scale_loop(column, factor);
}
__attribute__((target("avx2"))) void fold_avx2(double* r, std::size_t size, double* block,
                                               double* dots) {
  fold_loop(r, size, block, dots);
}
constexpr BlockKernels kAvx2{"avx2", shift_avx2, scale_avx2, fold_avx2};
#endif

}  // namespace

std::vector<BlockKernels> all_block_kernels() {
  std::vector<BlockKernels> kernels{kBaseline};
#if defined(__x86_64__)
  if (__builtin_cpu_supports("avx2")) kernels.push_back(kAvx2);
#endif
  return kernels;
}

const BlockKernels& block_kernels() {
  static const BlockKernels kernels = all_block_kernels().back();
  return kernels;
}

}  // namespace weir::model
