#include "http/content_coding.h"

#include <gtest/gtest.h>

namespace weir::http {
namespace {

TEST(ContentCoding, gives_back_what_was_compressed) {
  for (const std::size_t size : {0u, 1u, 65'536u, 1'000'003u}) {
    std::string bytes(size, '\0');
    for (std::size_t i = 0; i < size; ++i) bytes[i] = static_cast<char>(i * i >> 7);
    EXPECT_EQ(gunzip(gzip(bytes), size).value(), bytes) << size;
  }
}

TEST(ContentCoding, stops_where_little_would_become_much) {
  const std::string bomb = gzip(std::string(50'000'000, 'x'));
  ASSERT_LT(bomb.size(), 100'000u);
  EXPECT_EQ(gunzip(bomb, 1'000'000).error().code(), Code::kExhausted);
  EXPECT_EQ(gunzip(gzip("abcd"), 3).error().code(), Code::kExhausted);
}

TEST(ContentCoding, refuses_what_is_cut_short_changed_or_followed_by_more) {
  const std::string good = gzip("a text that is worth to be compressed, a text");
  for (std::size_t length = 0; length < good.size(); ++length) {
    EXPECT_FALSE(gunzip(good.substr(0, length), 1000)) << length;
  }
  std::string changed = good;
  changed[good.size() - 6] ^= 1;  // in the checksum
  EXPECT_FALSE(gunzip(changed, 1000));
  EXPECT_FALSE(gunzip(good + "x", 1000));
  EXPECT_EQ(gunzip("plain", 1000).error().code(), Code::kBadData);
}

}  // namespace
}  // namespace weir::http
