// Decimal text as most of it is written, "-12.345678901234567", to the nearest double, in a few
// nanoseconds.
//
// A plain number has one to eight digits, and perhaps a point and up to nineteen digits more; in
// all no more than fit into 64 bits. Where its digits and its point lie comes from one look at 32
// bytes, so that nothing but the point and the size of the mantissa is a branch: numbers of one
// column have as many digits as they like. A mantissa of up to 2^53 is divided by its power of ten
// as a double (Clinger 1990: both are exact, one rounding); a longer one as a whole number, with
// all bits that rounding asks for.
//
// Threads: pure functions. Errors: nullptr for whatever is no plain number; format/decimal.h
// decides then.
#pragma once

#include <algorithm>
#include <bit>
#include <cstddef>
#include <cstdint>
#include <cstring>

#include "format/decimal.h"

#ifdef __SSE2__
#include <emmintrin.h>
#endif

namespace weir::format {

// A bit for each of the 32 bytes at `at` that is no digit, the first byte lowest.
inline std::uint32_t find_other_than_digits(const char* at) {
  std::uint32_t bits = 0;
#ifdef __SSE2__
  for (int i = 0; i < 2; ++i) {
    const __m128i bytes = _mm_loadu_si128(reinterpret_cast<const __m128i*>(at + 16 * i));
    // '0' becomes the least of all signed bytes.
    const __m128i moved = _mm_add_epi8(bytes, _mm_set1_epi8(static_cast<char>(0x80 - '0')));
    const __m128i others = _mm_cmpgt_epi8(moved, _mm_set1_epi8(static_cast<char>(0x80 + 9)));
    bits |= static_cast<std::uint32_t>(_mm_movemask_epi8(others)) << (16 * i);
  }
#else
  for (int i = 0; i < 32; ++i) bits |= std::uint32_t{at[i] < '0' || at[i] > '9'} << i;
#endif
  return bits;
}

// The number that the first `count` (0 to 8) of the eight bytes at `at` say, which are digits.
inline std::uint64_t leading_digits(const char* at, unsigned count) {
  std::uint64_t word = 0;
  std::memcpy(&word, at, sizeof word);
  const unsigned half = 32 - 4 * count;  // twice: a word cannot be shifted by 64
  return eight_digits((word ^ kEightZeros) << half << half);
}

// The double nearest to numerator / denominator, both above 0; of two, the even one. The quotient
// must be a normal double, as it is for any two of 64 bits.
inline double nearest_quotient(std::uint64_t numerator, std::uint64_t denominator) {
  __extension__ using Wide = unsigned __int128;
  const int up = std::countl_zero(numerator);
  const int up_too = std::countl_zero(denominator);
  const Wide shifted = Wide{numerator << up} << 62;
  const std::uint64_t divisor = denominator << up_too;
  const auto whole = static_cast<std::uint64_t>(shifted / divisor);  // above 2^61, below 2^63
  // The last bit stands for all that follow; at least eight are rounded away.
  const bool rest = whole * divisor != static_cast<std::uint64_t>(shifted);
  const auto power = static_cast<std::uint64_t>(1023 - 62 + up_too - up);
  return static_cast<double>(static_cast<std::int64_t>(whole | std::uint64_t{rest})) *
         std::bit_cast<double>(power << 52);
}

inline constexpr unsigned kPlainWholeMax = 8;      // digits before the point
inline constexpr unsigned kPlainFractionMax = 19;  // and after it
inline constexpr std::uint64_t kWholePowersOfTen[] = {1,
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

// Digits after the point, appended to the mantissa.
inline std::uint64_t append_fraction(std::uint64_t mantissa, const char* at, unsigned count) {
  const unsigned first = std::min(count, 8U);
  const unsigned second = std::min(count - first, 8U);
  mantissa = mantissa * kWholePowersOfTen[first] + leading_digits(at, first);
  mantissa = mantissa * kWholePowersOfTen[second] + leading_digits(at + 8, second);
  if (count <= 16) return mantissa;
  return mantissa * kWholePowersOfTen[count - 16] + leading_digits(at + 16, count - 16);
}

inline constexpr std::size_t kPlainDecimalReads = 33;  // bytes that parse_plain_decimal looks at

// A plain number by JSON's grammar (RFC 8259). Gives its end, or nullptr where there is none. The
// caller must look at the byte there: a delimiter says that the number was whole.
// kPlainDecimalReads bytes at `at` must be readable.
inline const char* parse_plain_decimal(const char* at, double& value) {
  const bool negative = *at == '-';
  at += negative;
  const std::uint32_t others = find_other_than_digits(at);
  const auto whole = static_cast<unsigned>(std::countr_zero(others));
  if (whole - 1 >= kPlainWholeMax) return nullptr;
  const bool zero = *at == '0';
  if (zero && whole > 1) return nullptr;
  std::uint64_t mantissa = leading_digits(at, whole);
  at += whole;
  unsigned fraction = 0;
  if (*at == '.') {
    fraction = static_cast<unsigned>(std::countr_zero(others >> (whole + 1)));
    // A mantissa of nineteen digits fits into 64 bits.
    if (fraction - 1 >= kPlainFractionMax || whole - zero + fraction > 19) return nullptr;
    mantissa = append_fraction(mantissa, at + 1, fraction);
    at += 1 + fraction;
  }
  if (mantissa <= kExactIntegerMax) {
    value = signed_double(mantissa, kPowersOfTen[fraction], negative);
  } else {
    const double magnitude = nearest_quotient(mantissa, kWholePowersOfTen[fraction]);
    value = negative ? -magnitude : magnitude;
  }
  return at;
}

}  // namespace weir::format
