// That a row has the same bits whether it comes as a record of CSV or as a message of JSON.
#include "format/cell_encoder.h"

#include <gtest/gtest.h>

#include <bit>
#include <cmath>
#include <nlohmann/json.hpp>
#include <random>

#include "format/csv_record.h"
#include "format/csv_rows.h"
#include "format/csv_write.h"
#include "format/feature_message.h"

namespace weir::format {
namespace {

using record::Input;
using record::InputKind;
using record::Inputs;

const record::Schema kSchema{{"size", "zone", "built", "tax"}, "price"};

Inputs example_inputs() {
  Inputs inputs;
  inputs.columns = {
      {InputKind::kNumber, true, false, {}},
      {InputKind::kCategory, true, false, {"north", "7", "caf\xc3\xa9, \"west\"", "true"}},
      {InputKind::kDateTime, true, false, {}},
      {InputKind::kNumber, false, true, {}},
  };
  inputs.missing_words = {"NA", "-999"};
  return inputs;
}

std::uint64_t bits(double value) { return std::bit_cast<std::uint64_t>(value); }

// The row that a data set's reader makes of the cells, or nothing where it refuses them.
std::optional<std::vector<double>> from_csv(const std::vector<std::string>& cells) {
  auto reader = CsvRowReader::make({"size", "zone", "built", "tax", "price"}, "price");
  reader->set_inputs(example_inputs());
  std::vector<std::string> record = cells;
  record.emplace_back("1");
  CsvChunk chunk;
  append_csv_record(chunk.bytes, record);
  chunk.records = 1;
  record::RowBlock rows;
  RefusedRows refused;
  reader->parse(chunk, rows, refused);
  EXPECT_EQ(rows.rows + refused.count(), 1u);
  if (rows.rows == 0) return std::nullopt;
  std::vector<double> row;
  for (std::size_t i = 0; i < 4; ++i) row.push_back(rows.value(0, i));
  return row;
}

// A record of a data set as encode() has its cells, or nothing where one of them is refused.
std::optional<std::vector<double>> by_encoder(const CellEncoder& encoder,
                                              const std::vector<std::string>& cells) {
  std::vector<double> row(cells.size());
  for (std::size_t i = 0; i < cells.size(); ++i) {
    if (encoder.encode(i, cells[i], row[i])) return std::nullopt;
  }
  return row;
}

std::optional<std::vector<double>> from_json(const std::string& message) {
  FeatureParser parser(kSchema, example_inputs());
  std::vector<double> row;
  if (!parser.parse(message, row)) return std::nullopt;
  return row;
}

// How a message spells a cell of a kind.
std::string spelt_in_json(const std::string& cell, InputKind kind) {
  if (cell.empty()) return "null";
  if (kind == InputKind::kNumber) return cell;
  return nlohmann::json(cell).dump();
}

TEST(CellEncoder, decides_what_the_cells_of_a_whole_chunk_are) {
  static const std::vector<std::string> kNumbers = {
      "1",  "-2.5", "0",           "-0", "",   "NA", "-999",  "0.30000000000000004",       "1e5",
      " 7", "+8",   "12345678.25", "x",  "1.", ".5", "1e999", "-0.00001234567890123456789"};
  static const std::vector<std::string> kOthers = {"north", "7", "", "NA", "2020-01-02", "-999"};
  std::mt19937_64 random(8);
  for (const std::string word : {"NA", "-999", "1e999"}) {
    for (const bool positive : {false, true}) {
      Inputs inputs = example_inputs();
      inputs.missing_words = {word};
      inputs.columns[3].positive = positive;
      const CellEncoder encoder(inputs);
      auto reader = CsvRowReader::make({"size", "zone", "built", "tax", "price"}, "price");
      reader->set_inputs(inputs);
      CsvChunk chunk;
      std::vector<std::vector<double>> expected;
      for (chunk.records = 0; chunk.records < 2000; ++chunk.records) {
        std::vector<std::string> cells(4);
        for (const std::size_t column : {0U, 3U}) {
          cells[column] = kNumbers[random() % (random() % 4 == 0 ? kNumbers.size() : 4)];
        }
        for (const std::size_t column : {1U, 2U}) cells[column] = kOthers[random() % 6];
        const auto row = by_encoder(encoder, cells);
        if (row) expected.push_back(*row);
        cells.emplace_back("1");
        append_csv_record(chunk.bytes, cells);
      }
      record::RowBlock rows;
      RefusedRows refused;
      reader->parse(chunk, rows, refused);
      ASSERT_EQ(rows.rows, expected.size());
      EXPECT_GT(rows.rows, 100U);
      for (std::size_t row = 0; row < rows.rows; ++row) {
        for (std::size_t i = 0; i < 4; ++i) {
          ASSERT_EQ(bits(rows.value(row, i)), bits(expected[row][i])) << word << ", row " << row;
        }
      }
    }
  }
}

TEST(CellEncoder, gives_a_row_the_same_bits_from_json_and_from_csv) {
  std::mt19937_64 random(3);
  const auto any_of = [&](const std::vector<std::string>& texts) {
    return texts[random() % texts.size()];
  };
  const auto number = [&] {
    char text[64];
    std::snprintf(
        text, sizeof text, random() % 2 ? "%.17g" : "%.4f",
        std::ldexp(static_cast<double>(random() >> 11), static_cast<int>(random() % 80) - 90));
    return std::string(text);
  };
  const Inputs inputs = example_inputs();
  int taken = 0;
  for (int i = 0; i < 20'000; ++i) {
    const std::vector<std::string> cells = {
        random() % 8 == 0 ? any_of({"", "-999", "0", "-0", "12", "1e3"}) : number(),
        any_of({"", "north", "7", "caf\xc3\xa9, \"west\"", "true", "south", "NA", "7.0", "North"}),
        any_of({"", "2026-11-25", "2026-11-25T10:30:05.125Z", "1999-01-01 00:00", "NA", "soon"}),
        random() % 8 == 0 ? any_of({"", "0", "-1", "NA"}) : number(),
    };
    std::string message = "{";
    for (std::size_t c = 0; c < cells.size(); ++c) {
      if (cells[c] == "NA" && inputs.columns[c].kind == InputKind::kNumber) {
        message += "\"" + kSchema.features[c] + "\": null, ";
        continue;
      }
      // A member that is not there is as good as null.
      if (cells[c].empty() && random() % 2) continue;
      message += "\"" + kSchema.features[c] +
                 "\": " + spelt_in_json(cells[c], inputs.columns[c].kind) + ", ";
    }
    message += "\"other\": [1]}";
    const auto csv = from_csv(cells);
    const auto json = from_json(message);
    ASSERT_EQ(csv.has_value(), json.has_value()) << message;
    if (!csv) continue;
    ++taken;
    for (std::size_t c = 0; c < cells.size(); ++c) {
      ASSERT_EQ(bits((*csv)[c]), bits((*json)[c])) << message << " column " << c;
    }
  }
  EXPECT_GT(taken, 5'000);
}

TEST(CellEncoder, takes_numbers_and_truth_values_of_json_as_categories) {
  EXPECT_EQ((*from_json(R"({"size":1,"zone":7,"built":null,"tax":1})"))[1], 1);
  EXPECT_EQ((*from_json(R"({"size":1,"zone":true,"tax":1})"))[1], 3);
  EXPECT_EQ((*from_json(R"({"size":1,"zone":false,"tax":1})"))[1], 4) << "unknown";
  EXPECT_EQ((*from_json(R"({"size":1,"zone":7.0,"tax":1})"))[1], 4) << "another text";
  EXPECT_EQ((*from_json(R"({"size":1,"zone":" north\t","tax":1})"))[1], 0);
  EXPECT_EQ((*from_json(R"({"size":1,"zone":"\u006eorth","tax":1})"))[1], 0);
}

TEST(CellEncoder, refuses_messages_by_what_is_wrong_with_them) {
  const auto refusal = [](const std::string& message) {
    FeatureParser parser(kSchema, example_inputs());
    std::vector<double> row;
    EXPECT_FALSE(parser.parse(message, row)) << message;
    EXPECT_TRUE(row.empty());
    return std::string(feature_refusal_name(parser.refusal().kind)) + ": " + parser.refusal().text;
  };
  EXPECT_EQ(refusal(R"({"tax":"1"})"), "not_a_number: feature 'tax' is not a number but text");
  EXPECT_EQ(refusal(R"({"tax":null})"),
            "missing_feature: feature 'tax' is missing: the value is 'null'");
  EXPECT_EQ(refusal(R"({"tax":-999})"),
            "missing_feature: feature 'tax' is missing: the value is '-999'");
  EXPECT_EQ(refusal(R"({"zone":"north"})"), "missing_feature: feature 'tax' is missing");
  EXPECT_EQ(refusal(R"({"tax":0})"),
            "not_positive: feature 'tax' is '0', and its logarithm is taken");
  EXPECT_EQ(refusal(R"({"tax":1e999})"), "out_of_range: feature 'tax' is out of range");
  EXPECT_EQ(refusal(R"({"tax":1,"built":"soon"})"),
            "not_a_date_time: feature 'built' is not a date-time: 'soon'");
  EXPECT_EQ(refusal(R"({"tax":1,"built":5})"),
            "not_a_date_time: feature 'built' is not a date-time but a number");
  EXPECT_EQ(refusal(R"({"tax":1,"zone":[1]})"),
            "not_a_number: feature 'zone' is not a category but an array");
  EXPECT_EQ(refusal(R"({"tax":1,"zone":nort})").substr(0, 9), "not_json:");
  EXPECT_EQ(refusal(R"({"tax":1,"zone":"north)").substr(0, 9), "not_json:");
}

TEST(CellEncoder, reads_tables_of_rows_with_gaps) {
  FeatureParser parser(kSchema, example_inputs());
  std::vector<double> rows;
  const auto parsed = parser.parse(
      R"({"d":{"tax":{"a":1,"b":2},"zone":{"b":"7","a":"north"},"size":{"a":null,"b":-999}}})",
      rows);
  ASSERT_TRUE(parsed) << parser.refusal().text;
  EXPECT_EQ(parsed->count, 2u);
  EXPECT_TRUE(std::isnan(rows[0]) && std::isnan(rows[4]));
  EXPECT_EQ(rows[1], 0);
  EXPECT_EQ(rows[5], 1);
  EXPECT_TRUE(std::isnan(rows[2]) && std::isnan(rows[6])) << "a column that is not there";
  EXPECT_EQ(rows[3], 1);
  EXPECT_EQ(rows[7], 2);
}

TEST(CellEncoder, takes_no_table_whose_gaps_are_more_than_a_message_can_spell) {
  record::Schema schema{{}, "y"};
  Inputs inputs;
  for (int i = 0; i < 200; ++i) {
    schema.features.push_back("f" + std::to_string(i));
    inputs.columns.push_back({InputKind::kNumber, true, false, {}});
  }
  FeatureParser parser(schema, inputs);
  const auto message = [](int count) {
    std::string text = R"({"s":{"f0":{)";
    for (int i = 0; i < count; ++i) text += (i > 0 ? ",\"" : "\"") + std::to_string(i) + "\":1";
    return text + "}}}";
  };
  std::vector<double> rows;
  EXPECT_TRUE(parser.parse(message(1'310), rows)) << parser.refusal().text;
  EXPECT_EQ(rows.size(), 262'000u);
  rows.clear();
  EXPECT_FALSE(parser.parse(message(1'311), rows));
  EXPECT_EQ(parser.refusal().kind, FeatureRefusalKind::kRowLabels);
  EXPECT_TRUE(rows.empty());
}

TEST(CellEncoder, reads_rows_of_nothing_but_gaps) {
  auto reader = CsvRowReader::make({"a", "b", "y"}, "y");
  Inputs inputs;
  inputs.columns = {{InputKind::kNumber, true, false, {}},
                    {InputKind::kCategory, true, false, {"x"}}};
  reader->set_inputs(inputs);
  CsvChunk chunk;
  for (int i = 0; i < 1'000; ++i) chunk.bytes += ",,1\n";
  chunk.records = 1'000;
  record::RowBlock rows;
  RefusedRows refused;
  reader->parse(chunk, rows, refused);
  EXPECT_EQ(rows.rows, 1'000u);
  EXPECT_EQ(refused.count(), 0u);
}

TEST(CellEncoder, gives_a_text_for_each_value_that_is_read_back) {
  const CellEncoder encoder(example_inputs());
  const std::vector<std::vector<std::string>> texts = {{"1.5", "-3e+200", ""},
                                                       {"north", "7", "caf\xc3\xa9, \"west\"", ""},
                                                       {"2026-11-25", ""},
                                                       {"3"}};
  for (std::size_t column = 0; column < texts.size(); ++column) {
    for (const std::string& text : texts[column]) {
      double value = 0;
      double again = 0;
      ASSERT_FALSE(encoder.encode(column, text, value)) << text;
      ASSERT_FALSE(encoder.encode(column, encoder.decode(column, value), again));
      EXPECT_EQ(bits(value), bits(again)) << text;
    }
  }
}

}  // namespace
}  // namespace weir::format
