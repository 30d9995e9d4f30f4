#include "simulation/data_sets.h"

#include <algorithm>

#include "base/text.h"

namespace weir::simulation {
namespace {

constexpr std::uint64_t kRows = 40;

double number(Random& random) {
  return static_cast<double>(static_cast<std::int64_t>(pick(random, 2'000'001)) - 1'000'000) / 1024;
}

std::string row(Random& random, bool wide) {
  std::string line;
  for (int column = 0; column < (wide ? 4 : 3); ++column) {
    line += (column > 0 ? "," : "") + format_double(number(random));
  }
  return line + "\n";
}

}  // namespace

std::string make_dataset(Random& random, DatasetKind kind) {
  const bool wide = kind == DatasetKind::kWide;
  std::string csv = wide ? "a,b,c,y\n" : "a,b,y\n";
  if (kind == DatasetKind::kNoTarget) csv = "a,b,z" + std::to_string(random()) + "\n";
  if (kind == DatasetKind::kHeaderOnly) return "a,b" + std::to_string(random()) + ",y\n";
  for (std::uint64_t i = 0; i < kRows; ++i) csv += row(random, wide);
  if (kind == DatasetKind::kFewBad) csv += "1,,2\n1,x,2\n";
  if (kind == DatasetKind::kManyBad) csv += "1,,2\n1,x,2\n1\n";
  for (std::uint64_t i = 0; i < kRows; ++i) csv += row(random, wide);
  return csv;
}

std::uint64_t rows_of(const std::string& csv) {
  return static_cast<std::uint64_t>(std::count(csv.begin(), csv.end(), '\n')) - 1;
}

std::string make_features(Random& random, FeatureKind kind) {
  const auto value = [&] { return format_double(number(random)); };
  switch (kind) {
    case FeatureKind::kFlat:
      return "{\"c\":" + value() + ",\"b\": " + value() + ", \"a\":" + value() + "}";
    case FeatureKind::kManyRows:
      return "{\"sample\":{\"a\":{\"7\":" + value() + ",\"3\":" + value() +
             "},\"b\":{\"7\":" + value() + ",\"3\":" + value() + "},\"c\":{\"7\":" + value() +
             ",\"3\":" + value() + "}}}";
    case FeatureKind::kGarbage: break;
  }
  static const char* const kGarbage[] = {"",
                                         "garbage",
                                         "{\"a\":1}",
                                         "{\"a\":1,\"b\":\"2\"}",
                                         "[]",
                                         "{\"a\":1,\"b\":2",
                                         "{\"a\":null,\"b\":2,\"c\":3}"};
  return kGarbage[pick(random, std::size(kGarbage))];
}

}  // namespace weir::simulation
