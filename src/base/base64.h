// Bytes as text of one line, and back (RFC 4648, section 4, with its padding).
//
// Threads: pure functions. Errors: nullopt for a text that base64_of() cannot have written.
#pragma once

#include <optional>
#include <string>
#include <string_view>

namespace weir {

std::string base64_of(std::string_view bytes);
std::optional<std::string> from_base64(std::string_view text);

}  // namespace weir
