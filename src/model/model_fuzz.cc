// libFuzzer: no text makes parse_model crash, hang or take unbounded memory, and what it takes is
// what to_json writes. Each input is tried as it is, and once more with a sha256 that fits, so that
// the search gets past the seal.

#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <string>
#include <string_view>
#include <vector>

#include "base/sha256.h"
#include "model/model.h"

namespace {

void try_model(std::string_view text) {
  const auto model = weir::model::parse_model(text);
  if (!model) return;
  if ((*model)->to_json() != text) std::abort();
  const std::vector<double> row((*model)->schema().features.size(), 1.5);
  double out = 0;
  (*model)->predict(row, {&out, 1});
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string_view text(reinterpret_cast<const char*>(data), size);
  try_model(text);
  const std::size_t seal = text.rfind(",\n  \"sha256\": \"");
  const std::string body(text.substr(0, seal));
  try_model(body + ",\n  \"sha256\": \"" + weir::sha256_hex(body) + "\"\n}\n");
  return 0;
}
