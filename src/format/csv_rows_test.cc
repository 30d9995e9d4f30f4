#include "format/csv_rows.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <random>
#include <string>
#include <vector>

#include "format/csv_check.h"
#include "format/csv_write.h"

namespace weir::format {
namespace {

using ::testing::ElementsAre;

CsvRowReader reader(const std::vector<std::string>& header, std::string_view target,
                    const std::vector<std::string>& dropped = {}) {
  return CsvRowReader::make(header, target, dropped).value();
}

std::string reason(const std::vector<std::string>& header, std::string_view target,
                   const std::vector<std::string>& dropped = {}) {
  const auto made = CsvRowReader::make(header, target, dropped);
  return made ? "no error" : made.error().reason();
}

struct Read {
  record::RowBlock rows;
  RefusedRows refused;
};

Read read(const CsvRowReader& by, std::string_view records) {
  Read out;
  const CsvChunk chunk{.bytes = std::string(records), .first_record = 10, .first_line = 100};
  by.parse(chunk, out.rows, out.refused);
  return out;
}

// The only example's text.
std::string refusal(std::string_view record) {
  const Read out = read(reader({"a", "b", "y"}, "y"), record);
  EXPECT_EQ(out.rows.rows, 0U);
  EXPECT_EQ(out.refused.count(), 1U);
  return out.refused.examples().empty() ? "none" : out.refused.examples()[0].text();
}

TEST(CsvRowReader, orders_features_as_the_header_with_the_target_last) {
  const CsvRowReader by = reader({"y", "name", "a", "b"}, "y", {"name"});
  EXPECT_THAT(by.schema().features, ElementsAre("a", "b"));
  EXPECT_EQ(by.schema().target, "y");
  const Read out = read(by, "1,Ann,2,3\n4,\"Bob, \"\"jr\"\"\",5,6\r\n7,,8,9");
  EXPECT_EQ(out.rows.rows, 3U);
  EXPECT_EQ(out.rows.columns, 3U);
  EXPECT_THAT(out.rows.values, ElementsAre(2, 5, 8, 3, 6, 9, 1, 4, 7));
  EXPECT_THAT(out.rows.row_numbers, ElementsAre(10, 11, 12));
  EXPECT_EQ(out.refused, RefusedRows());
}

TEST(CsvRowReader, refuses_columns_that_are_not_there_and_names_the_nearest) {
  EXPECT_EQ(reason({"crim", "medw"}, "medv"),
            "target column 'medv' not found; nearest is 'medw'; columns are crim, medw");
  EXPECT_EQ(reason({"crim", "zn", "medv"}, "medv", {"crime"}),
            "dropped column 'crime' not found; nearest is 'crim'; columns are crim, zn, medv");
  EXPECT_EQ(reason({"a", "y"}, "y", {"y"}), "the target column 'y' is dropped");
  EXPECT_EQ(reason({"a", "y"}, "y", {"a"}), "no feature column is left beside the target 'y'");
  const std::vector<std::string> many(3000, "c");
  EXPECT_THAT(reason(many, "y"), ::testing::EndsWith(", c and 2980 more"));
}

TEST(CsvRowReader, takes_blanks_signs_and_quotes_around_numbers) {
  const Read out = read(reader({"a", "b", "y"}, "y"),
                        " 1\t,+2.5,-3\n\"4\",\" 5 \",6e1\n\"\",1,2\n0.1234567890123,1e-3,.5\n");
  EXPECT_THAT(out.rows.values, ElementsAre(1, 4, 0.1234567890123, 2.5, 5, 1e-3, -3, 60, 0.5));
  EXPECT_THAT(out.rows.row_numbers, ElementsAre(10, 11, 13));
  EXPECT_EQ(out.refused.count(), 1U);
}

TEST(CsvRowReader, says_what_is_wrong_with_a_row) {
  EXPECT_EQ(refusal("1,2\n"), "line 100: 2 fields, where the header has 3: '1,2'");
  EXPECT_EQ(refusal("1,2,3,4\n"), "line 100: 4 fields, where the header has 3: '1,2,3,4'");
  EXPECT_EQ(refusal("1,,3\n"), "line 100, column 2 'b': an empty cell");
  EXPECT_EQ(refusal("1,  ,3\n"), "line 100, column 2 'b': an empty cell: '  '");
  EXPECT_EQ(refusal("1,\"\",3"), "line 100, column 2 'b': an empty cell");
  EXPECT_EQ(refusal("1,2,abc"), "line 100, column 3 'y': not a number: 'abc'");
  EXPECT_EQ(refusal("1,0x10,3"), "line 100, column 2 'b': not a number: '0x10'");
  EXPECT_EQ(refusal("1,+-2,3"), "line 100, column 2 'b': not a number: '+-2'");
  EXPECT_EQ(refusal("1,2 3,3"), "line 100, column 2 'b': not a number: '2 3'");
  EXPECT_EQ(refusal("NaN,2,3"), "line 100, column 1 'a': not a finite number: 'NaN'");
  EXPECT_EQ(refusal("1,-inf,3"), "line 100, column 2 'b': not a finite number: '-inf'");
  EXPECT_EQ(refusal("1,1e999,3"),
            "line 100, column 2 'b': a number that no double can hold: '1e999'");
  EXPECT_EQ(refusal("1,2\"3,3\n"), "line 100, column 2 'b': not a number: '2\"3'");
  EXPECT_EQ(refusal("1,\"2\"3,3\n"),
            "line 100, column 2 'b': text after a closing quote: '1,\"2\"3,3'");
  EXPECT_EQ(refusal(std::string("1,2\0,3\n", 7)), "line 100, column 2 'b': not a number: '2\\x00'");
  EXPECT_EQ(refusal("1,2\r,3\r\n"), "line 100, column 2 'b': not a number: '2\\r'");
}

TEST(CsvRowReader, clips_and_escapes_what_it_quotes) {
  EXPECT_EQ(refusal("1,2," + std::string(1000, 'x')),
            "line 100, column 3 'y': not a number: '" + std::string(40, 'x') + "…'");
  EXPECT_EQ(refusal("1,\"\x1b[2J\n\",3\n"), "line 100, column 2 'b': not a number: '\\x1b[2J\\n'");
}

TEST(CsvRowReader, skips_blank_records_and_counts_them) {
  const Read out = read(reader({"a", "y"}, "y"), "\n1,2\r\n\r\n\n3,4\n\n");
  EXPECT_THAT(out.rows.row_numbers, ElementsAre(11, 14));
  EXPECT_EQ(out.refused.blank_records(), 4U);
  EXPECT_EQ(out.refused.count(), 0U);
}

TEST(CsvRowReader, reuses_the_memory_of_the_block_for_the_next_chunk) {
  const CsvRowReader by = reader({"a", "y"}, "y");
  record::RowBlock rows;
  RefusedRows refused;
  by.parse({.bytes = "1,2\n3,4\nx,5\n"}, rows, refused);
  EXPECT_THAT(rows.values, ElementsAre(1, 3, 2, 4));
  by.parse({.bytes = "5,6\n", .first_record = 3}, rows, refused);
  EXPECT_THAT(rows.values, ElementsAre(5, 6));
  EXPECT_THAT(rows.row_numbers, ElementsAre(3));
}

TEST(CsvRowReader, gives_the_text_of_each_good_record) {
  const CsvChunk chunk{.bytes = "1,2\r\nx,y\n\n\"3\",4\n55555555555,6"};
  record::RowBlock rows;
  RefusedRows refused;
  std::vector<CsvRecordPlace> places;
  reader({"a", "y"}, "y").parse(chunk, rows, refused, &places);
  ASSERT_EQ(places.size(), 3U);
  EXPECT_EQ(record_text(chunk, places[0]), "1,2");
  EXPECT_EQ(record_text(chunk, places[1]), "\"3\",4");
  EXPECT_EQ(record_text(chunk, places[2]), "55555555555,6");
}

TEST(CsvRowReader, needs_memory_by_the_bytes_and_not_by_lines_times_columns) {
  std::vector<std::string> header;
  for (int i = 0; i < 20000; ++i) header.push_back("c" + std::to_string(i));
  record::RowBlock rows;
  RefusedRows refused;
  reader(header, "c7").parse({.bytes = std::string(1 << 20, '\n')}, rows, refused);
  EXPECT_LE(rows.values.capacity(), 2'000'000U);
  EXPECT_EQ(refused.blank_records(), 1U << 20);
}

TEST(CsvRowReader, agrees_with_a_plain_reader_on_random_data_sets) {
  std::mt19937 random(6);
  static const std::vector<std::string> kCells = {
      "1",          "2.5",         "-3.25",
      "0.00632",    "12345678",    "1.23456789012345",
      "1e5",        " 7",          "-0.30000000000000004",
      "98.7654321", "123456789.5", "+8",
      "\"9\"",      "\"a,b\"",     "",
      "x",          "\"\n\"",      "nan",
      "1\"",        "\"2\"3",      "1e999",
      "00.5"};
  static const std::vector<std::string> kEnds = {"\n", "\n", "\n", "\r\n", "\n\n", "\r\r\n"};
  for (int round = 0; round < 2000; ++round) {
    std::string text = round % 2 == 0 ? "a,b,y\n" : "a,x1,b,y\n";
    for (std::uint64_t records = random() % 30; records > 0; --records) {
      const std::uint64_t fields = random() % 20 == 0 ? random() % 6 : 3 + round % 2;
      for (std::uint64_t i = 0; i < fields; ++i) {
        if (i > 0) text += ',';
        text += kCells[random() % (random() % 8 == 0 ? kCells.size() : 13)];
      }
      text += kEnds[random() % kEnds.size()];
    }
    ASSERT_EQ(oracle::compare_with_oracle(text, {.chunk_bytes = 1 + random() % 300}, 50), "")
        << text;
  }
}

TEST(CsvRowReader, goes_on_with_quick_reading_after_a_long_quoted_record) {
  std::string text = "a,b,y\n";
  for (int i = 0; i < 3000; ++i) {
    text += i % 700 == 3 ? "1,\"" + std::string(9000, i % 2 == 0 ? ',' : '\n') + "\",3\n"
                         : std::to_string(i) + ",2.5,-1\n";
  }
  EXPECT_EQ(oracle::compare_with_oracle(text, {}, 100000), "");
}

TEST(CsvRowReader, reads_long_numbers_to_the_last_byte_of_a_chunk) {
  std::string text = "a,b,y\n";
  for (int i = 0; i < 100; ++i) {
    text += "0.1234567890123456" + std::to_string(i % 10) + ",-12345678.87654321,3.5\r\n";
  }
  // Borders of chunks everywhere, and an end where no more bytes may be read.
  for (std::size_t bytes = 1; bytes < 400; ++bytes) {
    ASSERT_EQ(oracle::compare_with_oracle(text, {.chunk_bytes = bytes}, 1000), "") << bytes;
  }
}

TEST(RefusedRows, counts_by_reason_and_column_and_keeps_the_first_examples) {
  std::string text;
  for (int i = 0; i < 30; ++i) text += i % 3 == 0 ? "1\n" : "x,1\n";
  const Read out = read(reader({"a", "y"}, "y"), text);
  EXPECT_EQ(out.refused.count(), 30U);
  EXPECT_EQ(out.refused.reasons().at({RowFault::kNotANumber, "a"}), 20U);
  EXPECT_EQ(out.refused.reasons().at({RowFault::kFieldCount, ""}), 10U);
  ASSERT_EQ(out.refused.examples().size(), RefusedRows::kExamplesMax);
  EXPECT_EQ(out.refused.examples()[19].line, 119U);
  EXPECT_EQ(out.refused.examples()[19].record, 29U);
}

TEST(RefusedRows, merge_to_the_same_in_any_order) {
  const CsvRowReader by = reader({"a", "y"}, "y");
  std::vector<RefusedRows> parts(4);
  for (std::uint64_t i = 0; i < parts.size(); ++i) {
    record::RowBlock rows;
    std::string text;
    for (std::uint64_t k = 0; k < 8; ++k) text += k % (i + 2) == 0 ? "x,1\n" : "\n";
    by.parse({.bytes = text, .first_record = i * 8, .first_line = i * 8 + 2}, rows, parts[i]);
  }
  RefusedRows forward;
  RefusedRows backward;
  for (std::size_t i = 0; i < parts.size(); ++i) {
    forward.merge(parts[i]);
    backward.merge(parts[parts.size() - 1 - i]);
  }
  EXPECT_EQ(forward, backward);
  EXPECT_GT(forward.count(), 8U);
}

}  // namespace
}  // namespace weir::format
