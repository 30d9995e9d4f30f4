// What each fuzz target of an importer asks: no document makes the reader crash, hang or take
// unbounded memory, and what it takes is a model that our own file brings back.
//
// Threads: one. Errors: aborts.
#pragma once

#include <cstdlib>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "model/foreign_model.h"

namespace weir::model {

inline void try_foreign_model(Result<ForeignModel> foreign) {
  if (!foreign) return;
  record::Schema schema;
  schema.target = "target";
  for (std::size_t i = 0; i < foreign->feature_count; ++i) {
    schema.features.push_back("feature " + std::to_string(i));
  }
  const auto model = model_from_foreign(std::move(*foreign), std::move(schema));
  if (!model) return;
  const std::string text = (*model)->to_json();
  const auto back = parse_model(text);
  if (!back || (*back)->to_json() != text) std::abort();
  const std::vector<double> row((*model)->schema().features.size(), 1.5);
  double out = 0;
  (*model)->predict(row, {&out, 1});
}

}  // namespace weir::model
