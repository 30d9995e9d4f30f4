// The true values of the rows that were held out of a training, by row number, as test.csv beside
// a model has them: what predictions of rows that the built-in producer sends (key "VERSION:ROW")
// are held against.
//
// Threads: a pure function. Errors: kCorrupt for bytes that are no such file.
#pragma once

#include <map>
#include <string>
#include <string_view>

#include "base/error.h"

namespace weir::serve {

// As text, the cell as it stands in the file.
Result<std::map<std::string, std::string>> held_out_values(const std::string& test_csv,
                                                           std::string_view target);

}  // namespace weir::serve
