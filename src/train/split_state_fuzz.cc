// libFuzzer: no bytes make take_state crash, hang or take unbounded memory; what it takes fits
// or is refused, and is what state_file writes; a profile plans columns. Each input is tried
// as it is, as the body of a state whose seal fits, and, where it begins as a state, with a length
// and a seal that fit: so the search gets past the seal, from whole states too.

#include <cstdint>
#include <cstdlib>
#include <string>
#include <string_view>

#include "base/byte_codec.h"
#include "base/sha256.h"
#include "base/text.h"
#include "train/column_plan.h"
#include "train/profile_state.h"
#include "train/split_state_file.h"

namespace {

void try_state(std::string_view bytes) {
  const std::string_view whole = bytes;
  auto state = weir::train::take_state(bytes);
  if (!state) return;
  const auto again = weir::train::state_file(*state);
  if (!again || *again != whole.substr(0, whole.size() - bytes.size())) std::abort();
  if (state->first != 0 || state->count != state->plan->splits) return;
  if (state->plan->makes == weir::train::PlanFor::kProfile) {
    const weir::train::TrainingOptions options = state->plan->options;
    const auto profile = weir::train::profile_of(std::move(*state), "");
    if (profile) static_cast<void>(weir::train::plan_columns(*profile, options));
    return;
  }
  const auto wanted = [] { return weir::Status(); };
  static_cast<void>(weir::train::fit_state(std::move(*state), "", wanted));
}

void try_body(std::string_view body) {
  weir::ByteWriter head;
  head.u32(weir::train::kStateVersion);
  head.u64(body.size());
  std::string sealed = std::string(weir::train::kStateMagic) + head.bytes() + std::string(body);
  sealed += *weir::from_hex(weir::sha256_hex(sealed));
  try_state(sealed);
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string_view input(reinterpret_cast<const char*>(data), size);
  try_state(input);
  try_body(input);
  constexpr std::size_t kHead = weir::train::kStateMagic.size() + 4 + 8;
  constexpr std::size_t kSeal = 32;
  if (input.starts_with(weir::train::kStateMagic) && size > kHead + kSeal) {
    try_body(input.substr(kHead, size - kHead - kSeal));
  }
  return 0;
}
