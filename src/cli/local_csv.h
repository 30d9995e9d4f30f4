// Reads a CSV file of this machine, or stdin, record by record, for the commands on single files.
//
// Threads: one. Errors: kNotFound, kIo, and kBadData with the line, from the reader; the
// callback's.
#pragma once

#include <cstdint>
#include <functional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "base/error.h"

namespace weir::cli {

struct CsvRecord {
  std::uint64_t line = 0;                    // physical, from 1
  std::string_view text;                     // as it stands in the file, without the line end
  std::span<const std::string_view> fields;  // empty where the record is malformed
  std::string fault;                         // why it is malformed; empty where it is not
};

struct CsvHandlers {
  std::function<Status(const std::vector<std::string>& names, std::string_view text)> header;
  std::function<Status(const CsvRecord& record)> record;
};

// `path` "-" is stdin. Blank records are passed over.
Status read_local_csv(const std::string& path, std::size_t record_bytes_max,
                      const CsvHandlers& handlers);

}  // namespace weir::cli
