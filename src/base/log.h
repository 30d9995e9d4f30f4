// One line per event that a person cares about, on stderr: readable on a terminal, or one JSON
// object a line. Normal operation is quiet.
//
//   log::info("data set taken up", {{"path", path}, {"epoch", epoch}});
//
// A message is lower case without a full stop; what varies goes into fields, so that lines can be
// grepped and counted. Values are escaped: no input ever splits a line. Never log a secret.
//
// Threads: any. Set up once, before the first thread, by configure().
#pragma once

#include <cstdint>
#include <initializer_list>
#include <string>
#include <string_view>
#include <variant>

#include "base/error.h"

namespace weir::log {

enum class Level { kDebug, kInfo, kWarn, kError, kOff };
enum class Shape { kText, kJson };

struct Options {
  Level level = Level::kInfo;
  Shape shape = Shape::kText;
  bool color = false;  // the caller looks at isatty and NO_COLOR
};
void configure(const Options& options);
bool enabled(Level level);
Shape shape();

struct Value {
  Value(std::string_view text) : value(std::string(text)) {}
  Value(const std::string& text) : value(text) {}
  Value(const char* text) : value(std::string(text)) {}
  Value(bool flag) : value(flag) {}
  Value(double number) : value(number) {}
  Value(int number) : value(static_cast<std::int64_t>(number)) {}
  Value(unsigned number) : value(static_cast<std::int64_t>(number)) {}
  Value(long number) : value(static_cast<std::int64_t>(number)) {}
  Value(long long number) : value(static_cast<std::int64_t>(number)) {}
  Value(unsigned long number) : value(static_cast<std::int64_t>(number)) {}
  Value(unsigned long long number) : value(static_cast<std::int64_t>(number)) {}
  Value(const Error& error) : value(error.message()) {}
  std::variant<std::string, bool, double, std::int64_t> value;
};
struct Field {
  std::string_view name;
  Value value;
};
using Fields = std::initializer_list<Field>;

void write(Level level, std::string_view message, Fields fields);
inline void debug(std::string_view message, Fields fields = {}) {
  write(Level::kDebug, message, fields);
}
inline void info(std::string_view message, Fields fields = {}) {
  write(Level::kInfo, message, fields);
}
inline void warn(std::string_view message, Fields fields = {}) {
  write(Level::kWarn, message, fields);
}
inline void error(std::string_view message, Fields fields = {}) {
  write(Level::kError, message, fields);
}

// The line as write() would print it, without time or line end; for tests and for the page.
std::string format_line(Shape shape, Level level, std::string_view message, Fields fields,
                        std::string_view time);

}  // namespace weir::log
