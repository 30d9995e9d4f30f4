#include "cache/entry.h"

#include <gtest/gtest.h>

#include <cmath>
#include <limits>
#include <vector>

namespace weir::cache {
namespace {

const std::string kModel(64, 'a');
const EntryKeys kKeys = entry_keys("a secret of thirty-two bytes....", "build", kModel);
const std::vector<double> kRow = {1.5, -2, 0};

TEST(Entry, opens_for_the_row_and_the_keys_that_it_was_sealed_for) {
  const std::string bytes = seal_entry(kKeys, kRow, 24.25);
  EXPECT_EQ(bytes.size(), kEntryBytes);
  EXPECT_EQ(open_entry(kKeys, kRow, bytes), 24.25);
  EXPECT_EQ(seal_entry(kKeys, kRow, 24.25), bytes);
}

TEST(Entry, of_another_row_model_build_or_secret_is_not_ours) {
  const std::string bytes = seal_entry(kKeys, kRow, 24.25);
  const std::vector<double> others[] = {
      {1.5, -2, -0.0}, {-2, 1.5, 0}, {1.5, -2}, {1.5, -2, 0, 0}, {std::nextafter(1.5, 2), -2, 0}};
  for (const auto& other : others) {
    EXPECT_EQ(open_entry(kKeys, other, bytes), std::nullopt);
    EXPECT_NE(entry_name(kKeys, other), entry_name(kKeys, kRow));
  }
  const std::string secret = "a secret of thirty-two bytes....";
  for (const EntryKeys& keys :
       {entry_keys(secret, "build", std::string(64, 'b')), entry_keys(secret, "builD", kModel),
        entry_keys(secret + "!", "build", kModel)}) {
    EXPECT_EQ(open_entry(keys, kRow, bytes), std::nullopt);
    EXPECT_NE(entry_name(keys, kRow), entry_name(kKeys, kRow));
  }
}

TEST(Entry, does_not_open_with_any_bit_changed) {
  const std::string bytes = seal_entry(kKeys, kRow, 24.25);
  for (std::size_t i = 0; i < bytes.size() * 8; ++i) {
    std::string changed = bytes;
    changed[i / 8] = static_cast<char>(changed[i / 8] ^ 1 << i % 8);
    EXPECT_EQ(open_entry(kKeys, kRow, changed), std::nullopt) << "bit " << i;
  }
}

TEST(Entry, does_not_open_cut_short_or_longer_or_empty) {
  const std::string bytes = seal_entry(kKeys, kRow, 24.25);
  for (std::size_t size = 0; size < bytes.size(); ++size) {
    EXPECT_EQ(open_entry(kKeys, kRow, bytes.substr(0, size)), std::nullopt);
  }
  EXPECT_EQ(open_entry(kKeys, kRow, bytes + bytes[0]), std::nullopt);
  EXPECT_EQ(open_entry(kKeys, kRow, std::string(1'000'000, '\1')), std::nullopt);
}

TEST(Entry, that_is_not_finite_does_not_open_even_with_a_seal) {
  for (const double value :
       {std::numeric_limits<double>::quiet_NaN(), std::numeric_limits<double>::infinity()}) {
    EXPECT_EQ(open_entry(kKeys, kRow, seal_entry(kKeys, kRow, value)), std::nullopt);
  }
}

TEST(Entry, has_a_name_that_tells_nothing_and_is_always_the_same_size) {
  EXPECT_EQ(entry_name(kKeys, kRow).size(), 11 + 24);
  EXPECT_TRUE(entry_name(kKeys, kRow).starts_with("weir:cache:"));
  EXPECT_EQ(entry_name(kKeys, std::vector<double>(2'000, 1)).size(), 11 + 24);
}

// The layout is fixed: processes of one build share entries, and a change of it takes a new number.
TEST(Entry, has_the_documented_layout) {
  const std::string bytes = seal_entry(kKeys, kRow, 24.25);
  EXPECT_EQ(bytes[0], 1);
  EXPECT_EQ(bytes.substr(1, 8), std::string("\0\0\0\0\0\x40\x38\x40", 8));
}

}  // namespace
}  // namespace weir::cache
