// libFuzzer: whatever the bytes, FeatureParser and nlohmann-json agree on whether they are a
// message and on its values; and a parser that has read other messages gives the same as a fresh
// one.

#include <cstdio>
#include <cstdlib>

#include "format/feature_message.h"
#include "format/feature_message_oracle.h"

namespace {

[[noreturn]] void differs(const char* what, const std::string& reason) {
  std::fprintf(stderr, "differs: %s (%s)\n", what, reason.c_str());
  std::abort();
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  static const weir::record::Schema schema{.features = {"a", "zn", "a \"quoted\" n\xc3\xa4me"},
                                           .target = "y"};
  static const weir::format::FeatureParserOptions options{.depth_max = 8};
  static weir::format::FeatureParser used(schema, options);
  const std::string_view message(reinterpret_cast<const char*>(data), size);

  std::vector<double> rows{1.5};
  const auto parsed = used.parse(message, rows);
  const std::string reason = parsed ? "" : used.refusal().text;
  weir::format::FeatureParser fresh(schema, options);
  std::vector<double> rows_of_fresh{1.5};
  if (fresh.parse(message, rows_of_fresh).has_value() != parsed.has_value() ||
      rows != rows_of_fresh) {
    differs("a fresh parser", reason);
  }
  const auto expected = weir::format::oracle::expected_features(schema, message, options.depth_max);
  if (!expected.sure) return 0;
  if (expected.rows.has_value() != parsed.has_value()) differs("the verdict", reason);
  if (!parsed) {
    if (rows.size() != 1) differs("rows are left behind", reason);
    return 0;
  }
  if (parsed->many != expected.many) differs("many", reason);
  rows.erase(rows.begin());
  if (parsed->count * schema.features.size() != rows.size()) differs("the count", reason);
  if (rows != *expected.rows) differs("the values", reason);
  return 0;
}
