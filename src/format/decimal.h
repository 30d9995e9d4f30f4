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
inline double signed_double(std::uint64_t magnitude, double divisor, bool negative) {
  const double value = static_cast<double>(static_cast<std::int64_t>(magnitude)) / divisor;
  return std::bit_cast<double>(std::bit_cast<std::uint64_t>(value) |
                               (std::uint64_t{negative} << 63));
}

inline constexpr std::size_t kShortDecimalReads = 9;  // bytes that parse_short_decimal looks at
inline constexpr double kShortPowersOfTen[] = {1e0, 1e1, 1e2, 1e3, 1e4, 1e5, 1e6, 1e7};

// A number of at most seven digits with or without a point, read as one machine word without
// branches that depend on the data. Gives the end of the number, or nullptr where it is not of that
// kind. The caller must look at the byte there: a delimiter says that the number was whole;
// otherwise parse_decimal decides. kShortDecimalReads bytes at `at` must be readable.
template <DecimalGrammar grammar>
inline const char* parse_short_decimal(const char* at, double& value) {
  const bool negative = *at == '-';
  at += negative;
  std::uint64_t word = 0;
  std::memcpy(&word, at, sizeof word);
  std::uint64_t digits = word ^ kEightZeros;
  std::uint64_t others = not_digits(digits);
  if (others == 0) return nullptr;
  const int whole_bits = std::countr_zero(others) & ~7;  // eight times the digits before the point
  const bool point = ((word >> whole_bits) & 0xff) == '.';
  // Take the point out, the bytes above it one down.
  const std::uint64_t below = (std::uint64_t{1} << whole_bits) - 1;
  const int down = point ? 8 : 0;
  digits = (digits & below) | ((digits >> down) & ~below);
  others = ((others >> down) & ~below) | (std::uint64_t{point} << 63);
  const int all_bits = std::countr_zero(others) & ~7;
  if (all_bits == 0) return nullptr;
  if constexpr (grammar == DecimalGrammar::kJson) {
    if (whole_bits == 0 || (point && whole_bits == all_bits)) return nullptr;
    if (whole_bits > 8 && (digits & 0xff) == 0) return nullptr;
  }
  digits = eight_digits(digits << (64 - all_bits));  // zeros before the first
  const int fraction = point ? (all_bits - whole_bits) / 8 : 0;
  value = signed_double(digits, kShortPowersOfTen[fraction], negative);
  return at + all_bits / 8 + point;
}

inline constexpr std::size_t kShortCellReads = 8;  // bytes before `end` that are looked at
inline constexpr double kPowersByPointPlace[] = {1e7, 1e6, 1e5, 1e4, 1e3, 1e2, 1e1, 1e0, 1e0};

// The same for a number whose end is known: at most eight bytes after the sign, in the grammar
// kText. False where [begin, end) is anything else; parse_decimal decides then. The kShortCellReads
// bytes before `end` and the one at `begin` must be readable.
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
