// From the value of a Kafka message to the features of one row or more, in the schema's order.
//
// Two shapes of JSON are read:
//   {"crim": 0.00632, "zn": 18.0, …}                              one row
//   {"sample": {"crim": {"12": 0.00632}, "zn": {"12": 18.0}, …}}  pandas: column -> row label ->
//   value
// An object whose only member is an object is of the second shape, whatever that member's name.
// There each column has the same set of row labels; rows come in the order of the labels in the
// column of the schema's first feature (where that may be missing and is, of the message's first).
//
// Columns are matched by name, in any order; other members are ignored, of whatever type. The
// numbers are the nearest doubles (as std::from_chars), so the result does not depend on the order
// of the members or on the messages before.
//
// Where the inputs are more than numbers, the text of each value is read as a data set's cell is
// (cell_encoder.h), so that a row has the same bits from either: a number's own text, a string's
// content, true or false. null, and a member that is not there, are missing values. What is a
// number in the schema is one in JSON, too; a date-time is a string; a category may be any of them.
//
// Owner: a scorer, one per thread. Threads: one per object. Memory: bounded by message_bytes_max;
// nothing is allocated once buffers have grown, unless a message is refused.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "format/cell_encoder.h"
#include "format/expected_bytes.h"
#include "format/feature_refusal.h"
#include "format/json_cursor.h"
#include "format/plain_decimal.h"
#include "record/schema.h"

namespace weir::format {

struct ParsedFeatures {
  std::size_t count = 0;  // rows
  bool many = false;      // the second shape, even with one row: the answer is an array
};

struct FeatureParserOptions {
  std::size_t message_bytes_max = std::size_t{1} << 20;
  std::size_t depth_max = 64;  // arrays and objects within each other
};

// Rows times features of a table that does not name all features, at most: more than a message of
// a megabyte can spell out. (Else a short message could stand for any number of gaps.)
inline constexpr std::size_t kTableCellsMax = 262'144;

class FeatureParser {
 public:
  explicit FeatureParser(const record::Schema& schema, FeatureParserOptions options = {});
  // `inputs`: one for each feature of the schema, or plain.
  FeatureParser(const record::Schema& schema, const record::Inputs& inputs,
                FeatureParserOptions options = {});

  // Appends count x features values to `rows`, row-major. nullopt: `rows` is as it was, and
  // refusal() says why.
  std::optional<ParsedFeatures> parse(std::string_view message, std::vector<double>& rows);
  const FeatureRefusal& refusal() const { return refusal_; }
  std::size_t features() const { return names_.size(); }

 private:
  class Reader;
  struct Name {
    std::string text;
    ExpectedBytes token;  // `"text":`, as most writers spell it; empty where it needs escapes
  };

  // Constant after construction.
  FeatureParserOptions options_;
  std::vector<Name> names_;
  std::vector<std::uint32_t> by_name_;          // indices into names_, sorted by text
  std::unique_ptr<const CellEncoder> encoder_;  // absent where each feature is a number

  // Which feature came after which in the last message: a guess that saves time and never shows.
  std::vector<std::uint32_t> successor_;  // [0] after the beginning, [i + 1] after feature i

  // Scratch of one parse().
  FeatureRefusal refusal_;
  JsonScratch scratch_;
  std::vector<std::uint64_t> seen_;  // the number of the pass in which a feature was last met
  std::uint64_t pass_ = 0;
  const char* (*const parse_plain_)(const char*, double&) = plain_decimal().parse;
  ExpectedBytes column_opening_;            // `{"12": `, where the first column met has one row
  std::vector<std::string_view> labels_;    // of the first column met
  std::vector<std::uint32_t> label_order_;  // indices into labels_, sorted by label
  std::vector<std::size_t> label_seen_;     // the column in which a label was last met
  std::vector<double> columns_;             // the values of the columns met, one after the other
  std::vector<std::size_t> column_begin_;   // of each feature, in columns_
  std::vector<std::uint32_t> row_order_;    // label indices in the order of the first feature's
};

}  // namespace weir::format
