#include "format/plain_decimal.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <bit>
#include <charconv>
#include <cmath>
#include <random>
#include <string>
#include <string_view>

namespace weir::format {
namespace {

std::uint64_t bits(double value) { return std::bit_cast<std::uint64_t>(value); }

struct Taken {
  std::size_t bytes = 0;  // 0: no plain number
  double value = 0;
};

// By all ways, which have to agree. With other digits in the bytes after, which must not be taken
// for its own.
Taken plain(std::string_view text) {
  const std::string followed = std::string(text) + ',' + std::string(kPlainDecimalReads, '7');
  Taken first;
  for (const PlainDecimal& way : all_plain_decimals()) {
    Taken taken;
    const char* const end = way.parse(followed.data(), taken.value);
    if (end != nullptr) taken.bytes = static_cast<std::size_t>(end - followed.data());
    if (std::string_view(way.name) == "baseline") first = taken;
    EXPECT_EQ(taken.bytes, first.bytes) << way.name << ": " << text;
    EXPECT_EQ(bits(taken.value), bits(first.value)) << way.name << ": " << text;
  }
  return first;
}

::testing::AssertionResult has_the_bits_of_from_chars(std::string_view text) {
  double expected = 0;
  std::from_chars(text.data(), text.data() + text.size(), expected);
  const Taken taken = plain(text);
  if (taken.bytes != text.size()) {
    return ::testing::AssertionFailure()
           << "'" << text << "': " << taken.bytes << " bytes were taken";
  }
  if (bits(taken.value) != bits(expected)) {
    return ::testing::AssertionFailure() << "'" << text << "' differs";
  }
  return ::testing::AssertionSuccess();
}

std::string digits(std::mt19937_64& random, std::size_t count) {
  std::string text;
  while (text.size() < count) text += static_cast<char>('0' + random() % 10);
  return text;
}

TEST(PlainDecimal, has_the_bits_of_from_chars_for_each_number_of_digits) {
  std::mt19937_64 random(1);
  for (std::size_t whole = 1; whole <= kPlainWholeMax; ++whole) {
    for (std::size_t fraction = 0; fraction <= kPlainFractionMax; ++fraction) {
      if (whole + fraction > 19) continue;
      for (int i = 0; i < 5'000; ++i) {
        std::string text = digits(random, whole);
        if (text[0] == '0' && whole > 1) text[0] = '1';
        if (fraction > 0) text += '.' + digits(random, fraction);
        if (i % 2 == 0) text.insert(0, 1, '-');
        ASSERT_TRUE(has_the_bits_of_from_chars(text));
      }
    }
  }
}

TEST(PlainDecimal, has_the_bits_of_from_chars_below_one) {
  std::mt19937_64 random(2);
  for (int i = 0; i < 300'000; ++i) {
    std::string fraction = digits(random, 1 + random() % kPlainFractionMax);
    fraction.replace(0, std::min(fraction.size(), std::size_t{random() % 6}), "");
    const std::size_t zeros = random() % (kPlainFractionMax + 1 - fraction.size());
    if (fraction.empty() && zeros == 0) continue;
    const std::string sign(i % 2, '-');
    ASSERT_TRUE(has_the_bits_of_from_chars(sign + "0." + std::string(zeros, '0') + fraction));
  }
}

// As Python, Java and JavaScript write a double.
TEST(PlainDecimal, has_the_bits_of_the_double_that_was_written) {
  std::mt19937_64 random(3);
  int taken = 0;
  for (int i = 0; i < 300'000; ++i) {
    const double value = std::ldexp(static_cast<double>(random() >> 11) - 0x1p52, -52 + i % 20);
    char text[40];
    const auto [end, error] =
        std::to_chars(text, text + sizeof text, value, std::chars_format::fixed);
    const Taken read = plain({text, end});
    if (read.bytes == 0) continue;
    ASSERT_EQ(bits(read.value), bits(value)) << std::string_view(text, end);
    ++taken;
  }
  EXPECT_GT(taken, 250'000);
}

// Halfway between two doubles, and a hair beside: what a rounding of digits that were cut off errs
// in.
TEST(PlainDecimal, rounds_halves_to_even) {
  for (const std::string_view text :
       {"90071992.54740993", "90071992.54740995", "90071992.547409931", "90071992.547409929",
        "9007199.254740993", "4503599.6273704965", "18014398.50948198", "18014398.509481986",
        "1.000000000000000111", "1.000000000000000333", "9.223372036854775807",
        "9.999999999999999999", "0.9999999999999999999", "0.0000000000000000001",
        "1844674.407370955161"}) {
    EXPECT_TRUE(has_the_bits_of_from_chars(text));
  }
}

TEST(PlainDecimal, nearest_quotient_is_the_nearest) {
  std::mt19937_64 random(4);
  for (int i = 0; i < 1'000'000; ++i) {
    const std::uint64_t denominator = (random() >> (random() % 64)) | 1;
    const std::uint64_t odd = (random() >> (11 + random() % 53)) | 1;
    // Exact, where the product fits: then the answer is known.
    if (odd > ~std::uint64_t{0} / denominator) continue;
    ASSERT_EQ(nearest_quotient(odd * denominator, denominator), static_cast<double>(odd));
  }
  // 2^53 + 1 lies between two doubles; a half more or less decides.
  const std::uint64_t half = (std::uint64_t{1} << 53) + 1;
  EXPECT_EQ(nearest_quotient(half, 1), 0x1p53);
  EXPECT_EQ(nearest_quotient(half * 2 + 1, 2), 0x1p53 + 2);
  EXPECT_EQ(nearest_quotient(half * 2 - 1, 2), 0x1p53);
  EXPECT_EQ(nearest_quotient(half * 1'000 + 1, 1'000), 0x1p53 + 2);
  EXPECT_EQ(nearest_quotient(half * 1'000 - 1, 1'000), 0x1p53);
  EXPECT_EQ(nearest_quotient((std::uint64_t{1} << 53) + 3, 1), 0x1p53 + 4);
}

TEST(PlainDecimal, leaves_to_others_what_is_not_plain) {
  for (const std::string_view text : {"",
                                      "-",
                                      "+1",
                                      ".5",
                                      "-.5",
                                      "1.",
                                      "01",
                                      "00",
                                      "-01",
                                      "00.5",
                                      "123456789",
                                      "x",
                                      "nan",
                                      "1.x",
                                      "0.12345678901234567890",
                                      "12345678.123456789012",
                                      "1.5.5",
                                      "1..5",
                                      "12345678901234567890123456789012345",
                                      "--1",
                                      "- 1"}) {
    EXPECT_EQ(plain(text).bytes, 0) << text;
  }
}

TEST(PlainDecimal, ends_where_the_digits_end) {
  struct Case {
    std::string_view text, number;
  };
  for (const auto& [text, number] : {Case{"1e5", "1"},
                                     {"1.5E3", "1.5"},
                                     {"7-3", "7"},
                                     {"7/3", "7"},
                                     {"8\xb9", "8"},
                                     {"3/", "3"},
                                     {"3:", "3"},
                                     {"-1.25\xff", "-1.25"}}) {
    const Taken taken = plain(text);
    EXPECT_EQ(taken.bytes, number.size()) << text;
    EXPECT_EQ(bits(taken.value), bits(plain(number).value)) << text;
  }
}

TEST(PlainDecimal, knows_all_bytes_that_are_no_digits) {
  for (int byte = 0; byte < 256; ++byte) {
    if ((byte >= '0' && byte <= '9') || byte == '.') continue;
    for (const std::string_view digits :
         {"5", "12345678", "1.5", "1.5555555555555555", "12345678.55555555555"}) {
      EXPECT_EQ(plain(std::string(digits) + static_cast<char>(byte)).bytes, digits.size()) << byte;
    }
  }
}

}  // namespace
}  // namespace weir::format
