// The scan looks at 64 bytes at a time for line feeds and quotes, the only two bytes on which the
// end of a record depends, and then walks over those that it found. Everything is counted from the
// start of the chunk that is being gathered, so that feeding byte by byte or all at once is the
// same.

#include "format/csv_chunker.h"

#include <algorithm>
#include <bit>
#include <utility>

#include "base/check.h"
#include "format/byte_search.h"

namespace weir::format {
namespace {

constexpr std::string_view kByteOrderMark = "\xef\xbb\xbf";
constexpr std::size_t kOptionBytesMax = std::size_t{1} << 30;
// What may come after the cut of a chunk and has to be moved to the next.
constexpr std::size_t kPieceBytesMin = 4096;

}  // namespace

std::string CsvFault::text() const {
  const auto line_text = [](std::uint64_t number) { return "line " + std::to_string(number); };
  switch (kind) {
    case Kind::kNoHeader: return "there is no header: the data set is empty";
    case Kind::kQuoteNeverClosed:
      return line_text(quote_line.value_or(0)) + ": a quote that is never closed";
    case Kind::kRecordTooLong:
      return line_text(line) + ": a record longer than " + std::to_string(record_bytes_max) +
             " bytes" +
             (quote_line ? "; a quote in " + line_text(*quote_line) + " is still open" : "");
  }
  return "";
}

CsvChunker::CsvChunker(CsvChunkerOptions options) : options_(options) {
  WEIR_CHECK(options_.chunk_bytes > 0 && options_.record_bytes_max > 0);
  WEIR_CHECK(options_.chunk_bytes <= kOptionBytesMax);
  WEIR_CHECK(options_.record_bytes_max <= kOptionBytesMax);
  WEIR_CHECK(options_.split_bytes > 0);
  drop_to(0);
}

CsvChunker CsvChunker::enter(CsvChunkerOptions options, CsvEntry entry) {
  WEIR_CHECK(entry.offset > 0);
  CsvChunker chunker(options);
  chunker.header_.emplace();
  chunker.started_ = true;
  chunker.offset_ = entry.offset;
  if (entry.inside_quotes) chunker.quotes_.begin_inside();
  if (!entry.inside_quotes && entry.byte_before == '\n') {
    chunker.drop_to(0);
    return chunker;
  }
  // The byte before says whether a quote that comes first opens a field.
  chunker.skipping_ = true;
  chunker.offset_ = entry.offset - 1;
  chunker.buffer_.push_back(entry.byte_before);
  chunker.scanned_ = 1;
  return chunker;
}

Status CsvChunker::feed(std::string_view bytes) {
  if (fault_) return fail(Code::kBadData, fault_->text());
  while (!bytes.empty() && !done_) {
    const std::size_t wanted =
        options_.chunk_bytes - std::min(options_.chunk_bytes, buffer_.size());
    const std::string_view piece = bytes.substr(0, std::max(wanted, kPieceBytesMin));
    bytes.remove_prefix(piece.size());
    if (buffer_.capacity() < buffer_.size() + piece.size()) {
      // Room for the whole chunk at once; memory that is not written to costs nothing.
      buffer_.reserve(
          std::max(buffer_.size() + piece.size(), options_.chunk_bytes + 2 * kPieceBytesMin));
    }
    buffer_.append(piece);
    if (!started_ && !drop_byte_order_mark()) continue;
    WEIR_TRY(scan());
  }
  return {};
}

// False while the bytes fed may still turn out to be a byte order mark.
bool CsvChunker::drop_byte_order_mark() {
  if (buffer_.size() < kByteOrderMark.size() && kByteOrderMark.starts_with(buffer_)) return false;
  if (buffer_.starts_with(kByteOrderMark)) drop_to(kByteOrderMark.size());
  started_ = true;
  return true;
}

Status CsvChunker::scan() {
  while (scanned_ < buffer_.size() && !done_) {
    const std::size_t begin = scanned_;
    std::uint64_t bits = 0;
    if (buffer_.size() - begin >= kBlockBytes) {
      bits = find_either(buffer_.data() + begin, '\n', '"');
      scanned_ = begin + kBlockBytes;
    } else {
      char block[kBlockBytes] = {};
      std::copy(buffer_.begin() + static_cast<std::ptrdiff_t>(begin), buffer_.end(), block);
      bits = find_either(block, '\n', '"');
      scanned_ = buffer_.size();
    }
    while (bits != 0) {
      const std::size_t at = begin + static_cast<std::size_t>(std::countr_zero(bits));
      bits &= bits - 1;
      const std::size_t scanned_before = scanned_;
      WEIR_TRY(see(at));
      if (done_ || scanned_ != scanned_before) break;  // a cut: go on at the new buffer's start
    }
  }
  if (buffer_.size() - record_begin_ > options_.record_bytes_max) return too_long();
  return {};
}

Status CsvChunker::see(std::size_t at) {
  if (buffer_[at] == '"') {
    if (quotes_.see_quote(buffer_, record_begin_, at)) quote_line_ = line_;
    return {};
  }
  ++line_;
  return quotes_.inside() ? Status() : end_record(at, at + 1);
}

Status CsvChunker::end_record(std::size_t end, std::size_t next) {
  if (end - record_begin_ > options_.record_bytes_max) return too_long();
  const std::uint64_t next_offset = offset_ + next;
  if (skipping_) {
    skipping_ = false;
    drop_to(next);
  } else if (!header_) {
    header_ = buffer_.substr(0, first_csv_record(std::string_view(buffer_).substr(0, next)).length);
    drop_to(next);
  } else {
    ++records_;
    record_begin_ = next;
    if (next >= options_.chunk_bytes || next_offset >= border_) cut(next);
  }
  record_line_ = line_;
  quotes_.begin_record();
  if (next_offset < options_.stop_at) return {};
  if (records_ > 0) cut(record_begin_);
  buffer_.clear();
  scanned_ = 0;
  done_ = true;
  return {};
}

// What comes first is not of any chunk: a byte order mark, the header, the rest of a record that
// began elsewhere.
void CsvChunker::drop_to(std::size_t next) {
  buffer_.erase(0, next);
  offset_ += next;
  scanned_ = 0;
  record_begin_ = 0;
  chunk_line_ = line_;
  border_ = kNoOffset - offset_ < options_.split_bytes
                ? kNoOffset
                : (offset_ / options_.split_bytes + 1) * options_.split_bytes;
}

void CsvChunker::cut(std::size_t end) {
  std::string rest = buffer_.substr(end);
  buffer_.resize(end);
  ready_.push_back({std::move(buffer_), chunk_record_, chunk_line_, records_, offset_});
  chunk_record_ += records_;
  records_ = 0;
  offset_ += end;
  buffer_ = std::move(rest);
  drop_to(0);
}

tl::unexpected<Error> CsvChunker::refuse(CsvFault fault) {
  fault.record_bytes_max = options_.record_bytes_max;
  fault_ = fault;
  return fail(Code::kBadData, fault_->text());
}

tl::unexpected<Error> CsvChunker::too_long() {
  CsvFault fault{CsvFault::Kind::kRecordTooLong, record_line_, std::nullopt, 0};
  if (quotes_.inside()) fault.quote_line = quote_line_;
  return refuse(fault);
}

Status CsvChunker::finish() {
  if (fault_) return fail(Code::kBadData, fault_->text());
  if (done_) return {};
  if (!started_) {  // fewer bytes than a byte order mark has
    started_ = true;
    WEIR_TRY(scan());
  }
  if (quotes_.inside()) {
    return refuse({CsvFault::Kind::kQuoteNeverClosed, record_line_, quote_line_, 0});
  }
  if (record_begin_ < buffer_.size()) WEIR_TRY(end_record(buffer_.size(), buffer_.size()));
  if (!header_) return refuse({CsvFault::Kind::kNoHeader, 0, std::nullopt, 0});
  if (!buffer_.empty()) cut(buffer_.size());
  return {};
}

std::optional<CsvChunk> CsvChunker::next() {
  if (ready_.empty()) return std::nullopt;
  CsvChunk chunk = std::move(ready_.front());
  ready_.pop_front();
  return chunk;
}

}  // namespace weir::format
