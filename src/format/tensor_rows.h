// From the tensors of a request to rows of features, in the schema's order.
//
// One tensor for each feature, by name, of shape [rows] or [rows, 1]; or, where each feature is a
// number, one tensor "features" of shape [rows, features].
//
// Where the inputs are more than numbers, each element becomes the number that the same value in a
// message becomes (cell_encoder.h): a text is read as a cell's text, a number as its own text.
//
// Threads: pure functions. Errors: kInvalidArgument, naming the input or the row.
#pragma once

#include <span>
#include <vector>

#include "format/cell_encoder.h"
#include "format/tensor.h"
#include "record/schema.h"

namespace weir::format {

inline constexpr std::string_view kAllFeatures = "features";

// Whether a request may have all features in one tensor: each is a number, none has its name.
bool takes_all_features(const record::Schema& schema, const CellEncoder* encoder);

// `encoder`: null where each feature is a number that must be there.
Result<std::vector<double>> rows_of_tensors(std::span<const Tensor> tensors,
                                            const record::Schema& schema,
                                            const CellEncoder* encoder);

}  // namespace weir::format
