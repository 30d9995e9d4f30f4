#include "serve/held_out_values.h"

#include <algorithm>

#include "format/csv_chunker.h"
#include "format/csv_record.h"

namespace weir::serve {

Result<std::map<std::string, std::string>> held_out_values(const std::string& test_csv,
                                                           std::string_view target) {
  format::CsvChunker chunker;
  WEIR_TRY(chunker.feed(test_csv));
  WEIR_TRY(chunker.finish());
  if (!chunker.header()) return fail(Code::kCorrupt, "no header");
  const auto names = WEIR_TRY(format::parse_csv_header(*chunker.header()));
  const auto found = std::find(names.begin(), names.end(), target);
  if (found == names.end()) {
    return fail(Code::kCorrupt, "no column '" + std::string(target) + "'");
  }
  const auto column = static_cast<std::size_t>(found - names.begin());
  std::map<std::string, std::string> values;
  format::CsvRecordSplitter splitter;
  while (const auto chunk = chunker.next()) {
    std::string_view rest = chunk->bytes;
    while (!rest.empty()) {
      const format::CsvRecordSpan span = format::first_csv_record(rest);
      if (!splitter.split(rest.substr(0, span.length)) && splitter.fields().size() > column) {
        values.emplace(splitter.fields()[0], splitter.fields()[column]);
      }
      rest.remove_prefix(span.next);
    }
  }
  return values;
}

}  // namespace weir::serve
