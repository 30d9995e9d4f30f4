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

CsvChunker::CsvChunker(CsvChunkerOptions options) : options_(options) {
  WEIR_CHECK(options_.chunk_bytes > 0 && options_.record_bytes_max > 0);
  WEIR_CHECK(options_.chunk_bytes <= kOptionBytesMax);
  WEIR_CHECK(options_.record_bytes_max <= kOptionBytesMax);
}

Status CsvChunker::feed(std::string_view bytes) {
  if (error_) return fail(*error_);
  while (!bytes.empty()) {
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
    if (Status scanned = scan(); !scanned) {
      error_ = scanned.error();
      return scanned;
    }
  }
  return {};
}

// False while the bytes fed may still turn out to be a byte order mark.
bool CsvChunker::drop_byte_order_mark() {
  if (buffer_.size() < kByteOrderMark.size() && kByteOrderMark.starts_with(buffer_)) return false;
  if (buffer_.starts_with(kByteOrderMark)) buffer_.erase(0, kByteOrderMark.size());
  started_ = true;
  return true;
}

Status CsvChunker::scan() {
  while (scanned_ < buffer_.size()) {
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
      if (Status seen = see(at); !seen) return seen;
      if (scanned_ != scanned_before) break;  // a cut: go on at the new buffer's start
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
  if (!header_) {
    header_ = buffer_.substr(0, first_csv_record(std::string_view(buffer_).substr(0, next)).length);
    buffer_.erase(0, next);
    scanned_ = 0;
    record_begin_ = 0;
    chunk_line_ = line_;
  } else {
    ++records_;
    record_begin_ = next;
    if (next >= options_.chunk_bytes) cut(next);
  }
  record_line_ = line_;
  quotes_.begin_record();
  return {};
}

void CsvChunker::cut(std::size_t end) {
  std::string rest = buffer_.substr(end);
  buffer_.resize(end);
  ready_.push_back({std::move(buffer_), chunk_record_, chunk_line_, records_});
  buffer_ = std::move(rest);
  scanned_ = 0;
  record_begin_ = 0;
  chunk_line_ = line_;
  chunk_record_ += records_;
  records_ = 0;
}

Status CsvChunker::too_long() {
  return fail(
      Code::kBadData,
      "line " + std::to_string(record_line_) + ": a record longer than " +
          std::to_string(options_.record_bytes_max) + " bytes" +
          (quotes_.inside() ? "; a quote in line " + std::to_string(quote_line_) + " is still open"
                            : ""));
}

Status CsvChunker::finish() {
  if (error_) return fail(*error_);
  const auto refuse = [&](std::string reason) {
    error_ = Error(Code::kBadData, std::move(reason));
    return fail(*error_);
  };
  if (!started_) {  // fewer bytes than a byte order mark has
    started_ = true;
    if (Status scanned = scan(); !scanned) return refuse(scanned.error().reason());
  }
  if (quotes_.inside()) {
    return refuse("line " + std::to_string(quote_line_) + ": a quote that is never closed");
  }
  if (record_begin_ < buffer_.size()) {
    if (Status ended = end_record(buffer_.size(), buffer_.size()); !ended) {
      return refuse(ended.error().reason());
    }
  }
  if (!header_) return refuse("there is no header: the data set is empty");
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
