// What the scorer says of one feature record. Written to the predictions topic as
//   {"prediction": 30.003, "model": 7, "epoch": 9, "partition": 0, "offset": 41}
// with the input's key; a record that held several rows has an array under "prediction".
// Threads: a plain value.
#pragma once

#include <cstdint>
#include <vector>

namespace weir::record {

struct Prediction {
  std::vector<double> values;  // one per row of the record
  bool many = false;           // the record was in the shape that may hold many rows: an array
  std::uint64_t model = 0;     // model version
  std::uint64_t epoch = 0;
  std::int32_t partition = 0;  // of the feature record
  std::int64_t offset = 0;
};

}  // namespace weir::record
