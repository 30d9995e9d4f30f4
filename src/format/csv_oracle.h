// For tests and fuzzing only: CSV read one byte at a time by the plainest means, to hold the quick
// readers against. Knows no chunks; takes the whole data set at once.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/text.h"

namespace weir::format::oracle {

struct CsvRecord {
  std::vector<std::string> fields;
  std::uint64_t line = 0;
  bool blank = false;
  bool malformed = false;
};

struct Csv {
  std::vector<CsvRecord> records;  // the header first
  bool unterminated = false;
  std::uint64_t quote_line = 0;
};

inline Csv read_csv(std::string_view text) {
  enum class State { kFieldStart, kPlain, kQuoted, kQuoteInQuoted };
  Csv csv;
  if (text.substr(0, 3) == "\xef\xbb\xbf") text.remove_prefix(3);
  State state = State::kFieldStart;
  std::uint64_t line = 1;
  CsvRecord record;
  std::string field;
  std::string raw;
  record.line = 1;
  const auto end_record = [&] {
    record.fields.push_back(field);
    record.blank = raw.empty();
    csv.records.push_back(record);
    record = {};
    field.clear();
    raw.clear();
    state = State::kFieldStart;
    record.line = line;
  };
  for (std::size_t i = 0; i < text.size(); ++i) {
    const char c = text[i];
    const bool line_end = c == '\n' || (c == '\r' && (i + 1 == text.size() || text[i + 1] == '\n'));
    if (c == '\n') ++line;
    if (state != State::kQuoted && line_end) {
      if (c == '\n') end_record();
      continue;
    }
    raw += c;
    if (state == State::kQuoted) {
      if (c == '"') state = State::kQuoteInQuoted;
      else field += c;
    } else if (state == State::kQuoteInQuoted && c == '"') {
      field += c;
      state = State::kQuoted;
    } else if (c == ',') {
      record.fields.push_back(field);
      field.clear();
      state = State::kFieldStart;
    } else if (state == State::kFieldStart && c == '"') {
      state = State::kQuoted;
      csv.quote_line = line;
    } else {
      if (state == State::kQuoteInQuoted) record.malformed = true;
      field += c;
      state = State::kPlain;
    }
  }
  csv.unterminated = state == State::kQuoted;
  const bool ends_with_line_feed = !text.empty() && text.back() == '\n';
  if (!text.empty() && (!ends_with_line_feed || csv.unterminated)) end_record();
  return csv;
}

// The number in a cell, by base's parser.
inline std::optional<double> read_number(std::string_view cell) {
  const auto blank = [](char c) { return c == ' ' || c == '\t'; };
  while (!cell.empty() && blank(cell.front())) cell.remove_prefix(1);
  while (!cell.empty() && blank(cell.back())) cell.remove_suffix(1);
  return parse_finite_double(cell);
}

}  // namespace weir::format::oracle
