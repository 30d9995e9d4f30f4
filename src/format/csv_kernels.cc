// A cell of at most eight bytes is one 64-bit lane, its last byte highest:
//
//   "-1.25"   ->  . . . - 1 . 2 5        (what stands before the cell is masked away)
//             ->  0 0 0 0 0 1 2 5        (sign and point taken out, bytes below the point one up)
//             ->  125 / 10^2             (exact numbers, one rounding)
//
// Whatever was not a digit is gathered in one vector, and one test a column says whether its four
// cells were such numbers. Nothing else depends on the data.

#include "format/csv_kernels.h"

#include <algorithm>
#include <bit>
#include <cstring>

#include "format/byte_search.h"
#include "format/decimal.h"
#include "format/plain_decimal.h"

#if defined(__x86_64__)
#include <immintrin.h>
#endif

namespace weir::format {
namespace {

#define WEIR_INLINE inline __attribute__((always_inline))

// Writes the places of all bits and then up to seven that mean nothing: counting by eights is
// quicker than counting by ones, as the processor cannot foresee the count.
WEIR_INLINE std::uint32_t* write_places(std::uint64_t bits, std::uint32_t base,
                                        std::uint32_t* out) {
  const int count = __builtin_popcountll(bits);
  for (int written = 0; written < count; written += 8) {
    for (int i = 0; i < 8; ++i) {
      // No bit left: any place will do.
      out[written + i] = base + static_cast<std::uint32_t>(std::countr_zero(bits));
      bits &= bits - 1;
    }
  }
  return out + count;
}

template <typename FindEither>
WEIR_INLINE std::uint32_t* find_loop(const char* bytes, std::size_t count, std::uint32_t base,
                                     std::uint32_t* out, const FindEither& find) {
  std::size_t at = 0;
  for (; at + kBlockBytes <= count; at += kBlockBytes) {
    out = write_places(find(bytes + at), base + static_cast<std::uint32_t>(at), out);
  }
  if (at == count) return out;
  char last[kBlockBytes] = {};
  std::memcpy(last, bytes + at, count - at);
  return write_places(find(last), base + static_cast<std::uint32_t>(at), out);
}

std::uint32_t* find_baseline(const char* bytes, std::size_t count, std::uint32_t base,
                             std::uint32_t* out) {
  return find_loop(bytes, count, base, out,
                   [](const char* block) { return find_either(block, ',', '\n'); });
}
constexpr CsvKernels kBaseline{"baseline", find_baseline, nullptr};

// Chosen by hand, as the kernels of model/block_fold.cc are.
#if defined(__x86_64__)
#define WEIR_AVX2 __attribute__((target("avx2,bmi,popcnt")))

WEIR_AVX2 std::uint64_t find_in_block(const char* block) {
  std::uint64_t bits = 0;
  for (int half = 0; half < 2; ++half) {
    const __m256i bytes = _mm256_loadu_si256(reinterpret_cast<const __m256i*>(block + 32 * half));
    const __m256i found = _mm256_or_si256(_mm256_cmpeq_epi8(bytes, _mm256_set1_epi8(',')),
                                          _mm256_cmpeq_epi8(bytes, _mm256_set1_epi8('\n')));
    bits |= std::uint64_t{static_cast<std::uint32_t>(_mm256_movemask_epi8(found))} << (32 * half);
  }
  return bits;
}

WEIR_AVX2 std::uint32_t* find_avx2(const char* bytes, std::size_t count, std::uint32_t base,
                                   std::uint32_t* out) {
  return find_loop(bytes, count, base, out, find_in_block);
}

// The eight bytes that end where a cell ends.
WEIR_INLINE long long last_bytes(const char* end) {
  long long word = 0;
  std::memcpy(&word, end - sizeof word, sizeof word);
  return word;
}

// Four cells and how long they are -> four numbers; bits that are not zero in `bad` where a cell is
// no number of at most eight bytes. As parse_short_cell, which says more.
WEIR_AVX2 WEIR_INLINE __m256d numbers_of(__m256i words, __m256i lengths, __m256i& bad) {
  const __m256i zero = _mm256_setzero_si256();
  const __m256i one = _mm256_set1_epi64x(1);
  const __m256i shift = _mm256_sub_epi64(_mm256_set1_epi64x(64), _mm256_slli_epi64(lengths, 3));
  const __m256i cell = _mm256_sllv_epi64(_mm256_set1_epi64x(-1), shift);
  const __m256i first = _mm256_xor_si256(cell, _mm256_slli_epi64(cell, 8));
  const __m256i minus = _mm256_and_si256(_mm256_cmpeq_epi8(words, _mm256_set1_epi8('-')), first);
  const __m256i text = _mm256_andnot_si256(
      minus, _mm256_and_si256(_mm256_xor_si256(words, _mm256_set1_epi8('0')), cell));
  // Take the point out. Of two points the upper one stays.
  const __m256i points = _mm256_cmpeq_epi8(text, _mm256_set1_epi8('.' ^ '0'));
  const __m256i place = _mm256_and_si256(points, _mm256_sub_epi64(zero, points));
  const __m256i no_point = _mm256_cmpeq_epi64(place, zero);
  const __m256i below = _mm256_sub_epi64(place, one);
  const __m256i up_to_point =
      _mm256_or_si256(below, _mm256_sub_epi64(_mm256_slli_epi64(place, 8), place));
  const __m256i joined = _mm256_or_si256(_mm256_andnot_si256(up_to_point, text),
                                         _mm256_slli_epi64(_mm256_and_si256(below, text), 8));
  const __m256i digits = _mm256_blendv_epi8(joined, text, no_point);

  const __m256i no_minus = _mm256_cmpeq_epi64(minus, zero);
  const __m256i others =
      _mm256_add_epi64(_mm256_add_epi64(no_minus, no_point), _mm256_set1_epi64x(2));
  bad = _mm256_or_si256(bad, _mm256_subs_epu8(digits, _mm256_set1_epi8(9)));
  bad = _mm256_or_si256(bad, _mm256_cmpgt_epi64(lengths, _mm256_set1_epi64x(8)));
  bad = _mm256_or_si256(bad, _mm256_cmpgt_epi64(one, _mm256_sub_epi64(lengths, others)));

  const __m256i pairs = _mm256_maddubs_epi16(digits, _mm256_set1_epi16(0x010a));
  const __m256i fours = _mm256_madd_epi16(pairs, _mm256_set1_epi32(0x00010064));
  const __m256i magnitude = _mm256_add_epi64(_mm256_mul_epu32(fours, _mm256_set1_epi64x(10'000)),
                                             _mm256_srli_epi64(fours, 32));
  // As the lowest bits of a number of 2^52 and more they are a double but for the 2^52.
  const __m256d two_52 = _mm256_set1_pd(0x1p52);
  const __m256d whole = _mm256_sub_pd(
      _mm256_castsi256_pd(_mm256_or_si256(magnitude, _mm256_castpd_si256(two_52))), two_52);

  // The upper half of a double is all that the powers of ten up to 10^7 need.
  const __m256i powers = _mm256_setr_epi32(0x3ff00000, 0x40240000, 0x40590000, 0x408f4000,
                                           0x40c38800, 0x40f86a00, 0x412e8480, 0x416312d0);
  const __m256i ones = _mm256_set1_epi8(1);
  const __m256i behind_point = _mm256_sad_epu8(_mm256_andnot_si256(up_to_point, ones), zero);
  const __m256i upper = _mm256_permutevar8x32_epi32(powers, _mm256_slli_epi64(behind_point, 32));
  const __m256i power = _mm256_blend_epi32(zero, upper, 0xaa);
  const __m256i sign = _mm256_andnot_si256(no_minus, _mm256_castpd_si256(_mm256_set1_pd(-0.0)));
  return _mm256_or_pd(_mm256_div_pd(whole, _mm256_castsi256_pd(power)), _mm256_castsi256_pd(sign));
}

// The cells of one column where some is no short number.
WEIR_AVX2 bool read_one_by_one(std::string_view chunk, __m256i begins, __m256i lengths,
                               double* values) {
  const auto parse = plain_decimal().parse;
  alignas(32) std::uint64_t begin[kRowsAtOnce];
  alignas(32) std::uint64_t length[kRowsAtOnce];
  _mm256_store_si256(reinterpret_cast<__m256i*>(begin), begins);
  _mm256_store_si256(reinterpret_cast<__m256i*>(length), lengths);
  for (std::size_t row = 0; row < kRowsAtOnce; ++row) {
    const char* const cell = chunk.data() + begin[row];
    const char* const end = cell + length[row];
    const bool good =
        length[row] <= kShortCellReads
            ? parse_short_cell(cell, end, values[row])
            : chunk.size() - begin[row] >= kPlainDecimalReads && parse(cell, values[row]) == end;
    if (good) continue;
    const Decimal decimal = parse_decimal(cell, end, DecimalGrammar::kText);
    if (decimal.status != DecimalStatus::kGood || decimal.end != end) return false;
    values[row] = decimal.value;
  }
  return true;
}

WEIR_AVX2 bool read_rows_avx2(const CsvRowGroup& group) {
  static_assert(kRowsAtOnce == 4);
  const char* const chunk = group.chunk.data();
  const std::size_t columns = group.columns;
  const std::uint32_t* const row0 = group.delimiters;
  const std::uint32_t* const row1 = row0 + columns;
  const std::uint32_t* const row2 = row1 + columns;
  const std::uint32_t* const row3 = row2 + columns;
  const __m256i one = _mm256_set1_epi64x(1);
  __m256i begins = _mm256_set_epi64x(row2[columns - 1] + 1LL, row1[columns - 1] + 1LL,
                                     row0[columns - 1] + 1LL, static_cast<long long>(group.begin));
  unsigned unlike = 0;  // delimiters that are the other one
  for (std::size_t column = 0; column < columns; ++column) {
    const char* const end0 = chunk + row0[column];
    const char* const end1 = chunk + row1[column];
    const char* const end2 = chunk + row2[column];
    const char* const end3 = chunk + row3[column];
    const bool is_last = column + 1 == columns;
    const char wanted = is_last ? '\n' : ',';
    unlike |= static_cast<unsigned>((*end0 ^ wanted) | (*end1 ^ wanted) | (*end2 ^ wanted) |
                                    (*end3 ^ wanted));
    const __m256i ends = _mm256_set_epi64x(row3[column], row2[column], row1[column], row0[column]);
    const std::size_t slot = group.slots[column];
    const int cr0 = is_last && end0[-1] == '\r';
    const int cr1 = is_last && end1[-1] == '\r';
    const int cr2 = is_last && end2[-1] == '\r';
    const int cr3 = is_last && end3[-1] == '\r';
    if (slot == kNoSlot) {
      alignas(32) long long begin[4];
      _mm256_store_si256(reinterpret_cast<__m256i*>(begin), begins);
      for (const long long at : begin) unlike |= chunk[at] == '"';
    } else {
      const __m256i words = _mm256_set_epi64x(last_bytes(end3 - cr3), last_bytes(end2 - cr2),
                                              last_bytes(end1 - cr1), last_bytes(end0 - cr0));
      const __m256i lengths =
          _mm256_sub_epi64(_mm256_sub_epi64(ends, begins), _mm256_set_epi64x(cr3, cr2, cr1, cr0));
      double* const values = group.values + slot * group.stride;
      __m256i bad = _mm256_setzero_si256();
      _mm256_storeu_pd(values, numbers_of(words, lengths, bad));
      if (_mm256_testz_si256(bad, bad) == 0 &&
          !read_one_by_one(group.chunk, begins, lengths, values)) {
        return false;
      }
    }
    begins = _mm256_add_epi64(ends, one);
  }
  return unlike == 0;
}
constexpr CsvKernels kAvx2{"avx2", find_avx2, read_rows_avx2};
#endif

}  // namespace

std::vector<CsvKernels> all_csv_kernels() {
  std::vector<CsvKernels> kernels{kBaseline};
#if defined(__x86_64__)
  if (__builtin_cpu_supports("avx2") && __builtin_cpu_supports("bmi") &&
      __builtin_cpu_supports("popcnt")) {
    kernels.push_back(kAvx2);
  }
#endif
  return kernels;
}

const CsvKernels& csv_kernels() {
  static const CsvKernels kernels = all_csv_kernels().back();
  return kernels;
}

}  // namespace weir::format
