// A model as an ONNX file, for ONNX Runtime 1.10 and newer; with trees in binary64, for 1.12.
//
// A model of numbers has one input, "features": a table of doubles, columns in the order of the
// schema (their names are in the metadata "weir.features", as JSON). A prepared model has one of a
// column for each feature, by its name: onnx_preparation.h; what they are is in "weir.inputs".
//
// Output "prediction": one number a row. A linear model is a MatMul and an Add in doubles. Trees in
// binary32 are one ensemble for each tree and a sum in the trees' order, so that the runtime rounds
// as BoostedModel does: equal bits, as floats. Trees in binary64 are one ensemble of doubles, whose
// output the operator rounds to a float. Where a feature of a prepared model is refused (missing
// and may not be, not above 0 and has to be, not finite), the prediction is NaN.
//
// Threads: pure functions. Errors: kUnsupported for a kind of model that ONNX is not written of,
// and for a prepared model with a feature called "prediction"; kExhausted where the file would be
// larger than ONNX Runtime takes.
#pragma once

#include <string>
#include <utility>
#include <vector>

#include "base/error.h"
#include "model/model.h"

namespace weir::model {

// `metadata`: more of it, by key.
Result<std::string> to_onnx(const Model& model, const std::string& program_version,
                            const std::vector<std::pair<std::string, std::string>>& metadata);

}  // namespace weir::model
