// What a linear fit found out, for people: lines of at most 80 columns.
#pragma once

#include <string>

#include "model/fit_report.h"

namespace weir::cli {

// "penalty 0.01, the best of 38 tried; worth 11.7 of 13 coefficients"; empty without a penalty.
std::string ridge_text(const model::FitReport& fit);

// How well the rows are met, then a line for each term.
std::string fit_page(const model::FitReport& fit);

}  // namespace weir::cli
