// Sorting a few hundred numbers, as a training does for each column of each chunk.
//
// Threads: pure functions. Errors: none; NaN is not to be among them.
#pragma once

#include <span>

namespace weir::model {

// Ascending; -0 before 0. Not for many: takes as much memory again.
void sort_numbers(std::span<double> numbers);

}  // namespace weir::model
