#include "serve/parameters.h"

#include <algorithm>
#include <vector>

#include "base/moment.h"
#include "base/text.h"
#include "base/value_text.h"

namespace weir::serve {
namespace {

tl::unexpected<Error> refuse(std::string_view name, std::string_view value,
                             const std::string& wanted) {
  return fail(Code::kInvalidArgument, "the parameter " + std::string(name) + "=" +
                                          one_line(value.substr(0, 100)) + " is not " + wanted);
}

}  // namespace

std::optional<std::uint64_t> number_of(std::string_view text) {
  if (text.empty() || text.size() > 18 || text.find_first_not_of("0123456789") != text.npos) {
    return std::nullopt;
  }
  return static_cast<std::uint64_t>(*parse_int64(text));
}

Result<std::optional<std::uint64_t>> number_parameter(const http::Request& request,
                                                      std::string_view name, std::uint64_t min,
                                                      std::uint64_t max) {
  const auto text = request.parameter(name);
  if (!text) return std::nullopt;
  const auto number = number_of(*text);
  if (!number || *number < min || *number > max) {
    return refuse(name, *text,
                  "a whole number from " + std::to_string(min) + " to " + std::to_string(max));
  }
  return number;
}

Result<std::optional<std::int64_t>> moment_parameter(const http::Request& request,
                                                     std::string_view name, WallTime now) {
  const auto text = request.parameter(name);
  if (!text) return std::nullopt;
  const auto moment = parse_moment(*text, now);
  if (!moment) return refuse(name, *text, "a moment such as 2026-01-31T09:30:00Z or 2h");
  return moment->time_since_epoch().count();
}

Result<std::optional<Millis>> duration_parameter(const http::Request& request,
                                                 std::string_view name, Millis max) {
  const auto text = request.parameter(name);
  if (!text) return std::nullopt;
  const auto duration = parse_duration(*text);
  if (!duration || duration->count() < 0 || *duration > max) {
    return refuse(name, *text,
                  "a duration such as 2s or 500ms, " + format_duration(max) + " at most");
  }
  return duration;
}

Status only_parameters(const http::Request& request,
                       std::initializer_list<std::string_view> names) {
  for (const auto& [name, value] : request.query) {
    if (std::find(names.begin(), names.end(), name) != names.end()) continue;
    const std::vector<std::string> known(names.begin(), names.end());
    const auto near = nearest_name(name, known);
    return fail(Code::kInvalidArgument, "there is no parameter '" + one_line(name.substr(0, 100)) +
                                            "' here" +
                                            (near ? "; did you mean '" + *near + "'?" : ""));
  }
  return {};
}

}  // namespace weir::serve
