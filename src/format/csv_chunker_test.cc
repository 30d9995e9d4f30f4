#include "format/csv_chunker.h"

#include <gtest/gtest.h>

#include <random>
#include <string>
#include <vector>

#include "format/csv_check.h"

namespace weir::format {
namespace {

using oracle::chunk_all;
using oracle::Chunked;

std::vector<std::string> texts(const Chunked& chunked) {
  std::vector<std::string> out;
  for (const CsvChunk& chunk : chunked.chunks) out.push_back(chunk.bytes);
  return out;
}

std::string reason(const Chunked& chunked) {
  return chunked.error ? chunked.error->reason() : "no error";
}

TEST(CsvChunker, parts_the_header_from_the_records) {
  const Chunked chunked = chunk_all("a,b\n1,2\n3,4\n", {}, 100);
  EXPECT_EQ(chunked.header, "a,b");
  ASSERT_EQ(texts(chunked), std::vector<std::string>{"1,2\n3,4\n"});
  EXPECT_EQ(chunked.chunks[0].first_record, 0U);
  EXPECT_EQ(chunked.chunks[0].first_line, 2U);
  EXPECT_EQ(chunked.chunks[0].records, 2U);
}

TEST(CsvChunker, gives_the_header_as_soon_as_it_is_whole) {
  CsvChunker chunker;
  ASSERT_TRUE(chunker.feed("a,"));
  EXPECT_FALSE(chunker.header());
  ASSERT_TRUE(chunker.feed("b\r\n"));
  EXPECT_EQ(chunker.header(), "a,b");
}

TEST(CsvChunker, cuts_where_the_first_record_ends_at_or_after_the_wanted_size) {
  const Chunked chunked = chunk_all("h\n1\n22\n333\n4\n", {.chunk_bytes = 4}, 1);
  EXPECT_EQ(texts(chunked), (std::vector<std::string>{"1\n22\n", "333\n", "4\n"}));
  EXPECT_EQ(chunked.chunks[1].first_record, 2U);
  EXPECT_EQ(chunked.chunks[1].first_line, 4U);
  EXPECT_EQ(chunked.chunks[2].first_record, 3U);
}

TEST(CsvChunker, cuts_by_the_bytes_alone_however_they_are_fed) {
  std::mt19937 random(5);
  static constexpr std::string_view kAlphabet = "1234,,,\n\n\r\"\"a";
  for (int round = 0; round < 300; ++round) {
    std::string text =
        "\xef\xbb\xbf"
        "a,b\r\n";
    const std::size_t size = random() % 400;
    for (std::size_t i = 0; i < size; ++i) text += kAlphabet[random() % kAlphabet.size()];
    const CsvChunkerOptions options{.chunk_bytes = 1 + random() % 90};
    for (const std::size_t feed : {1, 2, 3, 7, 63, 64, 65}) {
      ASSERT_EQ(oracle::compare_with_oracle(text, options, feed), "") << text;
    }
  }
}

TEST(CsvChunker, reads_the_same_with_a_feed_ending_at_every_byte) {
  const std::string text = "\xef\xbb\xbf\"a\",\"b\n\"\"c\"\r\n\"1\n\n\",\"2\"\"\"\r\n\r\n3,4";
  const Chunked whole = chunk_all(text, {.chunk_bytes = 3}, 1000);
  ASSERT_FALSE(whole.error) << reason(whole);
  EXPECT_EQ(whole.header, "\"a\",\"b\n\"\"c\"");
  ASSERT_EQ(texts(whole), (std::vector<std::string>{"\"1\n\n\",\"2\"\"\"\r\n", "\r\n3,4"}));
  EXPECT_EQ(whole.chunks[1].first_record, 1U);
  EXPECT_EQ(whole.chunks[1].first_line, 6U);
  for (std::size_t split = 0; split <= text.size(); ++split) {
    CsvChunker chunker({.chunk_bytes = 3});
    ASSERT_TRUE(chunker.feed(std::string_view(text).substr(0, split)));
    ASSERT_TRUE(chunker.feed(std::string_view(text).substr(split)));
    ASSERT_TRUE(chunker.finish());
    std::vector<std::string> got;
    while (auto chunk = chunker.next()) got.push_back(chunk->bytes);
    EXPECT_EQ(chunker.header(), whole.header);
    EXPECT_EQ(got, texts(whole)) << split;
  }
}

TEST(CsvChunker, takes_a_stray_quote_as_the_fault_of_its_own_record) {
  const Chunked chunked = chunk_all("a,b\n5\" pipe,1\n2,3\n", {.chunk_bytes = 1}, 4);
  EXPECT_EQ(texts(chunked), (std::vector<std::string>{"5\" pipe,1\n", "2,3\n"}));
}

TEST(CsvChunker, refuses_an_open_quote_at_the_end_and_names_its_line) {
  EXPECT_EQ(reason(chunk_all("a,b\n1,2\n3,\"4\n5,6\n", {}, 3)),
            "line 3: a quote that is never closed");
}

TEST(CsvChunker, refuses_a_record_that_is_too_long_and_names_its_line) {
  const CsvChunkerOptions options{.record_bytes_max = 8};
  EXPECT_EQ(reason(chunk_all("a,b\n1,2\n12345678\n", options, 3)), "no error");
  EXPECT_EQ(reason(chunk_all("a,b\n1,2\n123456789\n", options, 3)),
            "line 3: a record longer than 8 bytes");
  EXPECT_EQ(reason(chunk_all("a,b\n1,2\n123456789", options, 100)),
            "line 3: a record longer than 8 bytes");
  EXPECT_EQ(reason(chunk_all("a,b\n1,\"\n123456789", options, 100)),
            "line 2: a record longer than 8 bytes; a quote in line 2 is still open");
  EXPECT_EQ(reason(chunk_all("123456789\n", options, 100)), "line 1: a record longer than 8 bytes");
}

TEST(CsvChunker, stays_in_its_error) {
  CsvChunker chunker({.record_bytes_max = 2});
  EXPECT_FALSE(chunker.feed("abc"));
  EXPECT_FALSE(chunker.feed("\n1\n"));
  const Status finished = chunker.finish();
  ASSERT_FALSE(finished);
  EXPECT_EQ(finished.error().code(), Code::kBadData);
}

TEST(CsvChunker, refuses_a_data_set_without_a_header) {
  EXPECT_EQ(reason(chunk_all("", {}, 1)), "there is no header: the data set is empty");
  EXPECT_EQ(reason(chunk_all("\xef\xbb\xbf", {}, 1)), "there is no header: the data set is empty");
}

TEST(CsvChunker, takes_a_header_without_records) {
  const Chunked chunked = chunk_all("a,b", {}, 1);
  EXPECT_FALSE(chunked.error);
  EXPECT_EQ(chunked.header, "a,b");
  EXPECT_TRUE(chunked.chunks.empty());
}

TEST(CsvChunker, keeps_bytes_that_only_look_like_a_byte_order_mark) {
  EXPECT_EQ(chunk_all("\xef\xbb", {}, 1).header, "\xef\xbb");
  EXPECT_EQ(chunk_all("\xef\xbb"
                      "a\n",
                      {}, 1)
                .header,
            "\xef\xbb"
            "a");
}

TEST(CsvChunker, holds_no_more_than_a_chunk_and_a_record) {
  CsvChunker chunker({.chunk_bytes = 1000});
  ASSERT_TRUE(chunker.feed("a,b\n"));
  std::size_t taken = 0;
  for (int i = 0; i < 1000; ++i) {
    ASSERT_TRUE(chunker.feed("1.25,2.5\n3.75,4\n"));
    while (auto chunk = chunker.next()) {
      EXPECT_LE(chunk->bytes.capacity(), 1000U + 3 * 4096U);
      taken += chunk->bytes.size();
    }
  }
  EXPECT_GE(taken, 16U * 1000U - 1100U);
}

}  // namespace
}  // namespace weir::format
