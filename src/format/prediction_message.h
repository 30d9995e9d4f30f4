// A prediction as the JSON value of a message, and back:
//   {"prediction": 30.003, "model": 7, "epoch": 9, "partition": 0, "offset": 41}
//   {"prediction": [30.003, 1.5], "model": …}     of a record in the shape that may hold many rows
// Numbers are the shortest that read back to the same bits.
//
// Threads: pure functions on the caller's buffer.
#pragma once

#include <string>
#include <string_view>

#include "base/error.h"
#include "record/prediction.h"

namespace weir::format {

// Appends the JSON to `out`. False, with `out` as it was, where a value is not finite: JSON cannot
// say it, and the record is a dead letter. Without `many` there is exactly one value.
[[nodiscard]] bool append_prediction(std::string& out, const record::Prediction& prediction);

// Strict: takes exactly the bytes that append_prediction writes and refuses (kBadData) all others,
// so that an audit sees what another hand wrote.
Result<record::Prediction> parse_prediction(std::string_view json);

}  // namespace weir::format
