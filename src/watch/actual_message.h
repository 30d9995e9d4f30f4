// A true value that came late, as a message of the actuals topic:
//   {"id": "7:12", "actual": 24.5}     other members are ignored; the key may be anything
//   24.5                               with the id as the message's key
// The id is the key of the record that the prediction was made of.
//
// Threads: pure functions. Errors: kBadData, with the reason. Limits: kActualBytesMax.
#pragma once

#include <string>
#include <string_view>

#include "base/error.h"

namespace weir::watch {

inline constexpr std::size_t kActualBytesMax = 16'384;

struct Actual {
  std::string id;
  double value = 0;
};

Result<Actual> parse_actual(std::string_view key, std::string_view value);

}  // namespace weir::watch
