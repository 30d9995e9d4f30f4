// SipHash (Aumasson & Bernstein 2012), a hash under a secret key, of whole 64-bit words: who does
// not know the key can neither find texts of the same hash nor tell the hash of a text.
//
// sip_hash() is SipHash-1-3 with 64 bits, for tables; sip_tag() SipHash-2-4 with 128 bits, which
// is a message authentication code. Both give what the reference gives for the words' bytes, little
// end first.
//
// Threads: pure functions. Errors: none.
#pragma once

#include <array>
#include <bit>
#include <cstdint>
#include <span>

namespace weir::cache {

struct SipKey {
  std::uint64_t low = 0;
  std::uint64_t high = 0;
};

using SipTag = std::array<std::uint64_t, 2>;

// Takes words in, one after the other.
template <int kRounds, int kLastRounds, bool kWide>
class SipState {
 public:
  explicit SipState(SipKey key)
      : v0_(key.low ^ 0x736f6d6570736575u),
        v1_(key.high ^ 0x646f72616e646f6du ^ (kWide ? 0xeeu : 0u)),
        v2_(key.low ^ 0x6c7967656e657261u),
        v3_(key.high ^ 0x7465646279746573u) {}

  void add(std::uint64_t word) {
    take(word);
    ++words_;
  }
  void add(std::span<const double> values) {
    for (const double value : values) add(std::bit_cast<std::uint64_t>(value));
  }
  // Once; the state is spent.
  SipTag finish() {
    take((words_ * 8) << 56);
    v2_ ^= kWide ? 0xeeu : 0xffu;
    rounds<kLastRounds>();
    SipTag tag{v0_ ^ v1_ ^ v2_ ^ v3_, 0};
    if constexpr (kWide) {
      v1_ ^= 0xddu;
      rounds<kLastRounds>();
      tag[1] = v0_ ^ v1_ ^ v2_ ^ v3_;
    }
    return tag;
  }

 private:
  void take(std::uint64_t word) {
    v3_ ^= word;
    rounds<kRounds>();
    v0_ ^= word;
  }
  template <int kCount>
  void rounds() {
    for (int i = 0; i < kCount; ++i) {
      v0_ += v1_;
      v2_ += v3_;
      v1_ = std::rotl(v1_, 13) ^ v0_;
      v3_ = std::rotl(v3_, 16) ^ v2_;
      v0_ = std::rotl(v0_, 32);
      v2_ += v1_;
      v0_ += v3_;
      v1_ = std::rotl(v1_, 17) ^ v2_;
      v3_ = std::rotl(v3_, 21) ^ v0_;
      v2_ = std::rotl(v2_, 32);
    }
  }

  std::uint64_t v0_, v1_, v2_, v3_;
  std::uint64_t words_ = 0;
};

using SipHash = SipState<1, 3, false>;
using SipTagger = SipState<2, 4, true>;

inline std::uint64_t sip_hash(SipKey key, std::span<const double> values) {
  SipHash state(key);
  state.add(values);
  return state.finish()[0];
}

}  // namespace weir::cache
