#include "base/log.h"

#include <spdlog/sinks/stdout_sinks.h>
#include <spdlog/spdlog.h>

#include <atomic>
#include <memory>

#include "base/clock.h"
#include "base/text.h"

namespace weir::log {
namespace {

Options& options() {
  static Options current;
  return current;
}

spdlog::logger& logger() {
  static const std::shared_ptr<spdlog::logger> instance = [] {
    auto made =
        std::make_shared<spdlog::logger>("weir", std::make_shared<spdlog::sinks::stderr_sink_mt>());
    made->set_pattern("%v");
    made->set_level(spdlog::level::trace);
    return made;
  }();
  return *instance;
}

std::string_view level_name(Level level) {
  switch (level) {
    case Level::kDebug: return "debug";
    case Level::kInfo: return "info";
    case Level::kWarn: return "warning";
    default: return "error";
  }
}

void append_json_string(std::string& out, std::string_view text) {
  out += '"';
  // one_line leaves valid UTF-8 without control characters; its backslashes are text like any
  // other.
  for (const char c : one_line(text)) {
    if (c == '"' || c == '\\') out += '\\';
    out += c;
  }
  out += '"';
}

void append_json_value(std::string& out, const Value& value) {
  std::visit(
      [&](const auto& held) {
        using Held = std::decay_t<decltype(held)>;
        if constexpr (std::is_same_v<Held, std::string>) {
          append_json_string(out, held);
        } else if constexpr (std::is_same_v<Held, bool>) {
          out += held ? "true" : "false";
        } else if constexpr (std::is_same_v<Held, double>) {
          const std::string text = format_double(held);
          // JSON has no infinity and no NaN.
          if (parse_finite_double(text)) out += text;
          else append_json_string(out, text);
        } else {
          out += std::to_string(held);
        }
      },
      value.value);
}

void append_text_value(std::string& out, const Value& value) {
  if (const auto* number = std::get_if<double>(&value.value)) {
    char buffer[32];
    std::snprintf(buffer, sizeof buffer, "%.6g", *number);
    out += buffer;
    return;
  }
  const auto* text = std::get_if<std::string>(&value.value);
  if (text == nullptr) {
    append_json_value(out, value);
    return;
  }
  const std::string line = one_line(*text);
  const bool quote = line.empty() || line.find_first_of(" =\"") != std::string::npos;
  if (quote) append_json_string(out, *text);
  else out += line;
}

}  // namespace

void configure(const Options& wanted) { options() = wanted; }

Shape shape() { return options().shape; }

bool enabled(Level level) { return level >= options().level; }

std::string format_line(Shape shape, Level level, std::string_view message, Fields fields,
                        std::string_view time) {
  std::string out;
  if (shape == Shape::kJson) {
    out += "{\"time\":\"";
    out += time;
    out += "\",\"level\":\"";
    out += level_name(level);
    out += "\",\"message\":";
    append_json_string(out, message);
    for (const Field& field : fields) {
      out += ',';
      append_json_string(out, field.name);
      out += ':';
      append_json_value(out, field.value);
    }
    return out + "}";
  }
  // "09:30:00 message  name=value": the date is the reader's own day.
  if (time.size() >= 19) out += std::string(time.substr(11, 8)) + " ";
  if (level >= Level::kWarn) out += std::string(level_name(level)) + ": ";
  out += one_line(message);
  for (const Field& field : fields) {
    out += out.empty() ? "" : "  ";
    out += field.name;
    out += '=';
    append_text_value(out, field.value);
  }
  return out;
}

void write(Level level, std::string_view message, Fields fields) {
  if (!enabled(level)) return;
  std::string line =
      format_line(options().shape, level, message, fields, format_time(system_clock().wall()));
  if (options().color && options().shape == Shape::kText && level >= Level::kWarn) {
    line = (level == Level::kWarn ? "\x1b[33m" : "\x1b[31m") + line + "\x1b[0m";
  }
  logger().info(line);
}

}  // namespace weir::log
