#include "cli/local_csv.h"

#include <algorithm>
#include <cerrno>
#include <cstdio>
#include <cstring>
#include <memory>
#include <optional>

#include "base/text.h"
#include "format/csv_chunker.h"
#include "format/csv_record.h"

namespace weir::cli {
namespace {

using File = std::unique_ptr<std::FILE, int (*)(std::FILE*)>;

Result<File> open_file(const std::string& path) {
  if (path == "-") return File(stdin, [](std::FILE*) { return 0; });
  File file(std::fopen(path.c_str(), "rbe"), [](std::FILE* f) { return std::fclose(f); });
  if (file) return file;
  return fail(errno == ENOENT ? Code::kNotFound : Code::kIo, std::strerror(errno));
}

Status handle_chunk(const format::CsvChunk& chunk, std::size_t columns,
                    format::CsvRecordSplitter& splitter, const CsvHandlers& handlers) {
  std::string_view rest = chunk.bytes;
  std::uint64_t line = chunk.first_line;
  while (!rest.empty()) {
    const format::CsvRecordSpan span = format::first_csv_record(rest);
    CsvRecord record;
    record.line = line;
    record.text = rest.substr(0, span.length);
    line += static_cast<std::uint64_t>(
        std::count(rest.begin(), rest.begin() + static_cast<std::ptrdiff_t>(span.next), '\n'));
    rest.remove_prefix(span.next);
    if (record.text.empty()) continue;
    if (const auto fault = splitter.split(record.text)) {
      record.fault = format::csv_quote_fault_text(fault->kind);
    } else if (splitter.fields().size() != columns) {
      record.fault = std::to_string(splitter.fields().size()) + " fields, where the header has " +
                     std::to_string(columns);
    } else {
      record.fields = splitter.fields();
    }
    WEIR_TRY(handlers.record(record));
  }
  return {};
}

}  // namespace

Status read_local_csv(const std::string& path, std::size_t record_bytes_max,
                      const CsvHandlers& handlers) {
  const auto attempt = [&]() -> Status {
    const File file = WEIR_TRY(open_file(path));
    format::CsvChunkerOptions options;
    options.record_bytes_max = record_bytes_max;
    format::CsvChunker chunker(options);
    format::CsvRecordSplitter splitter;
    std::vector<char> buffer(1 << 18);
    std::size_t columns = 0;
    for (bool more = true; more;) {
      const std::size_t got = std::fread(buffer.data(), 1, buffer.size(), file.get());
      if (std::ferror(file.get()) != 0) return fail(Code::kIo, std::strerror(errno));
      more = got > 0;
      WEIR_TRY(more ? chunker.feed({buffer.data(), got}) : chunker.finish());
      if (columns == 0 && chunker.header()) {
        const auto names = WEIR_TRY(format::parse_csv_header(*chunker.header()));
        columns = names.size();
        WEIR_TRY(handlers.header(names, *chunker.header()));
      }
      while (const auto chunk = chunker.next()) {
        WEIR_TRY(handle_chunk(*chunk, columns, splitter, handlers));
      }
    }
    return {};
  };
  return during(attempt(), "reading " + (path == "-" ? std::string("stdin") : path));
}

}  // namespace weir::cli
