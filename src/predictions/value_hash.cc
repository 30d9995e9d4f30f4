#include "base/sha256.h"
#include "predictions/prediction_store.h"

namespace weir::predictions {
namespace {

int digit(char c) { return c <= '9' ? c - '0' : c - 'a' + 10; }

}  // namespace

ValueHash hash_of(std::string_view value) {
  const std::string hex = sha256_hex(value);
  ValueHash hash{};
  for (std::size_t i = 0; i < hash.size(); ++i) {
    hash[i] = static_cast<std::uint8_t>(digit(hex[2 * i]) * 16 + digit(hex[2 * i + 1]));
  }
  return hash;
}

}  // namespace weir::predictions
