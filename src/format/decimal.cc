#include "format/decimal.h"

#include <algorithm>
#include <charconv>
#include <system_error>

namespace weir::format {
namespace {

constexpr int kPowerMax = 22;
constexpr int kMantissaDigitsMax = 19;  // always fit into 64 bits
constexpr std::int64_t kExponentCap = 1'000'000'000;

bool is_digit(char c) { return c >= '0' && c <= '9'; }

// A number as it is spelt; the exponent counts from the last digit.
struct Spelling {
  const char* end = nullptr;  // nullptr: not a number
  bool negative = false;
  std::ptrdiff_t digits = 0;  // leading zeros too; the mantissa holds them all up to 19
  std::uint64_t mantissa = 0;
  std::int64_t exponent = 0;
};

const char* read_digits(const char* at, const char* end, Spelling& number) {
  const char* const begin = at;
  while (end - at >= 8) {
    std::uint64_t word = 0;
    std::memcpy(&word, at, sizeof word);
    word ^= kEightZeros;
    if (not_digits(word) != 0) break;
    number.mantissa = number.mantissa * 100'000'000 + eight_digits(word);
    at += 8;
  }
  for (; at != end && is_digit(*at); ++at) {
    number.mantissa = number.mantissa * 10 + static_cast<std::uint64_t>(*at - '0');
  }
  number.digits += at - begin;
  return at;
}

// Reads "e+5" where it is whole; else gives `at` back, and the number ends before the letter.
const char* read_exponent(const char* at, const char* end, Spelling& number) {
  const char* digit = at + 1;
  bool negative = false;
  if (digit != end && (*digit == '+' || *digit == '-')) negative = *digit++ == '-';
  if (digit == end || !is_digit(*digit)) return at;
  std::int64_t exponent = 0;
  for (; digit != end && is_digit(*digit); ++digit) {
    exponent = std::min(exponent * 10 + (*digit - '0'), kExponentCap);
  }
  number.exponent += negative ? -exponent : exponent;
  return digit;
}

template <DecimalGrammar grammar>
Spelling spell(const char* begin, const char* end) {
  Spelling number;
  const char* at = begin;
  if (at != end && *at == '-') {
    number.negative = true;
    ++at;
  }
  if (grammar == DecimalGrammar::kJson && at != end && *at == '0') {
    ++number.digits;  // "01" is the number 0 and something else
    ++at;
  } else {
    at = read_digits(at, end, number);
    if (grammar == DecimalGrammar::kJson && number.digits == 0) return number;
  }
  if (at != end && *at == '.') {
    const char* const fraction = at + 1;
    at = read_digits(fraction, end, number);
    number.exponent = fraction - at;
    if (grammar == DecimalGrammar::kJson && at == fraction) return number;
  }
  if (number.digits == 0) return number;
  if (at != end && (*at == 'e' || *at == 'E')) {
    const char* const after = read_exponent(at, end, number);
    if (grammar == DecimalGrammar::kJson && after == at) return number;
    at = after;
  }
  number.end = at;
  return number;
}

Decimal evaluate(const char* begin, const Spelling& number) {
  Decimal decimal;
  if (number.end == nullptr) return decimal;
  decimal.end = number.end;
  decimal.status = DecimalStatus::kGood;
  if (number.digits <= kMantissaDigitsMax && number.mantissa <= kExactIntegerMax &&
      number.exponent >= -kPowerMax && number.exponent <= kPowerMax) {
    const auto digits = static_cast<double>(static_cast<std::int64_t>(number.mantissa));
    const double magnitude = number.exponent < 0 ? digits / kPowersOfTen[-number.exponent]
                                                 : digits * kPowersOfTen[number.exponent];
    decimal.value = number.negative ? -magnitude : magnitude;
    return decimal;
  }
  const auto [end, error] = std::from_chars(begin, number.end, decimal.value);
  if (error == std::errc::result_out_of_range) {
    decimal.status = DecimalStatus::kOutOfRange;
  } else if (error != std::errc() || end != number.end) {
    decimal.status = DecimalStatus::kNotANumber;
  }
  return decimal;
}

}  // namespace

Decimal parse_decimal(const char* begin, const char* end, DecimalGrammar grammar) {
  return evaluate(begin, grammar == DecimalGrammar::kJson
                             ? spell<DecimalGrammar::kJson>(begin, end)
                             : spell<DecimalGrammar::kText>(begin, end));
}

}  // namespace weir::format
