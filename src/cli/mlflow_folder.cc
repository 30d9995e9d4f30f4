#include "cli/mlflow_folder.h"

#include <nlohmann/json.hpp>

#include "cli/version.h"

namespace weir::cli {
namespace {

using Json = nlohmann::ordered_json;

constexpr const char* kCode =
    R"python("""Evaluates a model.json of Weirkeeper, bit for bit as it does itself. Needs numpy alone."""
import json

import numpy


def _matrix(table, names):
    """The columns of these names, in this order, as doubles."""
    if hasattr(table, "columns") or isinstance(table, dict):
        missing = [name for name in names if name not in table]
        if missing:
            raise ValueError(f"the model takes columns that are not there: {missing}")
        return numpy.column_stack([numpy.asarray(table[name], dtype=numpy.float64) for name in names])
    rows = numpy.atleast_2d(numpy.asarray(table, dtype=numpy.float64))
    if rows.shape[1] != len(names):
        raise ValueError(f"the model takes {len(names)} columns: {names}")
    return rows


def _leaves(tree, rows):
    """The value of the leaf that each row comes to."""
    feature = numpy.array(tree["feature"])
    value = numpy.array(tree["value"], dtype=numpy.float64).astype(rows.dtype)
    inner = feature >= 0
    left_child = numpy.where(inner, 2 * numpy.cumsum(inner) - 1, 0)
    missing_left = numpy.zeros(len(feature), dtype=bool)
    missing_left[inner] = numpy.array(tree["missing_left"], dtype=bool)
    at = numpy.zeros(len(rows), dtype=int)
    while True:
        going = numpy.flatnonzero(inner[at])
        if not len(going):
            return value[at]
        node = at[going]
        x = rows[going, feature[node]]
        left = numpy.where(numpy.isnan(x), missing_left[node], x < value[node])
        at[going] = left_child[node] + numpy.where(left, 0, 1)


class WeirModel:
    def __init__(self, path):
        with open(path, encoding="utf-8") as file:
            self._model = json.load(file)
        if self._model["format"] != "weirkeeper-model" or self._model["format_version"] != 1:
            raise ValueError(f"{path} is no model that this code knows")
        if self._model["algorithm"] not in ("linear", "boosted"):
            raise ValueError(f"this code knows no models of the kind {self._model['algorithm']}")

    def predict(self, table, params=None):
        model = self._model
        rows = _matrix(table, model["features"])
        if model["algorithm"] == "linear":
            p = numpy.full(len(rows), model["intercept"], dtype=numpy.float64)
            for column, coefficient in enumerate(model["coefficients"]):
                p = p + coefficient * rows[:, column]
            return p
        number = {"binary32": numpy.float32, "binary64": numpy.float64}[model.get("arithmetic", "binary32")]
        with numpy.errstate(over="ignore"):
            rows = rows.astype(number)
        p = numpy.full(len(rows), model["base"], dtype=number)
        for tree in model["trees"]:
            p = p + _leaves(tree, rows)
        return p.astype(numpy.float64)


def _load_pyfunc(path):
    return WeirModel(path)
)python";

// In single quotes of YAML.
std::string in_quotes(const std::string& text) {
  std::string quoted = "'";
  for (const char c : text) {
    quoted += c;
    if (c == '\'') quoted += c;
  }
  return quoted + "'";
}

std::string ml_model(const registry::LoadedModel& loaded) {
  const registry::Manifest& manifest = loaded.manifest;
  Json inputs = Json::array();
  for (const std::string& name : manifest.schema.features) {
    inputs.push_back({{"type", "double"}, {"name", name}, {"required", true}});
  }
  const Json outputs = {{{"type", "double"}, {"required", true}}};
  return "flavors:\n"
         "  python_function:\n"
         "    code: code\n"
         "    data: data/model.json\n"
         "    env:\n"
         "      virtualenv: python_env.yaml\n"
         "    loader_module: weir_pyfunc\n"
         "metadata:\n"
         "  weirkeeper_version: " +
         in_quotes(kProgramVersion) + "\n  model_version: " + std::to_string(manifest.version) +
         "\n  model_sha256: " + in_quotes(manifest.model_sha256) +
         "\n  target: " + in_quotes(Json(manifest.schema.target).dump()) +
         "\nmlflow_version: 2.9.2\nmodel_uuid: " + in_quotes(manifest.model_sha256.substr(0, 32)) +
         "\nsignature:\n  inputs: " + in_quotes(inputs.dump()) +
         "\n  outputs: " + in_quotes(outputs.dump()) +
         "\nutc_time_created: " + in_quotes(manifest.trained_at) + "\n";
}

}  // namespace

std::vector<std::pair<std::string, std::string>> mlflow_files(const registry::LoadedModel& loaded) {
  return {{"MLmodel", ml_model(loaded)},
          {"code/weir_pyfunc.py", kCode},
          {"data/model.json", loaded.model->to_json()},
          {"data/manifest.json", loaded.manifest.to_json()},
          {"python_env.yaml", "dependencies:\n- -r requirements.txt\n"},
          {"requirements.txt", "mlflow\nnumpy\npandas\n"}};
}

}  // namespace weir::cli
