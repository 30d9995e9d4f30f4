#include "base/value_text.h"

#include <cmath>
#include <span>

#include "base/text.h"

namespace weir {
namespace {

struct Unit {
  std::string_view name;
  std::int64_t factor;
};

// Largest first: the first that divides a value is the one to write it in.
constexpr Unit kDurationUnits[] = {
    {"d", 86'400'000}, {"h", 3'600'000}, {"m", 60'000}, {"s", 1'000}, {"ms", 1}};
constexpr Unit kSizeUnits[] = {{"TiB", 1LL << 40}, {"TB", 1'000'000'000'000},
                               {"GiB", 1LL << 30}, {"GB", 1'000'000'000},
                               {"MiB", 1LL << 20}, {"MB", 1'000'000},
                               {"KiB", 1LL << 10}, {"kB", 1'000},
                               {"KB", 1'000},      {"B", 1}};

std::optional<std::int64_t> parse_with_unit(std::string_view text, std::span<const Unit> units) {
  if (text == "0") return 0;
  const std::size_t digits = std::min(text.find_first_not_of("0123456789."), text.size());
  const std::string_view unit_name = text.substr(digits);
  const auto number = parse_finite_double(text.substr(0, digits));
  if (!number) return std::nullopt;
  for (const Unit& unit : units) {
    if (unit.name != unit_name) continue;
    const double value = *number * static_cast<double>(unit.factor);
    // Past 2^53 a double no longer tells neighbours apart.
    if (value > 9'007'199'254'740'992.0 || value != std::nearbyint(value)) return std::nullopt;
    return static_cast<std::int64_t>(value);
  }
  return std::nullopt;
}

std::string format_with_unit(std::int64_t value, std::span<const Unit> units) {
  for (const Unit& unit : units) {
    if (value != 0 && value % unit.factor == 0) {
      return std::to_string(value / unit.factor) + std::string(unit.name);
    }
  }
  return std::string("0").append(units.back().name);
}

}  // namespace

std::optional<Millis> parse_duration(std::string_view text) {
  const auto value = parse_with_unit(text, kDurationUnits);
  if (!value) return std::nullopt;
  return Millis(*value);
}

std::string seconds_text(Millis duration) {
  return std::to_string((duration.count() + 999) / 1000) + " s";
}

std::string format_duration(Millis duration) {
  return format_with_unit(duration.count(), kDurationUnits);
}

std::optional<std::int64_t> parse_size(std::string_view text) {
  return parse_with_unit(text, kSizeUnits);
}

std::string format_size(std::int64_t bytes) { return format_with_unit(bytes, kSizeUnits); }

}  // namespace weir
