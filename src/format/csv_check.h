// For tests and fuzzing only: reads a data set by chunker, row reader and splitter, and compares
// all that comes out with csv_oracle.h. Gives what differs, or nothing.
#pragma once

#include <algorithm>
#include <bit>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "format/csv_chunker.h"
#include "format/csv_oracle.h"
#include "format/csv_record.h"
#include "format/csv_rows.h"

namespace weir::format::oracle {

struct Chunked {
  std::optional<std::string> header;
  std::vector<CsvChunk> chunks;
  std::optional<Error> error;
};

// Feeds pieces of feed_bytes, 2 * feed_bytes, … up to five times, and over again.
inline Chunked chunk_all(std::string_view text, CsvChunkerOptions options, std::size_t feed_bytes) {
  CsvChunker chunker(options);
  Chunked out;
  const auto drain = [&](Status status) {
    while (auto chunk = chunker.next()) out.chunks.push_back(std::move(*chunk));
    if (!status) out.error = status.error();
    return status.has_value();
  };
  for (std::size_t at = 0, n = 0; at < text.size(); ++n) {
    const std::string_view piece = text.substr(at, feed_bytes * (1 + n % 5));
    at += piece.size();
    if (!drain(chunker.feed(std::string(piece)))) return out;
  }
  drain(chunker.finish());
  out.header = chunker.header();
  return out;
}

inline std::string compare_rows(const CsvRowReader& reader, const Chunked& chunked, const Csv& csv,
                                const std::vector<std::string>& header,
                                const std::vector<std::string>& dropped) {
  std::size_t record = 1;
  std::uint64_t good = 0;
  RefusedRows refused;
  record::RowBlock rows;
  std::vector<CsvRecordPlace> places;
  for (const CsvChunk& chunk : chunked.chunks) {
    if (chunk.first_record + 1 != record) return "first_record";
    if (chunk.first_line != csv.records[record].line) return "first_line";
    reader.parse(chunk, rows, refused, &places);
    std::size_t row = 0;
    for (std::uint64_t i = 0; i < chunk.records; ++i, ++record) {
      if (record >= csv.records.size()) return "more records than there are";
      const CsvRecord& expected = csv.records[record];
      if (expected.blank || expected.malformed || expected.fields.size() != header.size()) continue;
      std::vector<double> values;
      std::optional<double> target;
      for (std::size_t c = 0; c < header.size(); ++c) {
        if (std::find(dropped.begin(), dropped.end(), header[c]) != dropped.end()) continue;
        const auto value = read_number(expected.fields[c]);
        if (header[c] == reader.schema().target) target = value;
        else if (value) values.push_back(*value);
      }
      if (!target || values.size() != reader.schema().features.size()) continue;
      values.push_back(*target);
      if (row >= rows.rows || rows.row_numbers[row] != record - 1) return "a row is missing";
      for (std::size_t c = 0; c < values.size(); ++c) {
        if (std::bit_cast<std::uint64_t>(values[c]) !=
            std::bit_cast<std::uint64_t>(rows.value(row, c))) {
          return "a value differs";
        }
      }
      CsvRecordSplitter splitter;
      if (splitter.split(record_text(chunk, places[row])) ||
          !std::equal(expected.fields.begin(), expected.fields.end(), splitter.fields().begin(),
                      splitter.fields().end())) {
        return "a record's text differs";
      }
      ++row;
    }
    if (row != rows.rows || rows.values.size() != rows.rows * rows.columns ||
        rows.row_numbers.size() != row || places.size() != row) {
      return "rows that should have been refused";
    }
    good += row;
  }
  if (record != csv.records.size()) return "records are missing";
  if (good + refused.count() + refused.blank_records() != record - 1) return "the counts";
  for (const auto& example : refused.examples()) {
    if (example.line != csv.records[example.record + 1].line) return "the line of an example";
  }
  return "";
}

inline std::string compare_with_oracle(std::string_view text, CsvChunkerOptions options,
                                       std::size_t feed_bytes) {
  const Chunked chunked = chunk_all(text, options, feed_bytes);
  const Chunked whole = chunk_all(text, options, std::max<std::size_t>(text.size(), 1));
  if (chunked.error.has_value() != whole.error.has_value()) return "feeding changes the verdict";
  if (chunked.error) return "";
  const Csv csv = read_csv(text);
  if (csv.unterminated || csv.records.empty()) return "an error was missed";
  std::string joined;
  for (std::size_t i = 0; i < chunked.chunks.size(); ++i) {
    joined += chunked.chunks[i].bytes;
    if (i >= whole.chunks.size() || chunked.chunks[i].bytes != whole.chunks[i].bytes) {
      return "feeding changes the cuts";
    }
  }
  if (chunked.chunks.size() != whole.chunks.size()) return "feeding changes the cuts";
  if (!text.ends_with(joined)) return "bytes were changed";
  const auto header = parse_csv_header(*chunked.header);
  if (!header) return "";
  if (*header != csv.records[0].fields) return "the header";
  std::vector<std::string> dropped;
  for (const std::string& name : *header) {
    if (name.starts_with('x') && name != header->back()) dropped.push_back(name);
  }
  const auto reader = CsvRowReader::make(*header, header->back(), dropped);
  return reader ? compare_rows(*reader, chunked, csv, *header, dropped) : "";
}

}  // namespace weir::format::oracle
