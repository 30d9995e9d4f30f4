// Looks for bytes 64 at a time.
//
// Threads: pure functions.
#pragma once

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <string_view>

#ifdef __SSE2__
#include <emmintrin.h>
#endif

namespace weir::format {

inline constexpr std::size_t kBlockBytes = 64;

// A bit for each of the kBlockBytes bytes at `block` that is `a` or `b`, the first byte lowest.
inline std::uint64_t find_either(const char* block, char a, char b) {
  std::uint64_t bits = 0;
#ifdef __SSE2__
  for (int i = 0; i < 4; ++i) {
    const __m128i bytes = _mm_loadu_si128(reinterpret_cast<const __m128i*>(block + 16 * i));
    const __m128i found = _mm_or_si128(_mm_cmpeq_epi8(bytes, _mm_set1_epi8(a)),
                                       _mm_cmpeq_epi8(bytes, _mm_set1_epi8(b)));
    bits |= static_cast<std::uint64_t>(static_cast<unsigned>(_mm_movemask_epi8(found))) << (16 * i);
  }
#else
  for (std::size_t i = 0; i < kBlockBytes; ++i) {
    bits |= static_cast<std::uint64_t>(block[i] == a || block[i] == b) << i;
  }
#endif
  return bits;
}

inline std::size_t count_byte(std::string_view bytes, char wanted) {
  std::size_t count = 0;
  std::size_t at = 0;
#ifdef __SSE2__
  // Sixteen counters of a byte each, added up before one can overflow.
  constexpr std::size_t kStepsMax = 255;
  const __m128i pattern = _mm_set1_epi8(wanted);
  while (bytes.size() - at >= sizeof(__m128i)) {
    const std::size_t steps = std::min(kStepsMax, (bytes.size() - at) / sizeof(__m128i));
    __m128i counters = _mm_setzero_si128();
    for (std::size_t i = 0; i < steps; ++i, at += sizeof(__m128i)) {
      const __m128i found = _mm_loadu_si128(reinterpret_cast<const __m128i*>(bytes.data() + at));
      counters = _mm_sub_epi8(counters, _mm_cmpeq_epi8(found, pattern));
    }
    const __m128i sums = _mm_sad_epu8(counters, _mm_setzero_si128());
    count += static_cast<std::size_t>(_mm_cvtsi128_si64(sums)) +
             static_cast<std::size_t>(_mm_cvtsi128_si64(_mm_unpackhi_epi64(sums, sums)));
  }
#endif
  for (; at < bytes.size(); ++at) count += bytes[at] == wanted;
  return count;
}

}  // namespace weir::format
