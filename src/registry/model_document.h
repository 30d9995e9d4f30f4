// A model that was trained elsewhere, on its way through the drop folder: the document that `weir
// models import` uploads, and that a trainer takes up in the place of a data set.
//
// It is a model file (model/model_file.h), byte for byte, and may go on behind it: with one line of
// JSON that says where the model came from, and then with rows to measure it on, as CSV in the form
// of a version's test.csv (see ModelRegistry::test_csv). A model file alone, such as that of a
// version of another pipeline, is such a document too.
//
// Threads: pure functions. Errors: kCorrupt (not such a document, cut short, rows that do not fit
// the model), and parse_model's. Limits: those of a model file, kOriginBytesMax, kRowsBytesMax.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <nlohmann/json_fwd.hpp>
#include <string>
#include <string_view>
#include <vector>

#include "base/error.h"
#include "model/model.h"
#include "record/inputs.h"
#include "record/row_block.h"

namespace weir::registry {

inline constexpr std::size_t kOriginBytesMax = 64 * 1024;
inline constexpr std::size_t kRowsBytesMax = 256 * 1024 * 1024;
inline constexpr std::size_t kRowsMax = 1'000'000;
inline constexpr std::size_t kRowNumbersMax = std::size_t{1} << 24;  // rows times columns
inline constexpr std::size_t kModelDocumentBytesMax =
    model::kModelBytesMax + kOriginBytesMax + kRowsBytesMax;

// Where an imported model came from, as far as the document says.
struct ModelOrigin {
  std::string file;    // the name of what was imported; empty where a model file was dropped
  std::string sha256;  // of its bytes
  std::string tool;    // that wrote it: "XGBoost 2.1.4"
  std::vector<std::string> notes;
  std::uint64_t model_bytes = 0;  // of the document, from its beginning on, are the model file

  bool operator==(const ModelOrigin&) const = default;
};

nlohmann::ordered_json origin_to_json(const ModelOrigin& origin);
// Throws nlohmann's exceptions for what is not whole.
ModelOrigin origin_from_json(const nlohmann::json& json);

// True where bytes begin as a model file does, by the first kModelDocumentHead of them.
inline constexpr std::size_t kModelDocumentHead = 64;
bool begins_as_model_document(std::string_view bytes);

struct ModelDocument {
  std::string model_json;
  std::shared_ptr<const model::Model> model;
  ModelOrigin origin;
  std::string rows_csv;   // empty where there are none
  record::RowBlock rows;  // the same, in the order of the model's features, the target last
};

Result<ModelDocument> parse_model_document(std::string_view bytes);

// The inverse: `rows_csv` may be empty; origin.model_bytes is of no matter.
std::string write_model_document(std::string_view model_json, const ModelOrigin& origin,
                                 std::string_view rows_csv);

// The header of test.csv for a model's columns, and its rows: a version's held-out sample.
std::string test_csv_of(const record::Schema& schema, const record::Inputs& inputs,
                        const record::RowBlock& rows);

}  // namespace weir::registry
