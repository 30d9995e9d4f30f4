// A body that brings records to be pushed, taken apart: JSON, lines of JSON, or CSV.
//
//   {"crim": 0.00632, …}                                    one record, its value the object itself
//   {"id": "a7", "crim": 0.00632, …}                        the same, with an id
//   {"id": "a7", "features": {"crim": 0.00632, …}}          its value is what stands under features
//   [ … , … ]                                               many of these
//   lines of such objects (NDJSON)
//   id,crim,zn,…                                            CSV with a header; id may be absent
//
// The value keeps the bytes that came, numbers spelt as they were. Whether a value fits the model
// is not asked here.
//
// Threads: a pure function. Errors: kBadData, with the record counted from 0; kExhausted over a
// limit. Memory: the records' bytes twice at most.
#pragma once

#include <cstddef>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/error.h"

namespace weir::format {

enum class BatchKind { kJson, kJsonLines, kCsv };

struct BatchRecord {
  std::optional<std::string> id;
  std::string value;
};

struct BatchOptions {
  std::size_t records_max = 10'000;
  std::size_t depth_max = 64;
  // Whether "id" is a feature of the model: then it is no record's id but under "features".
  bool id_is_feature = false;
};

inline constexpr std::size_t kRecordIdBytesMax = 200;

Result<std::vector<BatchRecord>> read_message_batch(std::string_view body, BatchKind kind,
                                                    const BatchOptions& options);

// 1 to kRecordIdBytesMax bytes without control characters; nullopt, or what is wrong with it.
std::optional<std::string> fault_of_record_id(std::string_view id);

}  // namespace weir::format
