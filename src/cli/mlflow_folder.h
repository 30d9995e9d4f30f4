// What MLflow's pyfunc flavour wants of a model: a handful of files, by their paths.
//
// Predictions are made by a page of Python over numpy that comes along, from the very model.json of
// the version: bit for bit those of the program. Threads: pure functions. Errors: none.
#pragma once

#include <string>
#include <utility>
#include <vector>

#include "registry/model_registry.h"

namespace weir::cli {

std::vector<std::pair<std::string, std::string>> mlflow_files(const registry::LoadedModel& loaded);

}  // namespace weir::cli
