#include "format/json_row.h"

#include "format/decimal.h"

namespace weir::format {

void append_json_string(std::string& out, std::string_view text) {
  static constexpr char kHex[] = "0123456789abcdef";
  out += '"';
  for (const char c : text) {
    if (static_cast<unsigned char>(c) < 0x20) {
      out += "\\u00";
      out += kHex[c >> 4];
      out += kHex[c & 15];
      continue;
    }
    if (c == '"' || c == '\\') out += '\\';
    out += c;
  }
  out += '"';
}

void append_json_cell(std::string& out, std::string_view cell) {
  if (cell.empty()) {
    out += "null";
    return;
  }
  const char* const end = cell.data() + cell.size();
  const Decimal decimal = parse_decimal(cell.data(), end, DecimalGrammar::kJson);
  if (decimal.status == DecimalStatus::kGood && decimal.end == end) {
    out += cell;
  } else {
    append_json_string(out, cell);
  }
}

}  // namespace weir::format
