// What tests say of a Result: EXPECT_OK(store.remove(path)), EXPECT_CODE(kNotFound, ...).
#pragma once

#include <gtest/gtest.h>

#include "base/error.h"

namespace weir {

template <typename T>
testing::AssertionResult is_ok(const Result<T>& result) {
  if (result) return testing::AssertionSuccess();
  return testing::AssertionFailure()
         << code_name(result.error().code()) << ": " << result.error().message();
}

template <typename T>
testing::AssertionResult has_code(const Result<T>& result, Code code) {
  if (result) return testing::AssertionFailure() << "there is no error";
  if (result.error().code() == code) return testing::AssertionSuccess();
  return testing::AssertionFailure()
         << code_name(result.error().code()) << ": " << result.error().message();
}

}  // namespace weir

#define EXPECT_OK(expression) EXPECT_TRUE(::weir::is_ok(expression))
#define ASSERT_OK(expression) ASSERT_TRUE(::weir::is_ok(expression))
#define EXPECT_CODE(code, expression) EXPECT_TRUE(::weir::has_code(expression, ::weir::Code::code))
