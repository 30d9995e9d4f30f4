#include "registry/model_document.h"

#include <nlohmann/json.hpp>
#include <optional>
#include <utility>

#include "base/text.h"
#include "format/cell_encoder.h"
#include "format/csv_chunker.h"
#include "format/csv_record.h"
#include "format/csv_write.h"
#include "model/model_file.h"

namespace weir::registry {
namespace {

using Json = nlohmann::ordered_json;

constexpr std::string_view kOriginFormat = "weirkeeper-import";
// A model file ends so, and holds it nowhere else: line ends in names are escaped, and all other
// braces stand behind spaces.
constexpr std::string_view kModelEnd = "\n}\n";

std::vector<std::string> test_csv_names(const record::Schema& schema) {
  std::vector<std::string> names{"weir_row"};
  names.insert(names.end(), schema.features.begin(), schema.features.end());
  names.push_back(schema.target);
  return names;
}

Error bad_rows(const std::string& what) {
  return Error(Code::kCorrupt, "the rows to measure the model on: " + what);
}

// Row numbers and values of one chunk, behind those that are there, row by row.
Status read_chunk(const format::CsvChunk& chunk, std::size_t columns,
                  const std::optional<format::CellEncoder>& encoder,
                  std::vector<std::uint64_t>& numbers, std::vector<double>& values) {
  format::CsvRecordSplitter splitter;
  std::string_view rest = chunk.bytes;
  while (!rest.empty()) {
    const format::CsvRecordSpan span = format::first_csv_record(rest);
    const bool broken = splitter.split(rest.substr(0, span.length)).has_value();
    if (broken || splitter.fields().size() != columns + 1) {
      return fail(bad_rows("one has not as many fields as the header"));
    }
    const auto number = parse_int64(splitter.fields()[0]);
    if (!number || *number < 0) return fail(bad_rows("one has no number"));
    numbers.push_back(static_cast<std::uint64_t>(*number));
    if (numbers.size() > kRowsMax || numbers.size() * columns > kRowNumbersMax) {
      return fail(bad_rows("there are more than " + std::to_string(kRowsMax) + ", or more than " +
                           std::to_string(kRowNumbersMax) + " numbers"));
    }
    for (std::size_t i = 1; i <= columns; ++i) {
      const std::string_view cell = splitter.fields()[i];
      double value = 0;
      const auto fault = encoder && i < columns ? encoder->encode(i - 1, cell, value)
                                                : format::read_number(cell, value);
      if (fault) return fail(bad_rows("a value is " + std::string(format::row_fault_text(*fault))));
      values.push_back(value);
    }
    rest.remove_prefix(span.next);
  }
  return {};
}

Result<record::RowBlock> rows_of_csv(std::string_view csv, const model::Model& model) {
  const record::Schema& schema = model.schema();
  std::optional<format::CellEncoder> encoder;
  if (!model.inputs().plain()) encoder.emplace(model.inputs());
  format::CsvChunker chunker;
  WEIR_TRY(chunker.feed(csv));
  WEIR_TRY(chunker.finish());
  const auto names = WEIR_TRY(format::parse_csv_header(chunker.header().value_or("")));
  if (names != test_csv_names(schema)) {
    return fail(bad_rows("the columns are not those of the model, in its order"));
  }
  record::RowBlock rows;
  rows.columns = schema.features.size() + 1;
  std::vector<double> values;
  while (const auto chunk = chunker.next()) {
    WEIR_TRY(read_chunk(*chunk, rows.columns, encoder, rows.row_numbers, values));
  }
  rows.rows = rows.row_numbers.size();
  rows.values.resize(values.size());
  for (std::size_t i = 0; i < rows.rows; ++i) {
    for (std::size_t j = 0; j < rows.columns; ++j) {
      rows.values[j * rows.rows + i] = values[i * rows.columns + j];
    }
  }
  return rows;
}

Result<ModelOrigin> origin_of_line(std::string_view line) {
  const auto json = nlohmann::json::parse(line, nullptr, false);
  try {
    if (json.at("format") == kOriginFormat) return origin_from_json(json);
  } catch (const nlohmann::json::exception&) {
  }
  return fail(Code::kCorrupt, "what follows the model does not say where it came from");
}

}  // namespace

Json origin_to_json(const ModelOrigin& origin) {
  return {{"file", origin.file},
          {"sha256", origin.sha256},
          {"tool", origin.tool},
          {"notes", origin.notes},
          {"model_bytes", origin.model_bytes}};
}

ModelOrigin origin_from_json(const nlohmann::json& json) {
  return {json.at("file"), json.at("sha256"), json.at("tool"),
          json.at("notes").get<std::vector<std::string>>(),
          json.at("model_bytes").get<std::uint64_t>()};
}

bool begins_as_model_document(std::string_view bytes) { return model::begins_as_model_file(bytes); }

Result<ModelDocument> parse_model_document(std::string_view bytes) {
  if (bytes.size() > kModelDocumentBytesMax) {
    return fail(Code::kCorrupt, "a document of " + format_bytes(bytes.size()) +
                                    " is over the limit of " +
                                    format_bytes(kModelDocumentBytesMax));
  }
  const std::size_t end = bytes.find(kModelEnd);
  if (end == std::string_view::npos) return fail(Code::kCorrupt, "the model is cut short");
  ModelDocument document;
  document.model_json = bytes.substr(0, end + kModelEnd.size());
  document.model = WEIR_TRY(model::parse_model(document.model_json));
  std::string_view rest = bytes.substr(document.model_json.size());
  if (!rest.empty()) {
    const std::size_t line = rest.find('\n');
    if (line == std::string_view::npos || line > kOriginBytesMax) {
      return fail(Code::kCorrupt, "what follows the model is no line that says where it came from");
    }
    document.origin = WEIR_TRY(origin_of_line(rest.substr(0, line)));
    rest.remove_prefix(line + 1);
  }
  document.origin.model_bytes = document.model_json.size();
  document.rows.columns = document.model->schema().features.size() + 1;
  if (!rest.empty()) {
    document.rows_csv = rest;
    document.rows = WEIR_TRY(rows_of_csv(rest, *document.model));
  }
  return document;
}

std::string write_model_document(std::string_view model_json, const ModelOrigin& origin,
                                 std::string_view rows_csv) {
  ModelOrigin whole = origin;
  whole.model_bytes = model_json.size();
  Json line = {{"format", kOriginFormat}};
  line.update(origin_to_json(whole));
  std::string text(model_json);
  text += line.dump(-1, ' ', false, Json::error_handler_t::replace) + "\n";
  text += rows_csv;
  return text;
}

std::string test_csv_of(const record::Schema& schema, const record::Inputs& inputs,
                        const record::RowBlock& rows) {
  std::optional<format::CellEncoder> encoder;
  if (!inputs.plain()) encoder.emplace(inputs);
  std::string out;
  format::append_csv_record(out, test_csv_names(schema));
  for (std::size_t i = 0; i < rows.rows; ++i) {
    out += std::to_string(rows.row_numbers[i]);
    for (std::size_t j = 0; j < rows.columns; ++j) {
      out += ',';
      if (encoder && j + 1 < rows.columns) {
        format::append_csv_field(out, encoder->decode(j, rows.value(i, j)));
      } else {
        format::append_csv_number(out, rows.value(i, j));
      }
    }
    out += '\n';
  }
  return out;
}

}  // namespace weir::registry
