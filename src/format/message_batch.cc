#include "format/message_batch.h"

#include "format/csv_chunker.h"
#include "format/csv_record.h"
#include "format/json_cursor.h"
#include "format/json_row.h"

namespace weir::format {
namespace {

constexpr std::size_t kCsvRecordBytesMax = std::size_t{1} << 20;

tl::unexpected<Error> bad_record(std::size_t index, const std::string& why) {
  return fail(Code::kBadData, "record " + std::to_string(index) + ": " + why);
}

// Reads the JSON of one body, record by record.
class JsonBatch {
 public:
  JsonBatch(std::string_view body, const BatchOptions& options, std::vector<BatchRecord>& records)
      : options_(options), cursor_(body, options.depth_max, scratch_), records_(records) {}

  // A whole document: an object or an array of objects.
  Status read_document() {
    cursor_.skip_space();
    if (cursor_.peek() != '[') {
      WEIR_TRY(read_record(0));
    } else {
      WEIR_TRY(read_array());
    }
    cursor_.skip_space();
    if (cursor_.left() > 0) return bad_record(records_.size(), "bytes follow the end of the JSON");
    return {};
  }

 private:
  Status read_array() {
    cursor_.advance(1);
    cursor_.skip_space();
    if (cursor_.take(']')) return {};
    for (;;) {
      cursor_.skip_space();
      WEIR_TRY(read_record(1));
      cursor_.skip_space();
      if (cursor_.take(']')) return {};
      if (!cursor_.take(',')) return broken("expected , or ]");
    }
  }

  Status read_record(std::size_t depth) {
    if (records_.size() == options_.records_max) {
      return fail(Code::kExhausted,
                  "more than " + std::to_string(options_.records_max) + " records, the limit here");
    }
    if (cursor_.peek() != '{') return broken("expected an object");
    const char* const begin = cursor_.at();
    WEIR_TRY(read_members(depth));
    BatchRecord record;
    if (features_.data() != nullptr) {
      if (!stranger_.empty()) {
        return bad_record(records_.size(), "beside \"id\" and \"features\" stands \"" + stranger_ +
                                               "\", which nobody would see");
      }
      record.value = features_;
      record.id = id_;
    } else {
      record.value.assign(begin, cursor_.at());
      if (!options_.id_is_feature) record.id = id_;
    }
    if (record.id && (features_.data() != nullptr || !options_.id_is_feature)) {
      if (const auto fault = fault_of_record_id(*record.id)) {
        return bad_record(records_.size(), *fault);
      }
    }
    records_.push_back(std::move(record));
    return {};
  }

  Status read_members(std::size_t depth) {
    id_.reset();
    features_ = {};
    stranger_.clear();
    cursor_.advance(1);
    cursor_.skip_space();
    if (cursor_.take('}')) return {};
    for (;;) {
      cursor_.skip_space();
      std::string_view name;
      bool escaped = false;
      scratch_.unescaped.clear();
      if (!cursor_.read_string(name, escaped)) return broken();
      const bool is_id = name == "id";
      const bool is_features = name == "features";
      if (!is_id && !is_features && stranger_.empty()) stranger_ = std::string(name.substr(0, 80));
      cursor_.skip_space();
      if (!cursor_.take(':')) return broken("expected :");
      cursor_.skip_space();
      const char* const begin = cursor_.at();
      const char first = cursor_.peek();
      if (!cursor_.skip_value(depth + 1)) return broken();
      const std::string_view value(begin, static_cast<std::size_t>(cursor_.at() - begin));
      if (is_id) WEIR_TRY(take_id(value));
      if (is_features && first == '{') {
        if (features_.data() != nullptr) return broken("\"features\" stands there twice");
        features_ = value;
      }
      cursor_.skip_space();
      if (cursor_.take('}')) return {};
      if (!cursor_.take(',')) return broken("expected , or }");
    }
  }

  // A string's content, or a number as it is spelt.
  Status take_id(std::string_view value) {
    if (id_) return bad_record(records_.size(), "\"id\" stands there twice");
    if (value.front() != '"') {
      if (value.find_first_not_of("0123456789-") != value.npos) {
        if (options_.id_is_feature) return {};
        return bad_record(records_.size(), "\"id\" is neither a string nor a whole number");
      }
      id_ = std::string(value);
      return {};
    }
    JsonScratch scratch;
    JsonCursor inner(value, 1, scratch);
    std::string_view text;
    bool escaped = false;
    if (!inner.read_string(text, escaped)) return broken();
    id_ = std::string(text);
    return {};
  }

  Status broken(std::string_view what) {
    cursor_.not_json(what);
    return broken();
  }
  Status broken() { return bad_record(records_.size(), cursor_.fault_text()); }

  const BatchOptions& options_;
  JsonScratch scratch_;
  JsonCursor cursor_;
  std::vector<BatchRecord>& records_;

  // Of the record that was read last.
  std::optional<std::string> id_;
  std::string_view features_;  // null where there is none
  std::string stranger_;
};

Status read_json_lines(std::string_view body, const BatchOptions& options,
                       std::vector<BatchRecord>& records) {
  while (!body.empty()) {
    const std::size_t end = std::min(body.find('\n'), body.size());
    const std::string_view line = body.substr(0, end);
    body.remove_prefix(std::min(end + 1, body.size()));
    if (line.find_first_not_of(" \t\r") == line.npos) continue;
    WEIR_TRY(JsonBatch(line, options, records).read_document());
  }
  return {};
}

class CsvBatch {
 public:
  CsvBatch(const BatchOptions& options, std::vector<BatchRecord>& records)
      : options_(options), records_(records) {}

  Status read(std::string_view body) {
    CsvChunkerOptions cut;
    cut.record_bytes_max = kCsvRecordBytesMax;
    CsvChunker chunker(cut);
    WEIR_TRY(chunker.feed(body));
    WEIR_TRY(chunker.finish());
    names_ = WEIR_TRY(during(parse_csv_header(*chunker.header()), "reading the header"));
    while (const auto chunk = chunker.next()) {
      std::string_view rest = chunk->bytes;
      while (!rest.empty()) {
        const CsvRecordSpan span = first_csv_record(rest);
        const std::string_view record = rest.substr(0, span.length);
        rest.remove_prefix(span.next);
        if (!record.empty()) WEIR_TRY(read_row(record));
      }
    }
    return {};
  }

 private:
  Status read_row(std::string_view row) {
    if (records_.size() == options_.records_max) {
      return fail(Code::kExhausted,
                  "more than " + std::to_string(options_.records_max) + " records, the limit here");
    }
    if (const auto fault = splitter_.split(row)) {
      return bad_record(records_.size(), std::string(csv_quote_fault_text(fault->kind)));
    }
    const auto cells = splitter_.fields();
    if (cells.size() != names_.size()) {
      return bad_record(records_.size(), "it has " + std::to_string(cells.size()) +
                                             " cells, the header " + std::to_string(names_.size()));
    }
    BatchRecord record;
    record.value = "{";
    for (std::size_t i = 0; i < cells.size(); ++i) {
      if (names_[i] == "id" && !options_.id_is_feature) {
        if (const auto fault = fault_of_record_id(cells[i])) {
          return bad_record(records_.size(), *fault);
        }
        record.id = std::string(cells[i]);
        continue;
      }
      if (record.value.size() > 1) record.value += ", ";
      append_json_string(record.value, names_[i]);
      record.value += ": ";
      append_json_cell(record.value, cells[i]);
    }
    record.value += "}";
    records_.push_back(std::move(record));
    return {};
  }

  const BatchOptions& options_;
  std::vector<BatchRecord>& records_;
  std::vector<std::string> names_;
  CsvRecordSplitter splitter_;
};

}  // namespace

std::optional<std::string> fault_of_record_id(std::string_view id) {
  if (id.empty() || id.size() > kRecordIdBytesMax) {
    return "an id has 1 to " + std::to_string(kRecordIdBytesMax) + " bytes";
  }
  for (const char c : id) {
    if (static_cast<unsigned char>(c) < 0x20 || c == 0x7f) {
      return "an id has no control characters";
    }
  }
  return std::nullopt;
}

Result<std::vector<BatchRecord>> read_message_batch(std::string_view body, BatchKind kind,
                                                    const BatchOptions& options) {
  std::vector<BatchRecord> records;
  switch (kind) {
    case BatchKind::kJson: WEIR_TRY(JsonBatch(body, options, records).read_document()); break;
    case BatchKind::kJsonLines: WEIR_TRY(read_json_lines(body, options, records)); break;
    case BatchKind::kCsv: WEIR_TRY(CsvBatch(options, records).read(body)); break;
  }
  if (records.empty()) return fail(Code::kBadData, "there is no record in the body");
  return records;
}

}  // namespace weir::format
