"""Models that were trained elsewhere, put in force by way of the drop folder."""

import hashlib
import json
import random
from pathlib import Path

import pytest
from support.promises import check_promises
from support.tables import write_table

DOCUMENTS = Path(__file__).parents[2] / "src/model/testdata/foreign"
NAMES = ["crim", "zn", "nox", "rm"]


def expected(name):
    """(rows without a missing value, what the program that wrote the model predicts for them)."""
    document = json.loads((DOCUMENTS / f"{name}.expected.json").read_text())
    pairs = [pair for pair in zip(document["rows"], document["predictions"]) if None not in pair[0]]
    assert len(pairs) >= 60
    return [row for row, _ in pairs], [prediction for _, prediction in pairs]


def table(seed=1, names=NAMES, rows=300):
    """Rows whose last column is one that a linear model learns."""
    generator = random.Random(seed)
    made = [[round(generator.uniform(-2, 2), 3) for _ in names] for _ in range(rows)]
    return write_table([*names, "medv"], [[*row, 20 + sum(row) + generator.gauss(0, 0.1)] for row in made])


def import_model(pipeline, document, *options):
    told = pipeline.ok("models", "import", DOCUMENTS / document, "-o", "json", *options)
    return json.loads(told)


def answers_of(pipeline, tag, rows, names=NAMES):
    """What the stream answers for these rows, which are sent now, under keys "sent:<tag>:<number>"."""
    pipeline.send([(f"sent:{tag}:{i}", json.dumps(dict(zip(names, row)))) for i, row in enumerate(rows)])
    found = {}

    def all_there(records):
        for record in records:
            if record.key and record.key.startswith(f"sent:{tag}:".encode()):
                found[int(record.key.rsplit(b":", 1)[1])] = json.loads(record.value)
        return len(found) == len(rows)

    pipeline.wait_for("predictions", all_there, "the answers to what was sent")
    return [found[i] for i in range(len(rows))]


def test_an_imported_model_takes_over_the_stream_and_predicts_what_its_program_does(make_pipeline):
    """A model of the pipeline's own, then one of XGBoost, then one of LightGBM; and one back."""
    pipeline = make_pipeline(target="medv")
    run = pipeline.start("run", "--rate", "50")
    pipeline.drop("own.csv", table())
    pipeline.wait_for_predictions(20, epoch=1)

    told = import_model(pipeline, "xgboost-2.1.4.ubj")
    assert told["imported"]["tool"] == "XGBoost 2.1.4" and told["features"] == NAMES
    assert told["dataset"].endswith("/dataset/xgboost-2.1.4.model.json")
    assert pipeline.wait_for_resume(2)["outcome"] == "trained"
    # It brought no rows: the producer goes on with those of the model before it.
    pipeline.wait_for_predictions(20, epoch=2)
    rows, right = expected("xgboost-2.1.4")
    answers = answers_of(pipeline, "xgboost", rows)
    assert {answer["model"] for answer in answers} == {2}
    assert [answer["prediction"] for answer in answers] == right

    (pipeline.folder / "rows.csv").write_bytes(table(2))
    told = import_model(pipeline, "lightgbm-4.6.0.txt", "--evaluate-on", "rows.csv", "--as", "m")
    assert told["held_out"]["rows"] == 300
    assert pipeline.wait_for_resume(3)["outcome"] == "trained"
    pipeline.wait_for_predictions(20, epoch=3)
    rows, right = expected("lightgbm-4.6.0")
    assert [answer["prediction"] for answer in answers_of(pipeline, "lightgbm", rows)] == right

    pipeline.ok("models", "rollback", 2)
    pipeline.wait_for_predictions(20, epoch=4)
    pipeline.wait_until(lambda: pipeline.dropped() == [], "the data sets are moved")
    assert run.stop()[0] == 0
    evidence = check_promises(pipeline, all_scored=False)
    pipeline.ok("audit")
    assert pipeline.versions() == [1, 2, 3]
    assert pipeline.used() == ["m.3", "own.1.csv", "xgboost-2.1.4.model.2.json"]

    keys = {}
    for record in evidence.predictions:
        version = record.key.split(b":")[0].decode()
        keys.setdefault(json.loads(record.value)["epoch"], set()).add(version)
    assert keys[2] - {"sent"} == {"1"}
    assert keys[3] - {"sent"} <= {"1", "3"} and "3" in keys[3]

    second, third = (pipeline.model(version).manifest for version in (2, 3))
    imported = second["imported"]
    assert (imported["file"], imported["tool"]) == ("xgboost-2.1.4.ubj", "XGBoost 2.1.4")
    assert imported["sha256"] == sha256_of("xgboost-2.1.4.ubj")
    assert second["held_out"] is None and second["dataset"]["rows"] == 0
    assert third["imported"]["tool"] == "LightGBM, text of v4"
    assert third["held_out"]["rmse"] == pytest.approx(told["held_out"]["rmse"])
    page = pipeline.ok("models", "show", 2)
    assert "model 2: boosted, imported " in page
    assert "imported    xgboost-2.1.4.ubj, written by XGBoost 2.1.4, sha256 " in page
    listed = pipeline.ok("models", "list")
    assert "xgboost-2.1.4.model.json" in listed
    assert "from xgboost-2.1.4.ubj, written by XGBoost 2.1.4" in run.stdout


def sha256_of(document):
    return hashlib.sha256((DOCUMENTS / document).read_bytes()).hexdigest()


def test_a_model_that_is_broken_or_not_good_enough_is_refused_and_the_one_before_rules_on(
        make_pipeline):
    pipeline = make_pipeline(target="medv")
    pipeline.train_once("own.csv", table())
    pipeline.ok("models", "import", DOCUMENTS / "lightgbm-3.3.5.txt", "--to", "good.model.json")
    document = (pipeline.folder / "good.model.json").read_bytes()
    told = pipeline.ok("describe", "good.model.json")
    assert told.startswith("a boosted model of 'medv', from lightgbm-3.3.5.txt, written by LightGBM")
    spoilt = document.replace(b'"base": 0', b'"base": 1', 1)
    assert spoilt != document
    pipeline.drop("spoilt.model.json", spoilt)
    pipeline.drop("cut.model.json", document[: len(document) // 2])
    assert pipeline.run("train", "--once", seconds=90).returncode == 1
    assert "its sha256 does not fit" in pipeline.reason("spoilt.model.3.json")["reason"]
    assert "cut short" in pipeline.reason("cut.model.2.json")["reason"]

    pipeline.set("model.require.r2", 0.6)
    done = pipeline.run("models", "import", DOCUMENTS / "lightgbm-3.3.5.txt")
    assert done.returncode == 2 and b"--evaluate-on" in done.stderr
    # Whoever drops it all the same is refused by the trainer.
    pipeline.drop("unmeasured.model.json", document)
    (pipeline.folder / "rows.csv").write_bytes(table(2))
    import_model(pipeline, "lightgbm-3.3.5.txt", "--evaluate-on", "rows.csv", "--as", "v.model.json")
    assert pipeline.run("train", "--once", seconds=90).returncode == 1
    assert "--evaluate-on FILE.csv" in pipeline.reason("unmeasured.model.4.json")["reason"]
    reason = pipeline.reason("v.model.5.json")["reason"]
    assert "(model.require.r2): R² " in reason and "on 300 held-out rows" in reason
    assert pipeline.versions() == [1]

    # Rows that it does know: what it predicts itself.
    rows, right = expected("lightgbm-3.3.5")
    known = [[*row, value] for row, value in zip(rows, right)]
    (pipeline.folder / "known.csv").write_bytes(write_table([*NAMES, "medv"], known))
    import_model(pipeline, "lightgbm-3.3.5.txt", "--evaluate-on", "known.csv", "--as", "w.model.json")
    pipeline.ok("train", "--once", seconds=90)
    manifest = pipeline.model(6).manifest
    assert manifest["held_out"]["rmse"] == 0 and manifest["quality"]["candidate"]["r2"] == 1
    check_promises(pipeline)
    pipeline.ok("audit")


def test_features_without_names_are_named_by_the_model_in_force_or_by_whoever_imports(make_pipeline):
    pipeline = make_pipeline(target="medv")
    pipeline.train_once("own.csv", table())
    done = pipeline.run("models", "import", DOCUMENTS / "lightgbm-4.6.0.nameless.txt", "--dry-run")
    assert done.returncode == 65 and b"--features-of-live" in done.stderr
    told = import_model(pipeline, "lightgbm-4.6.0.nameless.txt", "--features-of-live", "--dry-run")
    assert told["features"] == NAMES and "dataset" not in told
    told = import_model(pipeline, "lightgbm-4.6.0.nameless.txt", "--features", 'a,"b, c",d,e', "--dry-run")
    assert told["features"] == ["a", "b, c", "d", "e"]
    done = pipeline.run("models", "import", DOCUMENTS / "lightgbm-4.6.0.txt", "--features", "a,b")
    assert done.returncode == 65 and b"4 features, and 2 are named" in done.stderr
    assert pipeline.dropped() == []


def test_a_model_of_onnx_is_imported_and_predicts_what_onnx_runtime_does(make_pipeline):
    pipeline = make_pipeline(target="medv")
    pipeline.train_once("own.csv", table())
    onnx = DOCUMENTS.parent / "onnx"
    import_model(pipeline, onnx / "scaled-boosting.onnx", "--features-of-live")
    pipeline.ok("train", "--once", seconds=90)
    model = pipeline.model(2)
    assert model.manifest["imported"]["tool"].startswith("skl2onnx ")
    document = json.loads((onnx / "scaled-boosting.expected.json").read_text())
    rows = write_table(NAMES, document["rows"])
    done = pipeline.run("predict", "-", "-o", "json", stdin=rows)
    assert done.returncode == 0, done.stderr
    found = [json.loads(line)["prediction"] for line in done.stdout.splitlines()]
    assert found == pytest.approx(document["predictions"], rel=1e-5)
    assert found == [model.predict(row) for row in document["rows"]]
    check_promises(pipeline)
    pipeline.ok("audit")


def test_a_model_of_other_features_makes_the_producer_wait_and_say_so(make_pipeline):
    pipeline = make_pipeline(target="medv")
    run = pipeline.start("run", "--rate", "50")
    pipeline.drop("own.csv", table())
    pipeline.wait_for_predictions(5, epoch=1)
    import_model(pipeline, "lightgbm-4.6.0.txt", "--features", "crim,zn,nox,new")
    pipeline.wait_for_resume(2)
    pipeline.wait_until(lambda: "lack the feature 'new'" in run.stderr, "the producer says why it waits")
    answers = answers_of(pipeline, "new", [[1, 2, 3, 4]], ["crim", "zn", "nox", "new"])
    assert answers[0]["model"] == 2
    assert run.stop()[0] == 0
    check_promises(pipeline, all_scored=False)
