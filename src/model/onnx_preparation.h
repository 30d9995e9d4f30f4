// A preparation as nodes of an ONNX graph: features in, the terms of the model within out.
//
// Inputs: one for each feature, by its name, of one column. A number is a double, a date-time a
// double of seconds since 1970-01-01T00:00:00Z, a category a text as it stands among the known
// ones (no blanks around it). What is missing is NaN, or the empty text; the missing words count,
// too: among numbers where a word is the shortest decimal of one ("-999").
//
// Terms are made by the arithmetic of preparation.h, in doubles, to the same bits but for Log,
// which is the runtime's own.
//
// Threads: pure functions.
#pragma once

#include <string>

#include "model/onnx_writer.h"
#include "model/preparation.h"

namespace weir::model {

struct OnnxTerms {
  std::string terms;    // the name of the table of terms, doubles
  std::string refused;  // of a column: 0, or NaN in a row that `weir` refuses
};

OnnxTerms write_preparation(const Preparation& preparation, OnnxWriter& graph);

// What the inputs are, for the metadata: a JSON array of objects.
std::string onnx_inputs_json(const Preparation& preparation);

}  // namespace weir::model
