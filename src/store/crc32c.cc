#include "store/crc32c.h"

#include <algorithm>
#include <array>
#include <cstring>

#if defined(__x86_64__)
#include <nmmintrin.h>
#endif

namespace weir::store {
namespace {

constexpr std::uint32_t kPolynomial = 0x82f63b78;  // reflected
constexpr std::size_t kSumBytes = sizeof(std::uint32_t);

constexpr std::array<std::uint32_t, 256> make_table() {
  std::array<std::uint32_t, 256> table{};
  for (std::uint32_t i = 0; i < table.size(); ++i) {
    std::uint32_t sum = i;
    for (int bit = 0; bit < 8; ++bit) sum = (sum >> 1) ^ ((sum & 1) != 0 ? kPolynomial : 0);
    table[i] = sum;
  }
  return table;
}
constexpr auto kTable = make_table();

#if defined(__x86_64__)
__attribute__((target("sse4.2"))) std::uint32_t crc32c_by_instruction(std::string_view bytes) {
  std::uint64_t sum = 0xffffffff;
  for (; bytes.size() >= sizeof sum; bytes.remove_prefix(sizeof sum)) {
    std::uint64_t word = 0;
    std::memcpy(&word, bytes.data(), sizeof word);
    sum = _mm_crc32_u64(sum, word);
  }
  auto rest = static_cast<std::uint32_t>(sum);
  for (const char byte : bytes) rest = _mm_crc32_u8(rest, static_cast<unsigned char>(byte));
  return ~rest;
}

// Of four chunks of the same length, a multiple of eight: the instruction takes three steps of the
// processor's clock, and one can be begun at each.
__attribute__((target("sse4.2"))) std::array<std::uint32_t, 4> crc32c_of_four(
    const char* bytes, std::size_t chunk_bytes) {
  std::uint64_t sums[4] = {0xffffffff, 0xffffffff, 0xffffffff, 0xffffffff};
  for (std::size_t at = 0; at < chunk_bytes; at += sizeof(std::uint64_t)) {
    for (std::size_t i = 0; i < 4; ++i) {
      std::uint64_t word = 0;
      std::memcpy(&word, bytes + i * chunk_bytes + at, sizeof word);
      sums[i] = _mm_crc32_u64(sums[i], word);
    }
  }
  std::array<std::uint32_t, 4> result{};
  for (std::size_t i = 0; i < 4; ++i) result[i] = ~static_cast<std::uint32_t>(sums[i]);
  return result;
}
#endif

bool has_instruction() {
#if defined(__x86_64__)
  static const bool has = __builtin_cpu_supports("sse4.2") != 0;
  return has;
#else
  return false;
#endif
}

std::uint32_t read_sum(std::string_view sums, std::size_t index) {
  std::uint32_t sum = 0;
  for (std::size_t i = 0; i < kSumBytes; ++i) {
    sum = sum << 8 | static_cast<unsigned char>(sums[index * kSumBytes + i]);
  }
  return sum;
}

}  // namespace

std::uint32_t detail::crc32c_by_table(std::string_view bytes) {
  std::uint32_t sum = 0xffffffff;
  for (const char byte : bytes) {
    sum = (sum >> 8) ^ kTable[(sum ^ static_cast<unsigned char>(byte)) & 0xff];
  }
  return ~sum;
}

std::uint32_t crc32c(std::string_view bytes) {
#if defined(__x86_64__)
  if (has_instruction()) return crc32c_by_instruction(bytes);
#endif
  return detail::crc32c_by_table(bytes);
}

bool has_crc32c(std::string_view bytes, std::size_t chunk_bytes, std::string_view sums) {
  if (chunk_bytes == 0) return false;
  const std::size_t chunks = bytes.size() / chunk_bytes + (bytes.size() % chunk_bytes != 0 ? 1 : 0);
  if (sums.size() != chunks * kSumBytes) return false;
  std::size_t chunk = 0;
#if defined(__x86_64__)
  const bool by_fours = has_instruction() && chunk_bytes % sizeof(std::uint64_t) == 0;
  for (; by_fours && (chunk + 4) * chunk_bytes <= bytes.size(); chunk += 4) {
    const auto found = crc32c_of_four(bytes.data() + chunk * chunk_bytes, chunk_bytes);
    for (std::size_t i = 0; i < found.size(); ++i) {
      if (found[i] != read_sum(sums, chunk + i)) return false;
    }
  }
#endif
  for (; chunk < chunks; ++chunk) {
    if (crc32c(bytes.substr(chunk * chunk_bytes, chunk_bytes)) != read_sum(sums, chunk)) {
      return false;
    }
  }
  return true;
}

}  // namespace weir::store
