#include "format/csv_record.h"

#include <algorithm>
#include <cstring>
#include <numeric>

#include "base/text.h"

namespace weir::format {
namespace {

constexpr std::size_t kNameBytesShown = 64;

std::string shown(std::string_view name) {
  std::string text = one_line(name.substr(0, kNameBytesShown));
  if (name.size() > kNameBytesShown) text += "…";
  return "'" + text + "'";
}

CsvRecordSpan span_to(std::string_view bytes, std::size_t line_feed) {
  const bool carriage_return = line_feed > 0 && bytes[line_feed - 1] == '\r';
  return {line_feed - carriage_return, std::min(line_feed + 1, bytes.size())};
}

}  // namespace

CsvRecordSpan first_csv_record(std::string_view bytes) {
  CsvQuoteState quotes;
  std::size_t at = 0;
  while (true) {
    const std::size_t line_feed = std::min(bytes.find('\n', at), bytes.size());
    // Each quote up to there is looked at once; the line feed counts if none is open.
    for (std::size_t quote = at;
         (quote = bytes.substr(0, line_feed).find('"', quote)) != std::string_view::npos; ++quote) {
      quotes.see_quote(bytes, 0, quote);
    }
    if (line_feed == bytes.size() || !quotes.inside()) return span_to(bytes, line_feed);
    at = line_feed + 1;
  }
}

std::string_view csv_quote_fault_text(CsvQuoteFaultKind kind) {
  switch (kind) {
    case CsvQuoteFaultKind::kTextAfterQuote: return "text after a closing quote";
    case CsvQuoteFaultKind::kUnterminated: return "a quote that is never closed";
  }
  return "malformed quotes";
}

std::optional<CsvQuoteFault> CsvRecordSplitter::split(std::string_view record) {
  fields_.clear();
  unquoted_.clear();
  unquoted_.reserve(record.size());
  std::size_t at = 0;
  while (true) {
    if (at == record.size() || record[at] != '"') {
      const std::size_t comma = std::min(record.find(',', at), record.size());
      fields_.push_back(record.substr(at, comma - at));
      at = comma;
    } else {
      const std::size_t begin = unquoted_.size();
      std::size_t from = at + 1;
      while (true) {
        const std::size_t quote = record.find('"', from);
        if (quote == std::string_view::npos) {
          return CsvQuoteFault{CsvQuoteFaultKind::kUnterminated, fields_.size()};
        }
        unquoted_.append(record.substr(from, quote - from));
        from = quote + 1;
        if (from == record.size() || record[from] != '"') break;
        unquoted_ += '"';
        ++from;
      }
      if (from != record.size() && record[from] != ',') {
        return CsvQuoteFault{CsvQuoteFaultKind::kTextAfterQuote, fields_.size()};
      }
      fields_.push_back(std::string_view(unquoted_).substr(begin));
      at = from;
    }
    if (at == record.size()) return std::nullopt;
    ++at;  // the comma
  }
}

Result<std::vector<std::string>> parse_csv_header(std::string_view record) {
  CsvRecordSplitter splitter;
  if (const auto fault = splitter.split(record)) {
    return fail(Code::kBadData, "the header's column " + std::to_string(fault->column + 1) +
                                    " has " + std::string(csv_quote_fault_text(fault->kind)));
  }
  std::vector<std::string> names(splitter.fields().begin(), splitter.fields().end());
  for (std::size_t i = 0; i < names.size(); ++i) {
    const std::string which = "column " + std::to_string(i + 1);
    if (names[i].empty()) return fail(Code::kBadData, "the header gives " + which + " no name");
    if (!is_utf8(names[i])) {
      return fail(Code::kBadData,
                  "the name of " + which + ", " + shown(names[i]) + ", is not UTF-8");
    }
  }
  std::vector<std::size_t> sorted(names.size());
  std::iota(sorted.begin(), sorted.end(), std::size_t{0});
  std::stable_sort(sorted.begin(), sorted.end(),
                   [&](std::size_t a, std::size_t b) { return names[a] < names[b]; });
  const auto twice =
      std::adjacent_find(sorted.begin(), sorted.end(),
                         [&](std::size_t a, std::size_t b) { return names[a] == names[b]; });
  if (twice != sorted.end()) {
    return fail(Code::kBadData, "the header names columns " + std::to_string(twice[0] + 1) +
                                    " and " + std::to_string(twice[1] + 1) +
                                    " alike: " + shown(names[*twice]));
  }
  return names;
}

}  // namespace weir::format
