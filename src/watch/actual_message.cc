#include "watch/actual_message.h"

#include <cmath>
#include <nlohmann/json.hpp>

#include "base/text.h"

namespace weir::watch {
namespace {

tl::unexpected<Error> refuse(const std::string& why, std::string_view value) {
  constexpr std::size_t kShown = 80;
  return fail(Code::kBadData, why + ": '" + one_line(value.substr(0, kShown)) +
                                  (value.size() > kShown ? "…'" : "'"));
}

}  // namespace

Result<Actual> parse_actual(std::string_view key, std::string_view value) {
  if (value.size() > kActualBytesMax) {
    return refuse("longer than " + std::to_string(kActualBytesMax) + " bytes", value);
  }
  const auto json = nlohmann::json::parse(value, nullptr, false);
  if (json.is_discarded()) return refuse("neither a number nor a JSON object", value);
  const auto number = [](const nlohmann::json& from) -> std::optional<double> {
    if (!from.is_number()) return std::nullopt;
    const double as_double = from.get<double>();
    return std::isfinite(as_double) ? std::optional(as_double) : std::nullopt;
  };
  if (const auto plain = number(json)) {
    if (key.empty()) return refuse("a number without a key, which would be its id", value);
    return Actual{std::string(key), *plain};
  }
  if (!json.is_object()) return refuse("neither a number nor a JSON object", value);
  const auto id = json.find("id");
  if (id == json.end() || !id->is_string() || id->get_ref<const std::string&>().empty()) {
    return refuse("no member \"id\" that is a text", value);
  }
  const auto actual = json.find("actual");
  const auto told = actual == json.end() ? std::nullopt : number(*actual);
  if (!told) return refuse("no member \"actual\" that is a number", value);
  return Actual{id->get<std::string>(), *told};
}

}  // namespace weir::watch
