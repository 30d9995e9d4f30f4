// Writes CSV that CsvChunker and CsvRecordSplitter read back as it was. Lines end with LF.
//
// Threads: pure functions on the caller's buffer. Errors: none.
#pragma once

#include <span>
#include <string>
#include <string_view>

namespace weir::format {

// Appends the field, in quotes where it would not read back without.
void append_csv_field(std::string& out, std::string_view field);
// Appends the shortest decimal that reads back to the same bits.
void append_csv_number(std::string& out, double number);
// Appends a whole record with its line end.
void append_csv_record(std::string& out, std::span<const std::string> fields);
void append_csv_record(std::string& out, std::span<const double> numbers);

}  // namespace weir::format
