"""Versions as ONNX files and MLflow folders, loaded by those who take such: ONNX Runtime and MLflow."""

import csv
import io
import json
import math
import random
import subprocess
from pathlib import Path

import pytest
from support.prepared import Spelt, seconds
from support.stack import ROOT
from support.tables import BOSTON, houses, read_table

# An environment of its own, with the real ones in it: stack/setup --for test makes it.
PYTHON = ROOT / ".weir/models-venv/bin/python"
LOADER = Path(__file__).parent / "support/load_export.py"
DOCUMENTS = ROOT / "src/model/testdata/foreign"


def predictions_of(kind, path, names, rows):
    """What ONNX Runtime ("onnx") or MLflow ("mlflow") predicts with what was exported."""
    asked = json.dumps({"kind": kind, "path": str(path), "names": names, "rows": rows})
    done = subprocess.run([PYTHON, LOADER], input=asked, capture_output=True, text=True, timeout=120)
    assert done.returncode == 0, done.stderr[-3000:]
    return json.loads(done.stdout.splitlines()[-1])


def check_exports(pipeline, version, names, rows, exact):
    """`exact`: where ONNX gives the very bits; MLflow always does."""
    model = pipeline.model(version)
    expected = [model.predict(row) for row in rows]
    onnx, mlflow = pipeline.folder / f"{version}.onnx", pipeline.folder / f"folder{version}"
    told = pipeline.ok("models", "export", version, "--format", "onnx", "--to", onnx)
    assert told.strip() == str(onnx)
    found = predictions_of("onnx", onnx, names, rows)
    assert found["names"] == names
    assert found["predictions"] == pytest.approx(expected, rel=1e-12 if exact else 1e-6)
    if exact and model.trees:
        assert found["predictions"] == expected
    pipeline.ok("models", "export", version, "--format", "mlflow", "--to", f"{mlflow}/")
    # Columns go by name: they come in another order.
    backwards = predictions_of("mlflow", mlflow, names[::-1], [row[::-1] for row in rows])
    assert backwards["predictions"] == expected
    assert backwards["names"] == names


def test_onnx_runtime_and_mlflow_load_what_is_exported_and_predict_the_same(make_pipeline):
    pipeline = make_pipeline(target="medv")
    table_names, table = read_table(BOSTON)
    names, rows = table_names[:-1], [row[:-1] for row in table]
    pipeline.train_once("boston.csv", BOSTON)
    check_exports(pipeline, 1, names, rows, exact=True)
    pipeline.set("model.algorithm", "boosted")
    pipeline.train_once("boston.csv", BOSTON)
    check_exports(pipeline, 2, names, rows, exact=True)
    pipeline.ok("models", "import", DOCUMENTS / "lightgbm-4.6.0.txt")
    pipeline.ok("train", "--once", seconds=90)
    expected = json.loads((DOCUMENTS / "lightgbm-4.6.0.expected.json").read_text())
    known = [row for row in expected["rows"] if None not in row]
    check_exports(pipeline, 3, ["crim", "zn", "nox", "rm"], known, exact=False)


def test_an_export_overwrites_nothing_and_says_what_is_wrong(make_pipeline):
    pipeline = make_pipeline(target="medv")
    pipeline.train_once("boston.csv", BOSTON)
    (pipeline.folder / "taken").write_text("mine")
    for form in ("onnx", "mlflow"):
        done = pipeline.run("models", "export", 1, "--format", form, "--to", "taken")
        assert done.returncode != 0 and b"taken is there already" in done.stderr
    assert (pipeline.folder / "taken").read_text() == "mine"
    done = pipeline.run("models", "export", 1, "--format", "onnx", "--to", "no/such/folder")
    assert done.returncode == 74 and b"no/such/folder" in done.stderr
    done = pipeline.run("models", "export", 7, "--format", "onnx", "--to", "x")
    assert done.returncode != 0 and not (pipeline.folder / "x").exists()
    assert pipeline.run("models", "export", 1, "--format", "pickle", "--to", "x").returncode == 2
    left = [path.name for path in pipeline.folder.iterdir() if ".tmp" in path.name]
    assert left == []


def test_mlflow_loads_a_model_of_categories_and_gaps(make_pipeline):
    pipeline = make_pipeline(target="price")
    pipeline.set("features.missing", "mean")
    pipeline.set("features.log", ["tax"])
    pipeline.set("features.interactions", ["zone*size"])
    pipeline.train_once("houses.csv", houses(1))
    folder = pipeline.folder / "exported"
    pipeline.ok("models", "export", 1, "--format", "mlflow", "--to", folder)
    names = ["zone", "tax", "size", "built"]
    rows = [
        ["nowhere", 2.0, 50.5, "2001-02-03"],
        ["7", 2.5, None, "2001-02-03 10:30"],
        [None, 1e-3, 70.25, "2001-02-03T10:30:01.125+01:00"],
    ]
    found = predictions_of("mlflow", folder, names, rows)
    model = pipeline.model(1)
    expected = []
    for row in rows:
        said = dict(zip(names, (Spelt(repr(v)) if isinstance(v, float) else v for v in row)))
        expected.append(model.predict([model.number(i, said[f]) for i, f in enumerate(model.features)]))
    assert [number.hex() for number in found["predictions"]] == [number.hex() for number in expected]
    # What each column has to do with a prediction sums to it.
    (pipeline.folder / "few.csv").write_bytes(houses(2, rows=20))
    told = pipeline.ok("predict", "few.csv", "--model", 1, "--contributions", "-o", "json")
    for line in map(json.loads, told.splitlines()):
        assert set(line["contributions"]) == set(model.features)
        assert sum(line["contributions"].values()) + line["base"] == pytest.approx(line["prediction"], rel=1e-9)


def csv_text(names, rows):
    out = io.StringIO(newline="")
    csv.writer(out).writerows([names, *rows])
    return out.getvalue()


def houses_to_score(seed, count):
    """Rows of `houses`, as the cells of CSV and as ONNX takes them: gaps, zones that were pooled and that nobody
    knows, taxes near 0 and far from it."""
    generator = random.Random(seed)
    zones = ["north", "o'er, \"west\"", "südlich", "7", "nowhere", "North", "", "NA"]
    cells, rows = [], []
    for number in range(count):
        size = generator.uniform(-50, 500)
        tax = 10 ** generator.uniform(*((-300, 300) if number % 50 == 0 else (-12, 3)))
        zone = generator.choice(zones)
        built = f"{generator.randint(1900, 2050)}-{generator.randint(1, 12):02}-{generator.randint(1, 28):02}"
        if number % 3 == 0:
            built += f"T{generator.randint(0, 23):02}:59:{generator.randint(0, 59):02}.125-03:30"
        gap = generator.choice(["", "NA"]) if number % 6 == 0 else None
        cells.append([repr(size) if gap is None else gap, zone, built, repr(tax)])
        rows.append([size if gap is None else math.nan, zone, seconds(built), tax])
    return cells, rows


def check_onnx_of_terms(pipeline, version, names, cells, rows):
    """The worst relative difference between ONNX Runtime and `weir predict`."""
    file = pipeline.folder / f"asked{version}.csv"
    file.write_text(csv_text(names, cells), encoding="utf-8")
    told = csv.DictReader(io.StringIO(pipeline.ok("predict", file, "--model", version)))
    expected = [float(row["prediction"]) for row in told]
    onnx = pipeline.folder / f"{version}.onnx"
    pipeline.ok("models", "export", version, "--format", "onnx", "--to", onnx)
    found = predictions_of("onnx", onnx, names, rows)
    assert found["names"] == names
    assert len(found["predictions"]) == len(expected) == len(rows)
    assert len(set(expected)) > len(rows) / 3, "the rows are too much alike to tell"
    differences = [abs(a - b) / max(abs(b), 1e-3) for a, b in zip(found["predictions"], expected)]
    print(f"model {version}: {max(differences):.3g} at worst")
    return max(differences)


def test_onnx_runtime_predicts_the_same_of_categories_gaps_dates_logarithms_and_products(make_pipeline):
    pipeline = make_pipeline(target="price")
    pipeline.set("features.missing", "mean")
    pipeline.set("features.log", ["tax"])
    pipeline.set("features.interactions", ["zone*size", "size*tax", "zone*tax"])
    pipeline.set("features.categories_max", 2)
    names = ["size", "zone", "built", "tax"]
    cells, rows = houses_to_score(7, 6000)
    pipeline.train_once("houses.csv", houses(1, rows=3000))
    assert check_onnx_of_terms(pipeline, 1, names, cells, rows) < 1e-9
    pipeline.set("features.standardise", True)
    pipeline.train_once("more.csv", houses(2, rows=3000))
    assert check_onnx_of_terms(pipeline, 2, names, cells, rows) < 1e-9
    pipeline.set("model.algorithm", "boosted")
    pipeline.train_once("trees.csv", houses(3, rows=3000))
    # Trees answer in floats, with equal bits, as no logarithm's last digit decides anything here.
    assert check_onnx_of_terms(pipeline, 3, names, cells, rows) == 0
    # What weir refuses is no number: a tax of 0 or less, a moment that is not there, what is not finite.
    moment = seconds("2001-02-03")
    refused = [
        [50.0, "north", moment, 0.0],
        [50.0, "north", moment, -1.0],
        [50.0, "north", moment, math.nan],
        [50.0, "north", math.nan, 2.0],
        [math.inf, "north", moment, 2.0],
    ]
    for version in (1, 2, 3):
        found = predictions_of("onnx", pipeline.folder / f"{version}.onnx", names, refused)
        assert all(math.isnan(number) for number in found["predictions"]), found


def test_onnx_runtime_predicts_the_same_of_logarithms_and_products_of_numbers_alone(make_pipeline):
    pipeline = make_pipeline(target="medv")
    pipeline.set("features.log", ["lstat", "dis"])
    pipeline.set("features.interactions", ["rm*lstat", "crim*dis"])
    table_names, table = read_table(BOSTON)
    names, rows = table_names[:-1], [row[:-1] for row in table]
    cells = [[repr(value) for value in row] for row in rows]
    pipeline.train_once("boston.csv", BOSTON)
    assert check_onnx_of_terms(pipeline, 1, names, cells, rows) < 1e-9
    pipeline.set("model.algorithm", "boosted")
    pipeline.train_once("boston.csv", BOSTON)
    assert check_onnx_of_terms(pipeline, 2, names, cells, rows) == 0
