// Decimal text as most of it is written, "-12.345678901234567", to the nearest double, in a few
// nanoseconds.
//
// A plain number has one to eight digits, and perhaps a point and up to nineteen digits more; in
// all no more than fit into 64 bits. Where its digits and its point lie comes from one look at 32
// bytes, so that nothing but the point and the size of the mantissa is a branch: numbers of one
// column have as many digits as they like. Where there is AVX2, sixteen digits become a number at
// once. A mantissa of up to 2^53 is divided by its power of ten as a double (Clinger 1990: both are
// exact, one rounding); a longer one as a whole number, with all bits that rounding asks for.
//
// Threads: pure functions. Errors: nullptr for whatever is no plain number; format/decimal.h
// decides then.
#pragma once

#include <bit>
#include <cstddef>
#include <cstdint>
#include <vector>

namespace weir::format {

inline constexpr unsigned kPlainWholeMax = 8;          // digits before the point
inline constexpr unsigned kPlainFractionMax = 19;      // and after it
inline constexpr unsigned kPlainDigitsMax = 19;        // in all, but for the zero of "0.5"
inline constexpr std::size_t kPlainDecimalReads = 33;  // bytes that are looked at

struct PlainDecimal {
  const char* name;
  // A plain number by JSON's grammar (RFC 8259) at `at`. Gives its end, or nullptr where there is
  // none. The caller must look at the byte there: a delimiter says that the number was whole.
  // kPlainDecimalReads bytes at `at` must be readable.
  const char* (*parse)(const char* at, double& value);
};

// The fastest that this processor can run, and all that it can run.
const PlainDecimal& plain_decimal();
std::vector<PlainDecimal> all_plain_decimals();

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

}  // namespace weir::format
