// What a model says of a block of rows, as a training measures it.
//
// Threads: pure functions. Errors: none; a prediction may be infinite or no number, as
// Model::predict() has it.
#pragma once

#include <cstddef>
#include <span>
#include <vector>

#include "model/model.h"
#include "record/row_block.h"

namespace weir::train {

// One for each row. The block's column columns[j] is the model's feature j.
std::vector<double> predict_rows(const model::Model& model, const record::RowBlock& rows,
                                 std::span<const std::size_t> columns);
// The block has the model's own schema.
std::vector<double> predict_rows(const model::Model& model, const record::RowBlock& rows);

}  // namespace weir::train
