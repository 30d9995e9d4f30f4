#include "cache/sip_hash.h"

#include <gtest/gtest.h>

#include <cstring>
#include <string>
#include <vector>

namespace weir::cache {
namespace {

// 00 01 02 …
const SipKey kKey{0x0706050403020100, 0x0f0e0d0c0b0a0908};

std::vector<double> words(std::size_t count) {
  std::vector<double> values(count);
  for (std::size_t i = 0; i < count * 8; ++i) {
    reinterpret_cast<unsigned char*>(values.data())[i] = static_cast<unsigned char>(i);
  }
  return values;
}

std::string hex(const void* bytes, std::size_t size) {
  std::string text;
  for (std::size_t i = 0; i < size; ++i) {
    char digits[3];
    std::snprintf(digits, sizeof digits, "%02X", static_cast<const unsigned char*>(bytes)[i]);
    text += digits;
  }
  return text;
}

struct Vector {
  std::size_t words;
  const char* tag;   // SipHash-2-4, 128 bits
  const char* hash;  // SipHash-1-3, 64 bits
};

// By `openssl mac … SIPHASH` of the bytes 00 01 02 …; the first tag is also in the reference's own
// list.
constexpr Vector kVectors[] = {{0, "A3817F04BA25A8E66DF67214C7550293", "DCC40F055801ACAB"},
                               {1, "3B62A9BA6258F5610F83E264F31497B4", "8E9A298D11959036"},
                               {2, "6EE2A4CA67B054BBFD3315BF85230577", "668B907D1ADD4FCC"},
                               {13, "09214230D5748DB1F1A3F029CC6BC44E", "B1A30995A179D0D8"}};

TEST(SipHash, is_that_of_openssl) {
  for (const Vector& vector : kVectors) {
    const auto values = words(vector.words);
    SipTagger tagger(kKey);
    tagger.add(values);
    const SipTag tag = tagger.finish();
    EXPECT_EQ(hex(tag.data(), sizeof tag), vector.tag) << vector.words;
    const std::uint64_t hash = sip_hash(kKey, values);
    EXPECT_EQ(hex(&hash, sizeof hash), vector.hash) << vector.words;
  }
}

}  // namespace
}  // namespace weir::cache
