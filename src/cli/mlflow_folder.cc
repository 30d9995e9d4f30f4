#include "cli/mlflow_folder.h"

#include <nlohmann/json.hpp>

#include "cli/version.h"

namespace weir::cli {
namespace {

using Json = nlohmann::ordered_json;

constexpr const char* kCode =
    R"python("""Evaluates a model.json of Weirkeeper, bit for bit as it does itself. Needs numpy alone."""
import datetime
import decimal
import json
import re

import numpy

_DATE_TIME = re.compile(
    r"(\d{4})-(\d\d)-(\d\d)(?:[Tt ](\d\d):(\d\d)(?::(\d\d)(?:\.(\d{1,9}))?)?([Zz]|[+-]\d\d:?\d\d)?)?"
)


def _seconds(text):
    found = _DATE_TIME.fullmatch(text)
    if not found:
        raise ValueError(f"{text!r} is no date-time")
    year, month, day, hour, minute, second, fraction, zone = found.groups()
    moment = datetime.datetime(int(year), int(month), int(day), int(hour or 0), int(minute or 0))
    seconds = round((moment - datetime.datetime(1970, 1, 1)).total_seconds()) + int(second or 0)
    if zone and zone not in "Zz":
        offset = int(zone[1:3]) * 3600 + int(zone[-2:]) * 60
        seconds -= offset if zone[0] == "+" else -offset
    return seconds + int((fraction or "0").ljust(9, "0")) / 1e9


def _number(value, name, own, missing_words):
    """What stands for a value of a column; NaN where it is missing."""
    if isinstance(value, (bool, numpy.bool_)):
        text = "true" if value else "false"
    elif value is None or value != value:
        text = ""
    else:
        text = str(value).strip(" \t")
    if text == "" or text in missing_words:
        if "fill" not in own:
            raise ValueError(f"a value of column {name!r} is missing")
        return numpy.nan
    if own["kind"] == "category":
        known = own["categories"]
        return float(known.index(text) if text in known else len(known))
    number = _seconds(text) if own["kind"] == "date-time" else float(value)
    if own.get("positive") and not number > 0:
        raise ValueError(f"a value of column {name!r} is not above 0, and its logarithm is taken")
    return number


def _inputs(table, model):
    """A row of numbers for each row of the table, whose columns go by name."""
    columns = []
    for name, own in zip(model["features"], model["inputs"]):
        if name in table:
            columns.append([_number(v, name, own, model["missing_words"]) for v in table[name]])
        elif "fill" in own:
            columns.append(None)
        else:
            raise ValueError(f"the model takes a column that is not there: {name!r}")
    count = max((len(column) for column in columns if column is not None), default=0)
    return numpy.column_stack(
        [numpy.full(count, numpy.nan) if column is None else column for column in columns]
    ).astype(numpy.float64)


def _factor(rows, inputs, kind, place, category=0):
    x = rows[:, place]
    missing = numpy.isnan(x)
    if kind == "missing":
        return missing.astype(numpy.float64)
    if kind == "category":
        return (x == category).astype(numpy.float64)
    if kind == "beyond":
        return (x >= category).astype(numpy.float64)
    x = numpy.where(missing, inputs[place].get("fill", 0), x)
    if kind == "value":
        return x
    with decimal.localcontext(decimal.Context(prec=50)):
        return numpy.array([float(decimal.Decimal(float(v)).ln()) for v in x])


def _terms(rows, model):
    columns = []
    for term in model["terms"]:
        t = numpy.ones(len(rows))
        for factor in term["factors"]:
            t = t * _factor(rows, model["inputs"], *factor)
        columns.append((t - term.get("shift", 0)) / term.get("scale", 1))
    return numpy.column_stack(columns)


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
        within = self._model.get("model", self._model)
        if within["algorithm"] not in ("linear", "boosted"):
            raise ValueError(f"this code knows no models of the kind {within['algorithm']}")

    def predict(self, table, params=None):
        model = self._model
        if model["algorithm"] == "prepared":
            rows = _terms(_inputs(table, model), model)
            model = model["model"]
        else:
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
  const auto& columns = loaded.model->inputs().columns;
  for (std::size_t i = 0; i < manifest.schema.features.size(); ++i) {
    const bool number = columns.empty() || columns[i].kind == record::InputKind::kNumber;
    const bool required = columns.empty() || !columns[i].may_be_missing;
    inputs.push_back({{"type", number ? "double" : "string"},
                      {"name", manifest.schema.features[i]},
                      {"required", required}});
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
         "\n  target: " + in_quotes(Json(manifest.schema.target).dump(-1, ' ', true)) +
         "\nmlflow_version: 2.9.2\nmodel_uuid: " + in_quotes(manifest.model_sha256.substr(0, 32)) +
         "\nsignature:\n  inputs: " + in_quotes(inputs.dump(-1, ' ', true)) +
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
