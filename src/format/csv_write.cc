#include "format/csv_write.h"

#include <charconv>

namespace weir::format {

void append_csv_field(std::string& out, std::string_view field) {
  // A byte order mark is quoted too: at the start of a file it would be dropped.
  if (field.find_first_of(",\"\r\n") == std::string_view::npos &&
      !field.starts_with("\xef\xbb\xbf")) {
    out += field;
    return;
  }
  out += '"';
  for (const char c : field) {
    if (c == '"') out += '"';
    out += c;
  }
  out += '"';
}

void append_csv_number(std::string& out, double number) {
  char text[32];
  const auto [end, error] = std::to_chars(text, text + sizeof text, number);
  out.append(text, end);
}

void append_csv_record(std::string& out, std::span<const std::string> fields) {
  // One empty field alone would read back as a blank record.
  if (fields.size() == 1 && fields[0].empty()) out += "\"\"";
  for (std::size_t i = 0; i < fields.size(); ++i) {
    if (i > 0) out += ',';
    append_csv_field(out, fields[i]);
  }
  out += '\n';
}

void append_csv_record(std::string& out, std::span<const double> numbers) {
  for (std::size_t i = 0; i < numbers.size(); ++i) {
    if (i > 0) out += ',';
    append_csv_number(out, numbers[i]);
  }
  out += '\n';
}

}  // namespace weir::format
