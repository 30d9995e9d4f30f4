#include "base/moment.h"

#include "base/time_text.h"
#include "base/value_text.h"

namespace weir {

std::optional<WallTime> parse_moment(std::string_view text, WallTime now) {
  if (const auto ago = parse_duration(text)) return now - *ago;
  return parse_time(text);
}

}  // namespace weir
