#include "base/text.h"

#include <gtest/gtest.h>

#include <cmath>
#include <cstring>
#include <limits>
#include <random>
#include <vector>

namespace weir {
namespace {

TEST(IsUtf8, is_true_of_well_formed_text_alone) {
  for (const std::string_view text : {"", "plain", "größe, цена, 価格, 🏠"}) {
    EXPECT_TRUE(is_utf8(text)) << text;
  }
  for (const std::string_view text :
       {"\xff", "a\xc3", "\xc0\x80", "\xed\xa0\x80", "\xf4\x90\x80\x80"}) {
    EXPECT_FALSE(is_utf8(text)) << one_line(text);
  }
}

TEST(OneLine, leaves_ordinary_text_as_it_is) {
  EXPECT_EQ(one_line(""), "");
  EXPECT_EQ(one_line("/dataset/boston.csv"), "/dataset/boston.csv");
  EXPECT_EQ(one_line("größe, цена, 価格, 🏠"), "größe, цена, 価格, 🏠");
}

TEST(OneLine, escapes_what_splits_a_line_or_moves_a_cursor) {
  EXPECT_EQ(one_line("a\nb\r\tc"), "a\\nb\\r\\tc");
  EXPECT_EQ(one_line(std::string_view("a\0b", 3)), "a\\x00b");
  EXPECT_EQ(one_line("\x1b[31mred\x7f"), "\\x1b[31mred\\x7f");
  EXPECT_EQ(one_line("next\xc2\x85line"), "next\\xc2\\x85line");         // U+0085
  EXPECT_EQ(one_line("line\xe2\x80\xa8sep"), "line\\xe2\\x80\\xa8sep");  // U+2028
  EXPECT_EQ(one_line("\xe2\x80\xae"
                     "gnp.exe"),
            "\\xe2\\x80\\xaegnp.exe");  // right to left from here
}

TEST(OneLine, escapes_every_byte_that_is_no_utf8) {
  EXPECT_EQ(one_line("\xff"), "\\xff");
  EXPECT_EQ(one_line("\xc3"), "\\xc3");                    // cut short
  EXPECT_EQ(one_line("\xc3("), "\\xc3(");                  // not followed as it must be
  EXPECT_EQ(one_line("\xc0\x8a"), "\\xc0\\x8a");           // a line feed, too long
  EXPECT_EQ(one_line("\xe0\x80\x8a"), "\\xe0\\x80\\x8a");  // and longer
  EXPECT_EQ(one_line("\xf0\x80\x80\x8a"), "\\xf0\\x80\\x80\\x8a");
  EXPECT_EQ(one_line("\xed\xa0\x80"), "\\xed\\xa0\\x80");  // half of a surrogate pair
  EXPECT_EQ(one_line("\xf4\x90\x80\x80"), "\\xf4\\x90\\x80\\x80");
}

TEST(OneLine, never_lets_a_control_byte_through) {
  std::mt19937 random(7);
  for (int round = 0; round < 2000; ++round) {
    std::string text(random() % 12, ' ');
    for (char& c : text) c = static_cast<char>(random());
    const std::string line = one_line(text);
    for (const char c : line) {
      ASSERT_GE(static_cast<unsigned char>(c), 0x20);
      ASSERT_NE(c, 0x7f);
    }
    ASSERT_EQ(one_line(line), line) << "what is one line stays as it is";
  }
}

TEST(ParseFiniteDouble, reads_the_whole_text_correctly_rounded) {
  EXPECT_EQ(parse_finite_double("0.1"), 0.1);
  EXPECT_EQ(parse_finite_double("+2.5"), 2.5);
  EXPECT_EQ(parse_finite_double("-1e-3"), -0.001);
  EXPECT_EQ(parse_finite_double(".5"), 0.5);
  EXPECT_EQ(parse_finite_double("4.9e-324"), std::numeric_limits<double>::denorm_min());
  EXPECT_EQ(parse_finite_double("1.7976931348623157e308"), std::numeric_limits<double>::max());
  EXPECT_EQ(parse_finite_double("9007199254740993"), 9007199254740992.0);  // halfway: to even
}

TEST(ParseFiniteDouble, refuses_everything_else) {
  for (const char* text : {"", "+", "-", "+-1", "++1", " 1", "1 ", "1,5", "0x10", "inf", "-INF",
                           "nan", "NaN(1)", "1e999", "-1e999", "1e", "1.5abc", "١"}) {
    EXPECT_EQ(parse_finite_double(text), std::nullopt) << text;
  }
}

TEST(ParseInt64, takes_whole_numbers_of_64_bits_only) {
  EXPECT_EQ(parse_int64("0"), 0);
  EXPECT_EQ(parse_int64("-9223372036854775808"), std::numeric_limits<std::int64_t>::min());
  EXPECT_EQ(parse_int64("9223372036854775807"), std::numeric_limits<std::int64_t>::max());
  for (const char* text : {"", "-", "9223372036854775808", "1.0", "1e3", " 1", "1 ", "0x1"}) {
    EXPECT_EQ(parse_int64(text), std::nullopt) << text;
  }
}

TEST(FormatDouble, reads_back_to_the_same_bits) {
  std::mt19937_64 random(11);
  for (int round = 0; round < 2000; ++round) {
    const auto bits = random();
    double value = 0;
    static_assert(sizeof value == sizeof bits);
    std::memcpy(&value, &bits, sizeof value);
    if (!std::isfinite(value)) continue;
    const auto back = parse_finite_double(format_double(value));
    ASSERT_TRUE(back.has_value()) << format_double(value);
    ASSERT_EQ(std::memcmp(&*back, &value, sizeof value), 0) << format_double(value);
  }
  EXPECT_EQ(format_double(0.1), "0.1");
  EXPECT_EQ(format_double(30.003), "30.003");
}

TEST(FormatBytes, uses_powers_of_1000_and_at_most_three_digits) {
  const struct {
    std::uint64_t bytes;
    const char* text;
  } cases[] = {{0, "0 B"},
               {340, "340 B"},
               {999, "999 B"},
               {1000, "1.0 kB"},
               {1234, "1.2 kB"},
               {99'949, "99.9 kB"},
               {99'950, "100 kB"},
               {999'499, "999 kB"},
               {999'500, "1.0 MB"},
               {1'234'000'000, "1.2 GB"},
               {~std::uint64_t{0}, "18.4 EB"}};
  for (const auto& [bytes, text] : cases) EXPECT_EQ(format_bytes(bytes), text) << bytes;
}

TEST(NearestName, finds_a_slip_of_the_finger_and_nothing_far) {
  const std::vector<std::string> names{"target", "test_fraction", "seed", "path"};
  EXPECT_EQ(nearest_name("taget", names), "target");
  EXPECT_EQ(nearest_name("test-fraction", names), "test_fraction");
  EXPECT_EQ(nearest_name("sead", names), "seed");
  EXPECT_EQ(nearest_name("colour", names), std::nullopt);
  EXPECT_EQ(nearest_name("target", std::vector<std::string>{}), std::nullopt);
}

TEST(EditDistance, counts_single_edits) {
  EXPECT_EQ(edit_distance("", ""), 0);
  EXPECT_EQ(edit_distance("", "abc"), 3);
  EXPECT_EQ(edit_distance("kitten", "sitting"), 3);
  EXPECT_EQ(edit_distance("sitting", "kitten"), 3);
}

TEST(ToHex, writes_two_digits_for_each_byte) {
  EXPECT_EQ(to_hex(std::string_view("\x00\x0f\xff", 3)), "000fff");
}

TEST(BeginningOf, is_cut_between_two_characters) {
  EXPECT_EQ(beginning_of("abc", 3), "abc");
  EXPECT_EQ(beginning_of("abcd", 3), "abc…");
  EXPECT_EQ(beginning_of("aöb", 2), "a…");
  EXPECT_EQ(beginning_of("\x80\x80", 1), "…");
}

TEST(CutToColumns, cuts_between_two_characters) {
  EXPECT_EQ(cut_to_columns("größe", 5), "größe");
  EXPECT_EQ(cut_to_columns("größen", 5), "größ…");
  EXPECT_EQ(cut_to_columns("価格価格", 8), "価格価格");
  EXPECT_EQ(cut_to_columns("価格価格", 7), "価格価…");
  EXPECT_EQ(cut_to_columns("価格価格", 6), "価格…") << "no half of a wide one";
  EXPECT_EQ(cut_to_columns("e\u0301e\u0301", 2), "e\u0301e\u0301");
  EXPECT_EQ(cut_to_columns("ab", 1), "…");
  EXPECT_EQ(cut_to_columns("ab", 0), "");
}

TEST(FitColumns, fills_up_by_columns_and_not_by_bytes) {
  EXPECT_EQ(fit_columns("größe", 7), "größe  ");
  EXPECT_EQ(fit_columns("価格", 5), "価格 ");
  EXPECT_EQ(fit_columns("価格価格", 6), "価格… ");
}

TEST(Hex, reads_back_what_it_wrote) {
  const std::string bytes("\x00\x7f\x80\xff\n", 5);
  EXPECT_EQ(to_hex(bytes), "007f80ff0a");
  EXPECT_EQ(from_hex("007f80ff0a"), bytes);
  EXPECT_EQ(from_hex("FFfA"), "\xff\xfa");
  EXPECT_EQ(from_hex(""), "");
  for (const char* text : {"0", "0g", "g0", "0x", "+1", " 1", "1 ", "-1"}) {
    EXPECT_EQ(from_hex(text), std::nullopt) << text;
  }
}

}  // namespace
}  // namespace weir
