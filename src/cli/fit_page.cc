#include "cli/fit_page.h"

#include <cinttypes>
#include <cstdarg>
#include <cstdio>
#include <optional>

#include "base/text.h"

namespace weir::cli {
namespace {

constexpr std::size_t kNameWidth = 32;

__attribute__((format(printf, 2, 3))) void append(std::string& out, const char* format, ...) {
  char line[200];
  va_list values;
  va_start(values, format);
  std::vsnprintf(line, sizeof line, format, values);
  va_end(values);
  out += line;
}

std::string number(const std::optional<double>& value, const char* format) {
  if (!value) return "-";
  char text[32];
  std::snprintf(text, sizeof text, format, *value);
  return text;
}

void append_term(std::string& out, std::string name, const model::Estimate& estimate) {
  if (name.size() > kNameWidth) {  // a line of its own, and the figures below it
    out += "  " + name + "\n";
    name.clear();
  }
  out += "  " + name + std::string(kNameWidth - name.size(), ' ');
  append(out, "  %13s  %14s  %9s\n", number(estimate.value, "%.6g").c_str(),
         estimate.dropped ? "left out" : number(estimate.standard_error, "%.4g").c_str(),
         number(estimate.t_value, "%.2f").c_str());
}

}  // namespace

std::string ridge_text(const model::FitReport& fit) {
  if (!fit.ridge) return "";
  std::string out;
  append(out, "penalty %.4g", fit.ridge->penalty);
  if (fit.ridge->automatic) append(out, ", the best of %zu tried", fit.ridge->curve.size());
  append(out, "; worth %.4g of %zu coefficients", fit.ridge->effective_parameters,
         fit.features.size());
  return out;
}

std::string fit_page(const model::FitReport& fit) {
  std::string out;
  append(out, "  fit         R² %s, residual standard deviation %s\n",
         number(fit.r_squared, "%.4f").c_str(),
         number(fit.residual_standard_deviation, "%.4g").c_str());
  append(out, "              %" PRIu64 " rows, %" PRIu64 " degrees of freedom\n", fit.rows,
         fit.degrees_of_freedom);
  if (fit.ridge) out += "  ridge       " + ridge_text(fit) + "\n";
  append(out, "\n  %-*s  %13s  %14s  %9s\n", static_cast<int>(kNameWidth), "TERM", "COEFFICIENT",
         "STANDARD ERROR", "T VALUE");
  append_term(out, "(intercept)", fit.intercept);
  for (const model::Estimate& feature : fit.features) {
    append_term(out, one_line(feature.name), feature);
  }
  return out;
}

}  // namespace weir::cli
