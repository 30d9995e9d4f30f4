// One CSV record: where it ends, its fields with their quotes undone, and the header's names.
//
// Quoting is RFC 4180's: a quote opens only as the first byte of a field, a doubled quote inside
// stands for one, and after the closing quote comes a comma or the end. A quote within an unquoted
// field is a byte like others (37 36'37.8"N), as csv-spectrum asks.
//
// Threads: a splitter belongs to one thread; the rest are pure functions.
#pragma once

#include <cstddef>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "base/error.h"

namespace weir::format {

// Says of each quote, met from left to right, whether it opens or closes. The one place that
// decides it, so that cutting a file and splitting a record cannot disagree.
class CsvQuoteState {
 public:
  bool inside() const { return inside_; }
  // True where the quote at text[at] opens a field.
  bool see_quote(std::string_view text, std::size_t record_begin, std::size_t at) {
    if (inside_) {
      inside_ = false;
      closed_at_ = at;
      return false;
    }
    if (at == closed_at_ + 1) {  // a doubled quote: the field goes on
      inside_ = true;
      return false;
    }
    inside_ = at == record_begin || text[at - 1] == ',';
    return inside_;
  }
  void begin_record() { closed_at_ = kNever; }
  void begin_inside() { inside_ = true; }  // of a field whose quote was not seen

 private:
  static constexpr std::size_t kNever = static_cast<std::size_t>(-2);
  bool inside_ = false;
  std::size_t closed_at_ = kNever;
};

// The first record of `bytes`, which begin at a record's start.
struct CsvRecordSpan {
  std::size_t length = 0;  // without the line end
  std::size_t next = 0;    // where the next record begins
};
CsvRecordSpan first_csv_record(std::string_view bytes);

enum class CsvQuoteFaultKind { kTextAfterQuote, kUnterminated };
struct CsvQuoteFault {
  CsvQuoteFaultKind kind = CsvQuoteFaultKind::kTextAfterQuote;
  std::size_t column = 0;  // from 0
};
std::string_view csv_quote_fault_text(CsvQuoteFaultKind kind);  // "text after a closing quote"

class CsvRecordSplitter {
 public:
  // Splits a record given without its line end. An empty record has one empty field.
  std::optional<CsvQuoteFault> split(std::string_view record);
  // Of the last split() without a fault. The views live until the next split() and as long as the
  // record's own bytes.
  std::span<const std::string_view> fields() const { return fields_; }

 private:
  std::vector<std::string_view> fields_;
  std::string unquoted_;  // fields that had doubled quotes; never grows while views into it live
};

// The names as they are, untrimmed. Refused (kBadData): malformed quoting, an empty name, a name
// twice, a name that is not UTF-8 (no JSON message could spell it).
Result<std::vector<std::string>> parse_csv_header(std::string_view record);

}  // namespace weir::format
