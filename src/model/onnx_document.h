// ONNX files of linear models and of trees, as skl2onnx, onnxmltools and others write them.
//
// Taken are LinearRegressor, TreeEnsembleRegressor, MatMul and Gemm with one column of
// coefficients; before them Scaler, Cast, Concat, Identity, and Add, Sub, Mul, Div by constants;
// behind them Identity, Cast, Reshape, Flatten, Squeeze, and the four by one constant. All else is
// refused by name.
//
// Trees decide exactly as ONNX Runtime does: a row's value is rounded, scaled and compared there in
// binary32 (or binary64), which is a monotone function of it, so that there is one binary64 at
// which the answer changes: that one is the threshold here. Sums are made in binary64 here; the
// runtime's are in binary32 where the graph is: predictions agree to 1e-5 of the largest term of
// the sum, and to 1e-12 where the graph is in binary64.
//
// Threads: pure functions. Errors: as read_foreign_model.
#pragma once

#include <string_view>

#include "base/error.h"
#include "model/foreign_model.h"

namespace weir::model {

Result<ForeignModel> read_onnx(std::string_view document);

}  // namespace weir::model
