// Three readers of a record that must agree. Groups takes the delimiters of several rows and reads
// them side by side, if all are numbers as such; read_plain_row takes the next commas and line
// feeds, one for each column, and reads the cells between them. On anything they did not expect
// they give up, nothing is lost, and read_any_row takes the record again from its start, by the
// rules and with a reason to give. Every row that the first ones take, the last would take with the
// same bits; csv_fuzz.cc holds them to it.

#include "format/csv_rows.h"

#include <algorithm>
#include <cstring>

#include "base/check.h"
#include "base/text.h"
#include "format/byte_search.h"
#include "format/csv_delimiters.h"
#include "format/csv_record.h"
#include "format/decimal.h"
#include "format/plain_decimal.h"

namespace weir::format {
namespace {

constexpr std::size_t kExcerptBytesMax = 40;
constexpr std::size_t kNamesListedMax = 20;

bool is_blank(char c) { return c == ' ' || c == '\t'; }

const char* skip_blanks(const char* at, const char* end) {
  while (at != end && is_blank(*at)) ++at;
  return at;
}

// A number with what may stand around it: blanks, '+', quotes. False: some other cell.
bool read_padded_cell(const char* at, const char* end, double& value) {
  if (end - at >= 2 && *at == '"' && end[-1] == '"') {
    ++at;
    --end;
  }
  at = skip_blanks(at, end);
  if (at != end && *at == '+') {
    ++at;
    if (at != end && *at == '-') return false;
  }
  const Decimal decimal = parse_decimal(at, end, DecimalGrammar::kText);
  value = decimal.value;
  return decimal.status == DecimalStatus::kGood && skip_blanks(decimal.end, end) == end;
}

// A cell as most are, a short number or a plain one. False: some other cell, or one at the border
// of the chunk.
bool read_usual_cell(std::string_view chunk, const char* at, const char* end, double& value) {
  const auto offset = static_cast<std::size_t>(at - chunk.data());
  const auto length = static_cast<std::size_t>(end - at);
  if (length <= kShortCellReads) {
    return offset + length >= kShortCellReads && parse_short_cell(at, end, value);
  }
  return chunk.size() - offset >= kPlainDecimalReads && plain_decimal().parse(at, value) == end;
}

std::string excerpt_of(std::string_view text) {
  std::string out = one_line(text.substr(0, kExcerptBytesMax));
  if (text.size() > kExcerptBytesMax) out += "…";
  return out;
}

// Of columns that have room for `stride` rows, the first `count`.
void keep_first(record::RowBlock& rows, std::size_t count, std::size_t stride) {
  rows.rows = count;
  rows.row_numbers.resize(count);
  double* const values = rows.values.data();
  for (std::size_t column = 1; count < stride && column < rows.columns; ++column) {
    std::memmove(values + column * count, values + column * stride, count * sizeof(double));
  }
  rows.values.resize(rows.columns * count);
}

Error name_not_found(std::string_view what, std::string_view name,
                     const std::vector<std::string>& header) {
  std::string reason = std::string(what) + " '" + excerpt_of(name) + "' not found";
  if (const auto nearest = nearest_name(name, header)) {
    reason += "; nearest is '" + excerpt_of(*nearest) + "'";
  }
  reason += "; columns are ";
  const std::size_t listed = std::min(header.size(), kNamesListedMax);
  for (std::size_t i = 0; i < listed; ++i) {
    reason += (i > 0 ? ", " : "") + excerpt_of(header[i]);
  }
  if (header.size() > listed) {
    reason += " and " + std::to_string(header.size() - listed) + " more";
  }
  return {Code::kBadData, reason};
}

}  // namespace

struct CsvRowReader::Walk {
  const CsvChunk& chunk;
  RefusedRows& refused;
  std::size_t offset = 0;        // of the current record
  std::uint64_t record = 0;      // its number
  CsvRecordSplitter splitter{};  // used by few data sets
};

// Reads kRowsAtOnce rows at once where that is possible. Where it is not, again and again, it is
// tried less and less often.
class CsvRowReader::Groups {
 public:
  Groups(const CsvRowReader& reader, const CsvChunk& chunk, CsvDelimiters& delimiters)
      : reader_(reader),
        chunk_(chunk.bytes),
        delimiters_(delimiters),
        columns_(reader.slots_.size()),
        read_rows_(reader.encoder_ ? nullptr : csv_kernels().read_rows) {}

  // Of the rows that begin at `offset`.
  bool read(std::size_t offset, double* values, std::size_t stride) {
    if (read_rows_ == nullptr || rows_left_ > 0) {
      rows_left_ -= rows_left_ > 0 ? 1 : 0;
      return false;
    }
    begin_ = offset;
    next_ = delimiters_.peek(kRowsAtOnce * columns_);
    const bool good =
        next_ != nullptr && next_[0] > kShortCellReads &&
        read_rows_({chunk_, offset, next_, reader_.slots_.data(), columns_, values, stride});
    pause_ = good ? 0 : std::min(2 * pause_ + kRowsAtOnce, kPauseRowsMax);
    rows_left_ = good ? 0 : pause_ - 1;
    return good;
  }

  // Of what was read last:
  CsvRecordPlace place(std::size_t row) const {
    const std::size_t begin = row == 0 ? begin_ : std::size_t{next_[row * columns_ - 1]} + 1;
    const std::size_t line_feed = next_[(row + 1) * columns_ - 1];
    return {begin, line_feed - begin - (chunk_[line_feed - 1] == '\r')};
  }
  // Goes past it, and returns where what follows begins.
  std::size_t take() {
    const std::size_t end = std::size_t{next_[kRowsAtOnce * columns_ - 1]} + 1;
    delimiters_.take(kRowsAtOnce * columns_);
    return end;
  }

 private:
  static constexpr std::size_t kPauseRowsMax = 256;

  const CsvRowReader& reader_;
  const std::string_view chunk_;
  CsvDelimiters& delimiters_;
  const std::size_t columns_;
  bool (*const read_rows_)(const CsvRowGroup& group);
  const std::uint32_t* next_ = nullptr;
  std::size_t begin_ = 0;
  std::size_t pause_ = 0;      // in rows, after the last failure
  std::size_t rows_left_ = 0;  // of the pause
};

Result<CsvRowReader> CsvRowReader::make(const std::vector<std::string>& header,
                                        std::string_view target,
                                        std::span<const std::string> dropped) {
  CsvRowReader reader;
  reader.header_ = header;
  std::vector<std::string> drop(dropped.begin(), dropped.end());
  std::sort(drop.begin(), drop.end());
  std::vector<std::string> known(header);
  std::sort(known.begin(), known.end());
  for (const std::string& name : drop) {
    if (name == target) {
      return fail(Code::kBadData, "the target column '" + excerpt_of(target) + "' is dropped");
    }
    if (!std::binary_search(known.begin(), known.end(), name)) {
      return fail(name_not_found("dropped column", name, header));
    }
  }
  if (!std::binary_search(known.begin(), known.end(), target)) {
    return fail(name_not_found("target column", target, header));
  }
  if (std::adjacent_find(known.begin(), known.end()) != known.end()) {
    return fail(Code::kBadData, "the header names two columns alike");
  }
  reader.schema_.target = std::string(target);
  for (const std::string& name : header) {
    if (name == target) {
      reader.slots_.push_back(header.size());  // known once the features are counted
    } else if (std::binary_search(drop.begin(), drop.end(), name)) {
      reader.slots_.push_back(kDropped);
    } else {
      reader.slots_.push_back(reader.schema_.features.size());
      reader.schema_.features.push_back(name);
    }
  }
  std::replace(reader.slots_.begin(), reader.slots_.end(), header.size(),
               reader.schema_.features.size());
  if (reader.schema_.features.empty()) {
    return fail(Code::kBadData,
                "no feature column is left beside the target '" + excerpt_of(target) + "'");
  }
  reader.is_number_.assign(reader.schema_.features.size() + 1, 1);
  return reader;
}

void CsvRowReader::parse(const CsvChunk& chunk, record::RowBlock& rows, RefusedRows& refused,
                         std::vector<CsvRecordPlace>* places) const {
  const char* const begin = chunk.bytes.data();
  const char* const end = begin + chunk.bytes.size();
  const std::size_t columns = schema_.features.size() + 1;
  // Rows are at most the lines there are, and as many as their shortest spelling leaves room for
  // (a delimiter for each column, and a byte for each cell that must be there):
  // the block is never much larger than eight times the chunk.
  const std::size_t lines = count_byte(chunk.bytes, '\n') + (chunk.bytes.ends_with('\n') ? 0 : 1);
  const std::size_t row_bytes_min = slots_.size() + (encoder_ ? 1 : columns);
  const std::size_t stride = std::min(lines, chunk.bytes.size() / row_bytes_min + 1);
  rows.columns = columns;
  rows.values.resize(columns * stride);
  rows.row_numbers.resize(stride);
  if (places != nullptr) places->clear();

  Walk walk{.chunk = chunk, .refused = refused, .record = chunk.first_record};
  CsvDelimiters delimiters(chunk.bytes, kRowsAtOnce * slots_.size());
  Groups groups(*this, chunk, delimiters);
  std::size_t count = 0;
  for (const char* at = begin; at != end; ++walk.record) {
    WEIR_CHECK(count < stride);
    const char* const record = at;
    double* const row = rows.values.data() + count;
    const auto offset = static_cast<std::size_t>(record - begin);
    if (stride - count >= kRowsAtOnce && groups.read(offset, row, stride)) {
      for (std::size_t i = 0; i < kRowsAtOnce; ++i) {
        rows.row_numbers[count++] = walk.record + i;
        if (places != nullptr) places->push_back(groups.place(i));
      }
      walk.record += kRowsAtOnce - 1;
      at = begin + groups.take();
      continue;
    }
    const std::uint32_t* const next = delimiters.peek(slots_.size());
    const char* const line_feed =
        next != nullptr ? read_plain_row(chunk.bytes, record, next, row, stride) : nullptr;
    bool good = line_feed != nullptr;
    std::size_t length = 0;
    if (good) [[likely]] {
      delimiters.take(slots_.size());
      at = line_feed + 1;
      length = static_cast<std::size_t>(line_feed - record) - (line_feed[-1] == '\r');
    } else {
      walk.offset = offset;
      const std::string_view rest(record, static_cast<std::size_t>(end - record));
      const CsvRecordSpan span = first_csv_record(rest);
      length = span.length;
      at = record + span.next;
      delimiters.skip_to(walk.offset + span.next);
      if (length == 0) {
        refused.add_blank();
      } else {
        good = read_any_row(rest.substr(0, length), walk, row, stride);
      }
    }
    if (!good) continue;
    rows.row_numbers[count++] = walk.record;
    if (places != nullptr) places->push_back({offset, length});
  }

  keep_first(rows, count, stride);
}

void CsvRowReader::set_inputs(record::Inputs inputs) {
  encoder_.reset();
  std::fill(is_number_.begin(), is_number_.end(), 1);
  if (inputs.plain()) return;
  WEIR_CHECK(inputs.columns.size() == schema_.features.size());
  encoder_ = std::make_shared<const CellEncoder>(std::move(inputs));
  for (std::size_t column = 0; column < schema_.features.size(); ++column) {
    is_number_[column] = encoder_->takes_any_number(column) ? 1 : 0;
  }
}

std::optional<RowFault> CsvRowReader::read_value(std::size_t slot, std::string_view cell,
                                                 double& value) const {
  if (!encoder_ || slot == schema_.features.size()) return read_number(cell, value);
  return encoder_->encode(slot, cell, value);
}

bool CsvRowReader::read_unusual_cell(std::size_t slot, std::string_view cell, double& value) const {
  if (!encoder_) return read_padded_cell(cell.data(), cell.data() + cell.size(), value);
  return !cell.starts_with('"') && !read_value(slot, cell, value);
}

// The place of the line feed that ends the record, or nullptr where it is not as plain as can be.
const char* CsvRowReader::read_plain_row(std::string_view chunk, const char* cell,
                                         const std::uint32_t* delimiters, double* row,
                                         std::size_t stride) const {
  const std::size_t* const slots = slots_.data();
  const std::size_t last = slots_.size() - 1;
  for (std::size_t column = 0;; ++column) {
    const char* const delimiter = chunk.data() + delimiters[column];
    const char* end = delimiter;
    if (column == last && end != cell && end[-1] == '\r') --end;
    if (slots[column] == kDropped) {
      if (*cell == '"') return nullptr;
    } else {
      const std::size_t slot = slots[column];
      double value = 0;
      if (!is_number_[slot] || !read_usual_cell(chunk, cell, end, value)) [[unlikely]] {
        const std::string_view text(cell, static_cast<std::size_t>(end - cell));
        if (!read_unusual_cell(slot, text, value)) return nullptr;
      }
      row[slot * stride] = value;
    }
    if (column == last) return *delimiter == '\n' ? delimiter : nullptr;
    if (*delimiter != ',') return nullptr;
    cell = delimiter + 1;
  }
}

bool CsvRowReader::read_any_row(std::string_view record, Walk& walk, double* row,
                                std::size_t stride) const {
  if (const auto fault = walk.splitter.split(record)) {
    refuse(walk, RowFault::kQuoting, fault->column, std::string(csv_quote_fault_text(fault->kind)),
           record);
    return false;
  }
  const auto fields = walk.splitter.fields();
  if (fields.size() != slots_.size()) {
    refuse(walk, RowFault::kFieldCount, kDropped,
           std::to_string(fields.size()) + " fields, where the header has " +
               std::to_string(slots_.size()),
           record);
    return false;
  }
  for (std::size_t column = 0; column < slots_.size(); ++column) {
    if (slots_[column] == kDropped) continue;
    double value = 0;
    if (const auto fault = read_value(slots_[column], fields[column], value)) {
      refuse(walk, *fault, column, std::string(row_fault_text(*fault)), fields[column]);
      return false;
    }
    row[slots_[column] * stride] = value;
  }
  return true;
}

void CsvRowReader::refuse(Walk& walk, RowFault fault, std::size_t column, std::string cause,
                          std::string_view excerpt) const {
  RefusedRows::Reason reason{fault, column < header_.size() ? header_[column] : std::string()};
  walk.refused.add(reason);
  if (!walk.refused.wants_example(walk.record)) return;
  const std::size_t lines_before =
      count_byte(std::string_view(walk.chunk.bytes).substr(0, walk.offset), '\n');
  walk.refused.add_example({.record = walk.record,
                            .line = walk.chunk.first_line + lines_before,
                            .column = column == kDropped ? 0 : column + 1,
                            .reason = std::move(reason),
                            .cause = std::move(cause),
                            .excerpt = excerpt_of(excerpt)});
}

}  // namespace weir::format
