// The attributes of a TreeEnsembleRegressor → trees of our own.
//
// Threads: pure functions. Errors: as read_foreign_model.
#pragma once

#include <vector>

#include "base/error.h"
#include "model/foreign_model.h"
#include "model/onnx_column.h"
#include "model/onnx_graph.h"

namespace weir::model {

// kUnsupported where a node does more than ONNX's standard says of this type.
Result<ForeignTrees> trees_of_onnx(const OnnxNode& node, const std::vector<OnnxColumn>& columns);

// "NONE", one target: what regressors of ONNX have in common.
Status check_regressor(const OnnxNode& node, const char* targets);

}  // namespace weir::model
