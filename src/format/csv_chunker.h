// Cuts the bytes of a CSV data set into chunks of whole records, so that threads can parse them.
//
//   CsvChunker chunker;
//   while (bytes = read()) { WEIR_TRY(chunker.feed(bytes)); while (auto c = chunker.next()) …; }
//   WEIR_TRY(chunker.finish());       then drain next() once more
//
// A record ends at LF or CRLF outside quotes (RFC 4180: a quote opens only at the start of a field;
// one anywhere else concerns its own record, not the rest of the file). The last record may lack
// its line end. A byte order mark at the start is dropped. NUL is a byte like others.
//
// A chunk ends with the first record that ends at or after `chunk_bytes` from the chunk's start:
// the cuts follow from the bytes alone, never from how they were fed, as training results depend on
// them bit for bit.
//
// Owner: the caller. Threads: one per object; chunks may go to other threads. Memory: what was fed
// and not yet taken by next(), plus at most chunk_bytes + record_bytes_max. Errors: kBadData with
// the line; the chunker then stays in that error.
#pragma once

#include <cstddef>
#include <cstdint>
#include <deque>
#include <optional>
#include <string>
#include <string_view>

#include "base/error.h"
#include "format/csv_record.h"

namespace weir::format {

struct CsvChunk {
  std::string bytes;               // whole records with their line ends
  std::uint64_t first_record = 0;  // 0 = the first record after the header; blank records count
  std::uint64_t first_line = 1;    // physical line of the first record, 1 = first line of the file
  std::uint64_t records = 0;       // blank ones included
};

// Each from 1 to 2^30.
struct CsvChunkerOptions {
  std::size_t chunk_bytes = std::size_t{1} << 20;
  std::size_t record_bytes_max = std::size_t{1} << 20;  // of one record, without its LF
};

class CsvChunker {
 public:
  explicit CsvChunker(CsvChunkerOptions options = {});

  Status feed(std::string_view bytes);
  // The data set has ended. Refuses one without a header, or whose last quote was never closed.
  Status finish();
  // The next whole chunk, in order; nullopt until more is fed.
  std::optional<CsvChunk> next();

  // The header record without its line end, as soon as it has been fed whole.
  const std::optional<std::string>& header() const { return header_; }

 private:
  bool drop_byte_order_mark();
  Status scan();
  Status see(std::size_t at);
  Status end_record(std::size_t end, std::size_t next);
  Status too_long();
  void cut(std::size_t end);

  const CsvChunkerOptions options_;
  std::optional<Error> error_;
  std::optional<std::string> header_;
  std::deque<CsvChunk> ready_;

  // The chunk that is being gathered, and how far it has been looked at. Offsets are in buffer_.
  std::string buffer_;
  std::size_t scanned_ = 0;
  std::size_t record_begin_ = 0;
  CsvQuoteState quotes_;
  bool started_ = false;  // the byte order mark has been looked for

  std::uint64_t line_ = 1;         // of the byte at scanned_
  std::uint64_t record_line_ = 1;  // where the current record began
  std::uint64_t quote_line_ = 0;   // where the open quote began
  std::uint64_t chunk_line_ = 1;
  std::uint64_t chunk_record_ = 0;
  std::uint64_t records_ = 0;  // complete ones in buffer_
};

}  // namespace weir::format
