#include "format/decimal.h"

#include <gtest/gtest.h>

#include <charconv>
#include <cmath>
#include <nlohmann/json.hpp>
#include <optional>
#include <random>
#include <string>
#include <string_view>

#include "format/plain_decimal.h"

namespace weir::format {
namespace {

std::uint64_t bits(double value) { return std::bit_cast<std::uint64_t>(value); }

// What std::from_chars says of the whole text; nullopt: not a number of the grammar or no double.
std::optional<double> reference(std::string_view text) {
  if (text.find_first_not_of("0123456789+-.eE") != std::string_view::npos) return std::nullopt;
  double value = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (error != std::errc() || end != text.data() + text.size()) return std::nullopt;
  return value;
}

std::optional<double> ours(std::string_view text, DecimalGrammar grammar) {
  const char* const end = text.data() + text.size();
  const Decimal decimal = parse_decimal(text.data(), end, grammar);
  if (decimal.status != DecimalStatus::kGood || decimal.end != end) return std::nullopt;
  return decimal.value;
}

::testing::AssertionResult same(std::string_view text) {
  const auto expected = reference(text);
  const auto got = ours(text, DecimalGrammar::kText);
  if (expected.has_value() != got.has_value() || (got && bits(*expected) != bits(*got))) {
    return ::testing::AssertionFailure() << "parse_decimal differs on '" << text << "'";
  }
  // The quick ones may leave a text to parse_decimal, but never differ from it.
  double value = 0;
  const std::string cell = "12345678" + std::string(text);
  if (parse_short_cell(cell.data() + 8, cell.data() + cell.size(), value) &&
      (!expected || bits(*expected) != bits(value))) {
    return ::testing::AssertionFailure() << "parse_short_cell differs on '" << text << "'";
  }
  const std::string followed = std::string(text) + ',' + std::string(kPlainDecimalReads, '5');
  const char* const end = plain_decimal().parse(followed.data(), value);
  const auto as_json = ours(text, DecimalGrammar::kJson);
  if (end == followed.data() + text.size() && (!as_json || bits(*as_json) != bits(value))) {
    return ::testing::AssertionFailure() << "plain_decimal differs on '" << text << "'";
  }
  return ::testing::AssertionSuccess();
}

TEST(Decimal, agrees_with_from_chars_on_random_spellings) {
  std::mt19937_64 random(1);
  const auto below = [&](std::uint64_t limit) { return random() % limit; };
  std::string text;
  for (int i = 0; i < 1'500'000; ++i) {
    text.clear();
    if (below(4) == 0) text += '-';
    const auto digits = [&](std::uint64_t most) {
      for (std::uint64_t n = below(most + 1); n > 0; --n) {
        text += static_cast<char>('0' + (below(3) == 0 ? 0 : below(10)));
      }
    };
    digits(below(10) == 0 ? 25 : 6);
    if (below(3) != 0) {
      text += '.';
      digits(below(10) == 0 ? 25 : 7);
    }
    if (below(8) == 0) {
      text += below(2) == 0 ? 'e' : 'E';
      if (below(2) == 0) text += below(2) == 0 ? '-' : '+';
      digits(3);
    }
    ASSERT_TRUE(same(text));
  }
}

TEST(Decimal, agrees_with_from_chars_on_the_shortest_spelling_of_random_doubles) {
  std::mt19937_64 random(2);
  for (int i = 0; i < 1'000'000; ++i) {
    const double value = i % 2 == 0 ? std::bit_cast<double>(random())
                                    : static_cast<double>(random() % 1'000'000'000) / 1e4;
    if (!std::isfinite(value)) continue;
    char text[40];
    const auto [end, error] = std::to_chars(text, text + sizeof text, value);
    ASSERT_TRUE(same({text, end}));
  }
}

TEST(Decimal, agrees_with_from_chars_on_random_bytes_of_the_alphabet) {
  std::mt19937_64 random(3);
  static constexpr std::string_view kAlphabet = "0123456789.-+eE ,x";
  std::string text;
  for (int i = 0; i < 1'500'000; ++i) {
    text.clear();
    for (std::uint64_t n = random() % 10; n > 0; --n)
      text += kAlphabet[random() % kAlphabet.size()];
    ASSERT_TRUE(same(text));
  }
}

TEST(Decimal, agrees_with_from_chars_at_the_edges) {
  for (const std::string_view text : {"0",
                                      "-0",
                                      "-0.0",
                                      "0e999999999999",
                                      "1e22",
                                      "1e23",
                                      "9007199254740992",
                                      "9007199254740993",
                                      "9007199254740993e22",
                                      "123456789012345678901234567890",
                                      "1.7976931348623157e308",
                                      "1.7976931348623159e308",
                                      "1e999",
                                      "-1e999",
                                      "1e-999",
                                      "4.9406564584124654e-324",
                                      "2e-324",
                                      "2.2250738585072011e-308",
                                      "1e18446744073709551616",
                                      "1e-18446744073709551616",
                                      "1.",
                                      ".5",
                                      ".",
                                      "",
                                      "-",
                                      "-.",
                                      "1e",
                                      "1e+",
                                      "e5",
                                      "12345678",
                                      "1234567.",
                                      "1234567.8",
                                      "123456.78",
                                      "99999999.99999999",
                                      "18446744073709551615",
                                      "18446744073709551616",
                                      "1..2",
                                      "1.2.3",
                                      "--1",
                                      "0.30000000000000000000000000000000000001",
                                      "8.5",
                                      "-8.5",
                                      "-1234567",
                                      "-12345.67"}) {
    EXPECT_TRUE(same(text));
  }
  EXPECT_TRUE(same(std::string(5000, '9')));
  EXPECT_TRUE(same("0." + std::string(5000, '0') + "1e5001"));
  EXPECT_TRUE(same("1" + std::string(400, '0') + "e-400"));
}

TEST(Decimal, takes_as_json_what_the_json_grammar_says) {
  std::mt19937_64 random(4);
  static constexpr std::string_view kAlphabet = "001239.-+eE";
  std::string text;
  for (int i = 0; i < 200'000; ++i) {
    text.clear();
    for (std::uint64_t n = random() % 8; n > 0; --n) text += kAlphabet[random() % kAlphabet.size()];
    const auto expected = reference(text);
    const auto got = ours(text, DecimalGrammar::kJson);
    const bool number = nlohmann::json::accept(text) && expected.has_value();
    ASSERT_EQ(got.has_value(), number) << text;
    if (got) {
      ASSERT_EQ(bits(*got), bits(*expected)) << text;
    }
  }
}

TEST(Decimal, says_what_no_double_holds) {
  const auto status = [](std::string_view text) {
    return parse_decimal(text.data(), text.data() + text.size(), DecimalGrammar::kJson).status;
  };
  EXPECT_EQ(status("1e999"), DecimalStatus::kOutOfRange);
  EXPECT_EQ(status("-1e999"), DecimalStatus::kOutOfRange);
  EXPECT_EQ(status("1e-999"), DecimalStatus::kOutOfRange);
  EXPECT_EQ(status("0e-999"), DecimalStatus::kGood);
  EXPECT_EQ(status("nan"), DecimalStatus::kNotANumber);
}

}  // namespace
}  // namespace weir::format
