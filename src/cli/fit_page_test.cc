#include "cli/fit_page.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <sstream>

namespace weir::cli {
namespace {

model::FitReport example() {
  model::FitReport fit;
  fit.rows = 387;
  fit.degrees_of_freedom = 384;
  fit.residual_standard_deviation = 4.7452981;
  fit.r_squared = 0.74064;
  fit.intercept = {"", 35.8312345, false, 5.10345, 7.021};
  fit.features = {{"crim", -0.1080113, false, 0.0328649, -3.2865},
                  {std::string(60, 'n'), 1.5e-300, false, 1.5e-301, 10.0},
                  {"flat\nline", 0, true, std::nullopt, std::nullopt}};
  return fit;
}

TEST(FitPage, shows_each_term_with_its_error_in_80_columns) {
  const std::string page = fit_page(example());
  EXPECT_EQ(page.substr(0, page.find("  (intercept)")),
            "  fit         R² 0.7406, residual standard deviation 4.745\n"
            "              387 rows, 384 degrees of freedom\n"
            "\n"
            "  TERM                                COEFFICIENT  STANDARD ERROR    T VALUE\n");
  EXPECT_THAT(page, testing::HasSubstr("  crim                                  -0.108011"
                                       "         0.03286      -3.29\n"));
  EXPECT_THAT(page, testing::HasSubstr("  " + std::string(60, 'n') + "\n"));
  EXPECT_THAT(page, testing::HasSubstr("left out          -\n"));
  std::istringstream lines(page);
  for (std::string line; std::getline(lines, line);) EXPECT_LE(line.size(), 80U) << line;
}

TEST(FitPage, tells_the_penalty_and_how_it_was_found) {
  model::FitReport fit = example();
  EXPECT_EQ(ridge_text(fit), "");
  fit.ridge = model::RidgeReport{false, 0.5, 1.25, {}};
  EXPECT_EQ(ridge_text(fit), "penalty 0.5; worth 1.25 of 3 coefficients");
  fit.ridge = model::RidgeReport{true, 0.0032, 1.75, {{0, 4.9}, {0.0032, 4.8}}};
  EXPECT_THAT(fit_page(fit),
              testing::HasSubstr("  ridge       penalty 0.0032, the best of 2 tried; worth 1.75 of "
                                 "3 coefficients\n"));
}

}  // namespace
}  // namespace weir::cli
