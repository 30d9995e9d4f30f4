// Decimal text to the nearest double: the bits of std::from_chars, in less time.
//
// Most numbers in data sets have few digits. With at most 2^53 as digits without the point and a
// power of ten of at most 22, both are exact doubles, and one multiplication or division rounds
// once, hence right (Clinger 1990). All others go to std::from_chars.
//
// Threads: pure functions. Errors: a status; nothing is read outside [begin, end).
#pragma once

#include <bit>
#include <cstddef>
#include <cstdint>
#include <cstring>

namespace weir::format {

enum class DecimalStatus { kGood, kNotANumber, kOutOfRange };

enum class DecimalGrammar {
  kText,  // as std::from_chars in its general format: "1.", ".5", "007" are numbers; no '+'
  kJson,  // RFC 8259: none of these is
};

struct Decimal {
  const char* end = nullptr;  // after the number's last byte
  double value = 0;           // where kGood
  DecimalStatus status = DecimalStatus::kNotANumber;
};

// The longest number at the start of [begin, end), which holds no "inf", "nan" or hexadecimal. JSON
// numbers end where their grammar ends: "01" is the number 0 followed by a 1, which the caller
// finds to be no delimiter.
Decimal parse_decimal(const char* begin, const char* end, DecimalGrammar grammar);

// Eight bytes of text as one word, the first lowest. XORed with kEightZeros, digits are 0 to 9.
static_assert(std::endian::native == std::endian::little);
inline constexpr std::uint64_t kEightZeros = 0x3030303030303030U;

// The top bit of each byte that is more than 9.
constexpr std::uint64_t not_digits(std::uint64_t word) {
  return (((word & 0x7f7f7f7f7f7f7f7fU) + 0x7676767676767676U) | word) & 0x8080808080808080U;
}
// The number that eight digits say: first pairs are joined, then fours, then all.
constexpr std::uint64_t eight_digits(std::uint64_t word) {
  word = word * 10 + (word >> 8);
  return (((word & 0x000000ff000000ffU) * 0x000f424000000064U) +
          (((word >> 16) & 0x000000ff000000ffU) * 0x0000271000000001U)) >>
         32;
}
// Powers of ten that are doubles.
inline constexpr double kPowersOfTen[] = {1e0,  1e1,  1e2,  1e3,  1e4,  1e5,  1e6,  1e7,
                                          1e8,  1e9,  1e10, 1e11, 1e12, 1e13, 1e14, 1e15,
                                          1e16, 1e17, 1e18, 1e19, 1e20, 1e21, 1e22};
// Up to here all whole numbers are doubles.
inline constexpr std::uint64_t kExactIntegerMax = std::uint64_t{1} << 53;

inline double signed_double(std::uint64_t magnitude, double divisor, bool negative) {
  const double value = static_cast<double>(static_cast<std::int64_t>(magnitude)) / divisor;
  return std::bit_cast<double>(std::bit_cast<std::uint64_t>(value) |
                               (std::uint64_t{negative} << 63));
}

inline constexpr std::size_t kShortCellReads = 8;  // bytes before `end` that are looked at
inline constexpr double kPowersByPointPlace[] = {1e7, 1e6, 1e5, 1e4, 1e3, 1e2, 1e1, 1e0, 1e0};

// A number whose end is known, of at most eight bytes after the sign, in the grammar kText, read as
// one machine word without branches that depend on the data. False where [begin, end) is anything
// else; parse_decimal decides then. The kShortCellReads bytes before `end` and the one at `begin`
// must be readable.
inline bool parse_short_cell(const char* begin, const char* end, double& value) {
  const bool negative = *begin == '-';
  const std::size_t length = static_cast<std::size_t>(end - begin) - negative;
  if (length - 1 > 7) return false;
  std::uint64_t word = 0;
  std::memcpy(&word, end - kShortCellReads, sizeof word);
  word = (word ^ kEightZeros) & (~std::uint64_t{0} << (64 - 8 * length));
  // Take the point out, the bytes below it one up. Of two points the upper one stays.
  const std::uint64_t unlike_point = word ^ 0x1e1e1e1e1e1e1e1eU;
  const std::uint64_t point =
      ~(((unlike_point & 0x7f7f7f7f7f7f7f7fU) + 0x7f7f7f7f7f7f7f7fU) | unlike_point) &
      0x8080808080808080U;
  const std::uint64_t place = point >> 7;
  const std::uint64_t has_point = point != 0;
  std::uint64_t digits = (word & ~((place << 8) - has_point)) | ((word & (place - has_point)) << 8);
  const std::uint64_t others = not_digits(digits);
  if (others != 0 || length == has_point) return false;
  value = signed_double(eight_digits(digits), kPowersByPointPlace[std::countr_zero(point) / 8],
                        negative);
  return true;
}

}  // namespace weir::format
