// A body that brings true values, taken apart: JSON, lines of JSON, or CSV, as
// format/message_batch.h has them, of
//   {"id": "house-1", "actual": 24.5}        other members are ignored
//
// Threads: a pure function. Errors: kBadData, naming the records; kAlreadyExists where one id has
// two values; kExhausted over a limit.
#pragma once

#include <string_view>
#include <vector>

#include "format/message_batch.h"
#include "serve/actuals_queue.h"

namespace weir::serve {

struct ActualsBatch {
  std::vector<PushedActual> actuals;
  std::size_t repeated = 0;  // stood there twice, with the same value
};

Result<ActualsBatch> read_actuals(std::string_view body, format::BatchKind kind,
                                  std::size_t records_max);

}  // namespace weir::serve
