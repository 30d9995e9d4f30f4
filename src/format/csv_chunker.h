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
// Splits: with `split_bytes`, a chunk also ends where the next record begins in another split of
// the file than the chunk's own: all records of a chunk begin in one split. A reader that is to see
// one split alone is made by enter(): it begins somewhere within the file, within or without
// quotes, and skips to the first record that begins there. With `stop_at` it ends with the last
// record that begins before that offset.
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
  std::uint64_t offset = 0;        // of the first record's first byte in the file
};

inline constexpr std::uint64_t kNoOffset = ~std::uint64_t{0};

// Each from 1 to 2^30.
struct CsvChunkerOptions {
  std::size_t chunk_bytes = std::size_t{1} << 20;
  std::size_t record_bytes_max = std::size_t{1} << 20;  // of one record, without its LF
  std::uint64_t split_bytes = kNoOffset;
  std::uint64_t stop_at = kNoOffset;
};

// Where a reader of a part of a file begins: the offset of the first byte that it is fed, the byte
// before it, and whether that place is inside quotes. The byte there is no quote, or the one before
// it is none: else nobody could say what it does.
struct CsvEntry {
  std::uint64_t offset = 0;
  char byte_before = 0;
  bool inside_quotes = false;
};

// Why a file cannot be read on. Lines count from where the reader began.
struct CsvFault {
  enum class Kind : std::uint8_t { kNoHeader, kRecordTooLong, kQuoteNeverClosed };
  Kind kind = Kind::kNoHeader;
  std::uint64_t line = 0;                   // of the record
  std::optional<std::uint64_t> quote_line;  // of the quote that is open; 0: before the reader began
  std::size_t record_bytes_max = 0;
  std::string text() const;
  bool operator==(const CsvFault&) const = default;
};

class CsvChunker {
 public:
  explicit CsvChunker(CsvChunkerOptions options = {});
  static CsvChunker enter(CsvChunkerOptions options, CsvEntry entry);

  Status feed(std::string_view bytes);
  // The data set has ended. Refuses one without a header, or whose last quote was never closed.
  Status finish();
  // The next whole chunk, in order; nullopt until more is fed.
  std::optional<CsvChunk> next();

  // The header record without its line end, as soon as it has been fed whole.
  const std::optional<std::string>& header() const { return header_; }

  // All records that begin before stop_at have ended; what is fed from now on is ignored.
  bool done() const { return done_; }
  // Still in the record in the middle of which the reader began.
  bool skipping() const { return skipping_; }
  // Whether the next byte to be fed is inside quotes.
  bool inside_quotes() const { return quotes_.inside(); }
  const std::optional<CsvFault>& fault() const { return fault_; }  // of the error, if there is one

 private:
  bool drop_byte_order_mark();
  Status scan();
  Status see(std::size_t at);
  Status end_record(std::size_t end, std::size_t next);
  void end_header(std::size_t next);
  void drop_to(std::size_t next);
  tl::unexpected<Error> refuse(CsvFault fault);
  tl::unexpected<Error> too_long();
  void cut(std::size_t end);

  CsvChunkerOptions options_;
  std::optional<CsvFault> fault_;
  std::optional<std::string> header_;
  std::deque<CsvChunk> ready_;

  // The chunk that is being gathered, and how far it has been looked at. Offsets are in buffer_.
  std::string buffer_;
  std::size_t scanned_ = 0;
  std::size_t record_begin_ = 0;
  CsvQuoteState quotes_;
  std::uint64_t offset_ = 0;          // in the file, of the buffer's first byte
  std::uint64_t border_ = kNoOffset;  // the end of the split in which the chunk begins
  bool started_ = false;              // the byte order mark has been looked for
  bool skipping_ = false;
  bool done_ = false;

  std::uint64_t line_ = 1;         // of the byte at scanned_
  std::uint64_t record_line_ = 1;  // where the current record began
  std::uint64_t quote_line_ = 0;   // where the open quote began
  std::uint64_t chunk_line_ = 1;
  std::uint64_t chunk_record_ = 0;
  std::uint64_t records_ = 0;  // complete ones in buffer_
};

}  // namespace weir::format
