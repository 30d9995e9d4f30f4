#include "base/base64.h"

#include <gtest/gtest.h>

#include <random>

#include "base/byte_codec.h"

namespace weir {
namespace {

TEST(Base64, writes_what_the_standard_shows) {
  EXPECT_EQ(base64_of(""), "");
  EXPECT_EQ(base64_of("f"), "Zg==");
  EXPECT_EQ(base64_of("fo"), "Zm8=");
  EXPECT_EQ(base64_of("foobar"), "Zm9vYmFy");
}

TEST(Base64, reads_back_all_bytes) {
  std::mt19937 random(1);
  for (std::size_t size = 0; size < 300; ++size) {
    std::string bytes;
    for (std::size_t i = 0; i < size; ++i) bytes += static_cast<char>(random());
    EXPECT_EQ(from_base64(base64_of(bytes)), bytes);
  }
}

TEST(Base64, refuses_what_nobody_has_written_so) {
  for (const char* text : {"Z", "Zg=", "Zg", "Zh==", "Zm9=", "Z===", "====", "Zg==Zg==", "Zm 8"}) {
    EXPECT_FALSE(from_base64(text)) << text;
  }
}

TEST(ByteReader, reads_what_was_written_and_fails_for_good_beyond_it) {
  ByteWriter to;
  to.u8(1);
  to.u32(70'000);
  to.u64(std::uint64_t{1} << 40);
  to.f64(-0.5);
  to.text("abc");
  to.doubles(std::vector<double>{1, 2});
  ByteReader from(to.bytes());
  EXPECT_TRUE(from.flag());
  EXPECT_EQ(from.u32(), 70'000U);
  EXPECT_EQ(from.u64(), std::uint64_t{1} << 40);
  EXPECT_EQ(from.f64(), -0.5);
  EXPECT_EQ(from.text(), "abc");
  EXPECT_EQ(from.doubles(2), (std::vector<double>{1, 2}));
  EXPECT_TRUE(from.ok() && from.at_end());
  EXPECT_EQ(from.u8(), 0U);
  EXPECT_FALSE(from.ok());
}

TEST(ByteReader, takes_no_memory_for_more_than_there_is) {
  ByteWriter to;
  to.u64(~std::uint64_t{0});
  ByteReader text(to.bytes());
  EXPECT_EQ(text.text(), "");
  EXPECT_FALSE(text.ok());
  ByteReader doubles(to.bytes());
  EXPECT_TRUE(doubles.doubles(~std::uint64_t{0} / 4).empty());
  EXPECT_FALSE(doubles.ok());
}

}  // namespace
}  // namespace weir
