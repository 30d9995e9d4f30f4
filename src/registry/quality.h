// What a new model must be worth before it is put in force, and what came of that.
//
// Threads: plain values and pure functions. Errors: quality_from_json throws nlohmann's exceptions
// for what is not whole. Units: R² without one, RMSE in those of the target, a margin in percent.
#pragma once

#include <cstdint>
#include <nlohmann/json_fwd.hpp>
#include <optional>
#include <string>

namespace weir::registry {

// Absent: nothing is asked.
struct QualityBounds {
  std::optional<double> r2;                   // at least, on the held-out rows
  std::optional<double> worse_than_live_max;  // %: by how much the RMSE may exceed the live model's

  bool any() const { return r2 || worse_than_live_max; }
  bool operator==(const QualityBounds&) const = default;
};

// Absent where the rows do not define it.
struct QualityFigures {
  std::optional<double> rmse;
  std::optional<double> r2;

  bool operator==(const QualityFigures&) const = default;
};

// A model that met its bounds. Both models' figures are over the same `rows` held-out rows.
struct QualityVerdict {
  QualityBounds required;
  std::uint64_t rows = 0;
  QualityFigures candidate;
  std::uint64_t live_version = 0;  // the model in force meanwhile; 0: none was
  std::optional<QualityFigures> live;
  std::string not_compared;  // why there are no figures of the live model; empty where there are

  bool operator==(const QualityVerdict&) const = default;
};

nlohmann::ordered_json quality_to_json(const QualityVerdict& verdict);
QualityVerdict quality_from_json(const nlohmann::json& json);

// For people: "R² 0.71 (at least 0.6 required), RMSE 4.4, that of model 3 4.6 (at most 5 % worse
// allowed), on 127 held-out rows".
std::string quality_text(const QualityVerdict& verdict);

}  // namespace weir::registry
