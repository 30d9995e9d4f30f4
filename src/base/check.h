// WEIR_CHECK stops the process, in release too, where the program itself is wrong. Never use it on
// input: what comes from outside is an Error (error.h).
#pragma once

namespace weir::detail {
[[noreturn]] void check_failed(const char* condition, const char* file, int line);
}

#define WEIR_CHECK(condition)         \
  ((condition) ? static_cast<void>(0) \
               : ::weir::detail::check_failed(#condition, __FILE__, __LINE__))
