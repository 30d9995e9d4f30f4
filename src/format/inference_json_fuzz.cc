// Any bytes as a request of REST: what is taken is JSON to another parser too, and has the elements
// that it says it has.
#include <algorithm>
#include <cstdint>
#include <nlohmann/json.hpp>

#include "base/check.h"
#include "format/inference_json.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  std::string_view body(reinterpret_cast<const char*>(data), size);
  std::size_t behind = 0;
  if (!body.empty()) {
    behind = static_cast<unsigned char>(body.front());
    body.remove_prefix(1);
  }
  const std::size_t json_bytes = body.size() - std::min(behind, body.size());
  const auto request = weir::format::read_inference_json(body, json_bytes);
  if (!request) return 0;
  WEIR_CHECK(nlohmann::json::accept(body.substr(0, json_bytes)));
  for (const auto& input : request->inputs) {
    std::int64_t count = 1;
    for (const std::int64_t extent : input.shape) count *= extent;
    WEIR_CHECK(input.size() == static_cast<std::size_t>(count));
    std::size_t bytes = 0;
    for (const std::string_view text : input.texts) {
      for (const char c : text) bytes += c != 0;
    }
    WEIR_CHECK(bytes <= 4 * body.size());
  }
  return 0;
}
