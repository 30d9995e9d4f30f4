// What a model says of a block of rows, as a training measures it.
//
// Threads: pure functions. Errors: none; a prediction may be infinite or no number, as
// Model::predict() has it.
#pragma once

#include <cstddef>
#include <span>
#include <string>
#include <tl/expected.hpp>
#include <vector>

#include "model/model.h"
#include "record/inputs.h"
#include "record/row_block.h"

namespace weir::train {

// One for each row. The block has the model's own schema and inputs.
std::vector<double> predict_rows(const model::Model& model, const record::RowBlock& rows);

// The same for a block of other columns, of which columns[j] is the model's feature j; their
// categories need not be in the same order. Unexpected: why the model cannot take them, for people.
tl::expected<std::vector<double>, std::string> predict_foreign_rows(
    const model::Model& model, const record::RowBlock& rows, const record::Inputs& inputs,
    std::span<const std::size_t> columns);

}  // namespace weir::train
