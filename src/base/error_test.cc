#include "base/error.h"

#include <gtest/gtest.h>

#include <memory>
#include <set>

namespace weir {
namespace {

constexpr Code kCodes[] = {Code::kInvalidArgument,  Code::kBadConfig,     Code::kBadData,
                           Code::kNotFound,         Code::kAlreadyExists, Code::kUnavailable,
                           Code::kPermissionDenied, Code::kTimeout,       Code::kUnknownOutcome,
                           Code::kFenced,           Code::kExhausted,     Code::kCorrupt,
                           Code::kUnsupported,      Code::kCancelled,     Code::kIo,
                           Code::kInternal};

TEST(Error, tells_what_was_attempted_outermost_first) {
  Error error(Code::kIo, "connection refused");
  error = std::move(error).while_doing("opening block 2");
  error = std::move(error).while_doing("reading /dataset/a.csv");
  EXPECT_EQ(error.message(),
            "while reading /dataset/a.csv: while opening block 2: connection refused");
  EXPECT_EQ(error.reason(), "connection refused");
  EXPECT_EQ(error.code(), Code::kIo);
}

TEST(Error, stays_one_line_whatever_the_names_hold) {
  Error error(Code::kNotFound, "no file 'a\nERROR forged\x1b[2J'");
  error = std::move(error).while_doing("reading \r\n/dataset/\xff.csv");
  const std::string message = error.message();
  for (const char c : message) EXPECT_GE(static_cast<unsigned char>(c), 0x20) << message;
  EXPECT_NE(message.find("\\nERROR forged\\x1b[2J"), std::string::npos) << message;
  EXPECT_NE(message.find("\\xff.csv"), std::string::npos) << message;
}

TEST(Error, has_a_name_of_its_own_for_each_code) {
  std::set<std::string_view> names;
  for (const Code code : kCodes) names.insert(code_name(code));
  EXPECT_EQ(names.size(), std::size(kCodes));
}

TEST(Error, gives_the_exit_codes_that_the_manual_names) {
  const auto exit_code = [](Code code) { return Error(code, "").exit_code(); };
  EXPECT_EQ(exit_code(Code::kInvalidArgument), 2);
  EXPECT_EQ(exit_code(Code::kBadData), 65);
  EXPECT_EQ(exit_code(Code::kCorrupt), 65);
  EXPECT_EQ(exit_code(Code::kUnsupported), 65);
  EXPECT_EQ(exit_code(Code::kUnavailable), 69);
  EXPECT_EQ(exit_code(Code::kTimeout), 69);
  EXPECT_EQ(exit_code(Code::kIo), 74);
  EXPECT_EQ(exit_code(Code::kNotFound), 74);
  EXPECT_EQ(exit_code(Code::kExhausted), 74);
  EXPECT_EQ(exit_code(Code::kPermissionDenied), 74);
  EXPECT_EQ(exit_code(Code::kBadConfig), 78);
  for (const Code code : kCodes) EXPECT_NE(exit_code(code), 0) << code_name(code);
}

TEST(Error, is_retryable_only_where_waiting_may_help) {
  for (const Code code : kCodes) {
    const bool expected = code == Code::kUnavailable || code == Code::kTimeout;
    EXPECT_EQ(Error(code, "").retryable(), expected) << code_name(code);
  }
}

Result<int> half(int number) {
  if (number % 2 != 0) return fail(Code::kBadData, std::to_string(number) + " is odd");
  return number / 2;
}

Result<int> quarter(int number) {
  const int once = WEIR_TRY(during(half(number), "halving once"));
  return WEIR_TRY(during(half(once), "halving twice"));
}

Result<int> half_of_half_in_one_line(int number) { return WEIR_TRY(half(WEIR_TRY(half(number)))); }

TEST(WeirTry, yields_the_value_or_returns_the_error_with_its_context) {
  EXPECT_EQ(quarter(8).value(), 2);
  EXPECT_EQ(quarter(7).error().message(), "while halving once: 7 is odd");
  EXPECT_EQ(quarter(6).error().message(), "while halving twice: 3 is odd");
}

TEST(WeirTry, nests) {
  EXPECT_EQ(half_of_half_in_one_line(12).value(), 3);
  EXPECT_EQ(half_of_half_in_one_line(6).error().reason(), "3 is odd");
}

TEST(WeirTry, moves_values_that_cannot_be_copied) {
  const auto make = []() -> Result<std::unique_ptr<int>> { return std::make_unique<int>(5); };
  const auto pass_on = [&]() -> Result<std::unique_ptr<int>> { return WEIR_TRY(make()); };
  EXPECT_EQ(**pass_on(), 5);
}

}  // namespace
}  // namespace weir
