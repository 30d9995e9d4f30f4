#include "store/crc32c.h"

#include <gtest/gtest.h>

#include <random>
#include <string>

namespace weir::store {
namespace {

std::string sums_of(std::string_view bytes, std::size_t chunk_bytes) {
  std::string sums;
  for (std::size_t at = 0; at < bytes.size(); at += chunk_bytes) {
    const std::uint32_t sum = detail::crc32c_by_table(bytes.substr(at, chunk_bytes));
    for (int shift = 24; shift >= 0; shift -= 8) sums += static_cast<char>(sum >> shift & 0xff);
  }
  return sums;
}

std::string random_bytes(std::mt19937& random, std::size_t count) {
  std::string bytes(count, '\0');
  for (char& byte : bytes) byte = static_cast<char>(random());
  return bytes;
}

TEST(Crc32c, is_that_of_rfc_3720) {
  EXPECT_EQ(crc32c("123456789"), 0xe3069283);
  EXPECT_EQ(crc32c(std::string(32, '\0')), 0x8a9136aa);
  EXPECT_EQ(crc32c(std::string(32, '\xff')), 0x62a8ab43);
  EXPECT_EQ(crc32c(""), 0U);
  EXPECT_EQ(detail::crc32c_by_table("123456789"), 0xe3069283);
}

TEST(Crc32c, is_checked_of_chunks_of_any_length) {
  std::mt19937 random(1);
  for (const std::size_t chunk_bytes : {1U, 7U, 8U, 512U}) {
    for (const std::size_t count : {0U, 1U, 511U, 512U, 2'048U, 5'000U}) {
      const std::string bytes = random_bytes(random, count);
      EXPECT_TRUE(has_crc32c(bytes, chunk_bytes, sums_of(bytes, chunk_bytes)));
      EXPECT_FALSE(has_crc32c(bytes, chunk_bytes, sums_of(bytes, chunk_bytes) + "0000"));
    }
  }
  EXPECT_FALSE(has_crc32c("a", 0, "0000"));
}

TEST(Crc32c, shows_any_flipped_bit) {
  std::mt19937 random(2);
  const std::string bytes = random_bytes(random, 4'100);
  const std::string sums = sums_of(bytes, 512);
  for (int round = 0; round < 200; ++round) {
    std::string flipped = bytes;
    flipped[random() % flipped.size()] ^= static_cast<char>(1 << random() % 8);
    EXPECT_FALSE(has_crc32c(flipped, 512, sums));
  }
}

}  // namespace
}  // namespace weir::store
