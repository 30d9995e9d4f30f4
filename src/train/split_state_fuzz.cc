// libFuzzer: no bytes make take_state crash, hang or take unbounded memory; what it takes merges,
// fits or is refused, and is what state_file writes. Each input is tried as it is, and once more as
// the body of a state whose seal fits, so that the search gets past the seal.

#include <cstdint>
#include <cstdlib>
#include <string>
#include <string_view>

#include "base/byte_codec.h"
#include "base/sha256.h"
#include "base/text.h"
#include "train/split_state_file.h"

namespace {

void try_state(std::string_view bytes) {
  const std::string_view whole = bytes;
  auto state = weir::train::take_state(bytes);
  if (!state) return;
  const auto again = weir::train::state_file(*state);
  if (!again || *again != whole.substr(0, whole.size() - bytes.size())) std::abort();
  if (state->first == 0 && state->count == state->plan->splits) {
    const auto wanted = [] { return weir::Status(); };
    static_cast<void>(weir::train::fit_state(std::move(*state), "", wanted));
  }
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string_view input(reinterpret_cast<const char*>(data), size);
  try_state(input);
  weir::ByteWriter head;
  head.u32(1);
  head.u64(size);
  std::string sealed = std::string(weir::train::kStateMagic) + head.bytes() + std::string(input);
  sealed += *weir::from_hex(weir::sha256_hex(sealed));
  try_state(sealed);
  return 0;
}
