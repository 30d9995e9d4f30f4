// From the cells of a CSV row to the JSON of a feature record.
//
// Threads: pure functions. Errors: none.
#pragma once

#include <string>
#include <string_view>

namespace weir::format {

// In quotes, escaped as RFC 8259 asks; the text is UTF-8.
void append_json_string(std::string& out, std::string_view text);
// What a cell says: a number where it is spelt as JSON spells one, null where there is nothing,
// else a string.
void append_json_cell(std::string& out, std::string_view cell);

}  // namespace weir::format
