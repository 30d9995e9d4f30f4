#include "train/ordered_sha256.h"

#include <gtest/gtest.h>

#include <atomic>
#include <string>
#include <thread>
#include <vector>

namespace weir::train {
namespace {

TEST(OrderedSha256, is_that_of_the_pieces_in_the_order_of_their_numbers) {
  OrderedSha256 hash(8);
  hash.add(2, "", "e");
  hash.add(1, "c", "d");
  hash.add(0, "a", "b");
  hash.add(3, "f", "");
  EXPECT_EQ(hash.finish_hex("gh"), sha256_hex("abcdefgh"));
}

TEST(OrderedSha256, is_that_of_what_is_left_where_there_is_no_piece) {
  OrderedSha256 hash(1);
  EXPECT_EQ(hash.finish_hex("header\n"), sha256_hex("header\n"));
}

TEST(OrderedSha256Threads, come_to_the_same_with_little_room) {
  constexpr std::uint64_t kPieces = 2'000;
  std::string all;
  for (std::uint64_t i = 0; i < kPieces; ++i) all += std::string(i % 50, 'x') + std::to_string(i);
  OrderedSha256 hash(2);
  std::atomic<std::uint64_t> taken{0};
  {
    std::vector<std::jthread> threads;
    for (int i = 0; i < 4; ++i) {
      threads.emplace_back([&] {
        for (std::uint64_t number = 0; (number = taken++) < kPieces;) {
          hash.add(number, std::string(number % 50, 'x'), std::to_string(number));
        }
      });
    }
  }
  EXPECT_EQ(hash.finish_hex(""), sha256_hex(all));
}

}  // namespace
}  // namespace weir::train
