#include "format/plain_decimal.h"

#include <algorithm>
#include <cstring>

#include "format/decimal.h"

#if defined(__x86_64__)
#include <immintrin.h>
#endif

namespace weir::format {
namespace {

#define WEIR_INLINE inline __attribute__((always_inline))

constexpr std::uint64_t kWholePowersOfTen[] = {1,
                                               10,
                                               100,
                                               1'000,
                                               10'000,
                                               100'000,
                                               1'000'000,
                                               10'000'000,
                                               100'000'000,
                                               1'000'000'000,
                                               10'000'000'000,
                                               100'000'000'000,
                                               1'000'000'000'000,
                                               10'000'000'000'000,
                                               100'000'000'000'000,
                                               1'000'000'000'000'000,
                                               10'000'000'000'000'000,
                                               100'000'000'000'000'000,
                                               1'000'000'000'000'000'000,
                                               10'000'000'000'000'000'000U};

// Of the 32 bytes at a place, the first byte lowest.
struct Bytes {
  std::uint32_t others;  // no digits
  std::uint32_t points;
};

// Where the digits of a number lie.
struct Places {
  unsigned whole = 0;     // digits before the point; 0: no plain number
  unsigned fraction = 0;  // and after it, which has a point before it unless it is 0
  const char* end = nullptr;
};

// `at` is after the sign, which the bytes begin with where it is a minus. The end is found without
// knowing where the point is, and without the place after the sign: the next number waits for it.
WEIR_INLINE Places places_of(const char* begin, Bytes bytes, bool negative) {
  const std::uint32_t others = bytes.others & ~std::uint32_t{negative};
  const std::uint32_t stops = others & ~bytes.points;
  if (stops == 0) return {};
  const auto end = static_cast<unsigned>(std::countr_zero(stops));
  const auto whole_end = static_cast<unsigned>(std::countr_zero(others));
  Places places{whole_end - negative, 0, begin + end};
  if (places.whole - 1 >= kPlainWholeMax) return {};
  const bool zero = begin[negative] == '0';
  if (zero && places.whole > 1) return {};
  if (whole_end == end) return places;
  places.fraction = end - whole_end - 1;
  // One point, and a mantissa of nineteen digits fits into 64 bits.
  const std::uint32_t inside = others & ((std::uint32_t{1} << end) - 1);
  if ((inside & (inside - 1)) != 0 || places.fraction - 1 >= kPlainFractionMax ||
      places.whole - zero + places.fraction > kPlainDigitsMax) {
    return {};
  }
  return places;
}

WEIR_INLINE double double_of(std::uint64_t mantissa, unsigned fraction, bool negative) {
  if (mantissa <= kExactIntegerMax) {
    return signed_double(mantissa, kPowersOfTen[fraction], negative);
  }
  const double magnitude = nearest_quotient(mantissa, kWholePowersOfTen[fraction]);
  return negative ? -magnitude : magnitude;
}

// The number that the first `count` (0 to 8) of the eight bytes at `at` say, which are digits.
WEIR_INLINE std::uint64_t leading_digits(const char* at, unsigned count) {
  std::uint64_t word = 0;
  std::memcpy(&word, at, sizeof word);
  const unsigned half = 32 - 4 * count;  // twice: a word cannot be shifted by 64
  return eight_digits((word ^ kEightZeros) << half << half);
}

WEIR_INLINE std::uint64_t mantissa_of(const char* at, Places places) {
  std::uint64_t mantissa = leading_digits(at, places.whole);
  if (places.fraction == 0) return mantissa;
  at += places.whole + 1;
  const unsigned first = std::min(places.fraction, 8U);
  const unsigned second = std::min(places.fraction - first, 8U);
  mantissa = mantissa * kWholePowersOfTen[first] + leading_digits(at, first);
  mantissa = mantissa * kWholePowersOfTen[second] + leading_digits(at + 8, second);
  if (places.fraction <= 16) return mantissa;
  const unsigned third = places.fraction - 16;
  return mantissa * kWholePowersOfTen[third] + leading_digits(at + 16, third);
}

Bytes look_at(const char* at) {
  Bytes found{};
#ifdef __SSE2__
  for (int i = 0; i < 2; ++i) {
    const __m128i bytes = _mm_loadu_si128(reinterpret_cast<const __m128i*>(at + 16 * i));
    // '0' becomes the least of all signed bytes.
    const __m128i moved = _mm_add_epi8(bytes, _mm_set1_epi8(static_cast<char>(0x80 - '0')));
    const __m128i others = _mm_cmpgt_epi8(moved, _mm_set1_epi8(static_cast<char>(0x80 + 9)));
    const __m128i points = _mm_cmpeq_epi8(bytes, _mm_set1_epi8('.'));
    found.others |= static_cast<std::uint32_t>(_mm_movemask_epi8(others)) << (16 * i);
    found.points |= static_cast<std::uint32_t>(_mm_movemask_epi8(points)) << (16 * i);
  }
#else
  for (int i = 0; i < 32; ++i) {
    found.others |= std::uint32_t{at[i] < '0' || at[i] > '9'} << i;
    found.points |= std::uint32_t{at[i] == '.'} << i;
  }
#endif
  return found;
}

const char* parse_baseline(const char* at, double& value) {
  const bool negative = *at == '-';
  const Places places = places_of(at, look_at(at), negative);
  if (places.whole == 0) return nullptr;
  value = double_of(mantissa_of(at + negative, places), places.fraction, negative);
  return places.end;
}
constexpr PlainDecimal kBaseline{"baseline", parse_baseline};

// Chosen by hand, as the kernels of format/csv_kernels.cc are.
#if defined(__x86_64__)
#define WEIR_AVX2 __attribute__((target("avx2,bmi,bmi2")))

constexpr unsigned kDigitsAtOnce = 16;

// The number of up to sixteen digits:
//
//   "12.345,"  ->  1 2 3 4 5 , ...      (what follows the point one down)
//              ->  0 ... 0 1 2 3 4 5    (the last digit to the end, zeros before the first)
//
// and then pairs are joined, fours, and eights.
WEIR_AVX2 WEIR_INLINE std::uint64_t mantissa_at_once(const char* at, Places places) {
  const __m128i order = _mm_setr_epi8(0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15);
  const auto load = [](const char* from) {
    return _mm_loadu_si128(reinterpret_cast<const __m128i*>(from));
  };
  const __m128i before_point =
      _mm_cmpgt_epi8(_mm_set1_epi8(static_cast<char>(places.whole)), order);
  const __m128i text = _mm_blendv_epi8(load(at + (places.fraction > 0)), load(at), before_point);
  const auto up = static_cast<char>(static_cast<int>(places.whole + places.fraction) - 16);
  const __m128i digits = _mm_shuffle_epi8(_mm_sub_epi8(text, _mm_set1_epi8('0')),
                                          _mm_add_epi8(order, _mm_set1_epi8(up)));
  const __m128i pairs = _mm_maddubs_epi16(digits, _mm_set1_epi16(0x010a));
  const __m128i fours = _mm_madd_epi16(pairs, _mm_set1_epi32(0x00010064));
  const __m128i eights = _mm_madd_epi16(_mm_packus_epi32(fours, fours), _mm_set1_epi32(0x00012710));
  const auto both = static_cast<std::uint64_t>(_mm_cvtsi128_si64(eights));
  return (both & 0xffffffffU) * 100'000'000 + (both >> 32);
}

WEIR_AVX2 const char* parse_avx2(const char* at, double& value) {
  const bool negative = *at == '-';
  const __m256i bytes = _mm256_loadu_si256(reinterpret_cast<const __m256i*>(at));
  const __m256i moved = _mm256_add_epi8(bytes, _mm256_set1_epi8(static_cast<char>(0x80 - '0')));
  const __m256i others = _mm256_cmpgt_epi8(moved, _mm256_set1_epi8(static_cast<char>(0x80 + 9)));
  const __m256i points = _mm256_cmpeq_epi8(bytes, _mm256_set1_epi8('.'));
  const Places places = places_of(at,
                                  {static_cast<std::uint32_t>(_mm256_movemask_epi8(others)),
                                   static_cast<std::uint32_t>(_mm256_movemask_epi8(points))},
                                  negative);
  if (places.whole == 0) return nullptr;
  const std::uint64_t mantissa = places.whole + places.fraction <= kDigitsAtOnce
                                     ? mantissa_at_once(at + negative, places)
                                     : mantissa_of(at + negative, places);
  value = double_of(mantissa, places.fraction, negative);
  return places.end;
}
constexpr PlainDecimal kAvx2{"avx2", parse_avx2};
#endif

}  // namespace

std::vector<PlainDecimal> all_plain_decimals() {
  std::vector<PlainDecimal> all{kBaseline};
#if defined(__x86_64__)
  if (__builtin_cpu_supports("avx2") && __builtin_cpu_supports("bmi") &&
      __builtin_cpu_supports("bmi2")) {
    all.push_back(kAvx2);
  }
#endif
  return all;
}

const PlainDecimal& plain_decimal() {
  static const PlainDecimal fastest = all_plain_decimals().back();
  return fastest;
}

}  // namespace weir::format
