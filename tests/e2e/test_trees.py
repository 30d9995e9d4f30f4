"""Boosted trees as models: chosen, in force, replayed, rolled back and audited."""

import json

import pytest
from support.promises import check_promises
from support.regression import metrics, split
from support.tables import BOSTON, plane, read_table


def held_out_of(data):
    return split(read_table(data)[1], seed=1, fraction=0.25)[1]


def figures(model, rows):
    return metrics([row[-1] for row in rows], [model.predict(row[:-1]) for row in rows])


def check_contributions(pipeline, version, names, rows, tolerance):
    """They sum to the predictions; of a line they are its terms."""
    model = pipeline.model(version)
    done = pipeline.run("predict", "-", "--contributions", "--model", version, "-o", "json", stdin=BOSTON)
    assert done.returncode == 0, done.stderr
    lines = [json.loads(line) for line in done.stdout.splitlines()]
    assert len(lines) == len(rows)
    for line, row in zip(lines, rows):
        assert list(line["contributions"]) == names
        terms = list(line["contributions"].values())
        assert sum(terms) + line["base"] == pytest.approx(line["prediction"], rel=tolerance)
        if not model.trees:
            assert terms == [c * value for c, value in zip(model.coefficients, row)]
    done = pipeline.run("predict", "-", "--contributions", "--model", version, stdin=BOSTON + b"x\n")
    assert done.returncode == 1
    table = done.stdout.decode().splitlines()
    head = table[0].split(",")
    assert head[-len(names) - 2:] == ["prediction", "base", *(f"contribution_{name}" for name in names)]
    cells = [float(cell) for cell in table[1].split(",")]
    assert cells[-len(names) - 1:] == [lines[0]["base"], *lines[0]["contributions"].values()]
    assert table[-1] == "x," + "," * (len(names) + 1)  # a row that cannot be scored has none


def test_auto_keeps_trees_for_boston_and_they_score_the_stream(make_pipeline):
    pipeline = make_pipeline(target="medv")
    pipeline.set("model.algorithm", "auto")
    run = pipeline.start("run", "--rate", "100")
    pipeline.drop("boston.csv", BOSTON)
    assert pipeline.wait_for_resume(1)["outcome"] == "trained"
    pipeline.wait_for_predictions(100)
    assert run.stop()[0] == 0
    check_promises(pipeline, all_scored=False)
    pipeline.ok("audit")

    model = pipeline.model(1)
    assert model.manifest["algorithm"] == "boosted"
    linear, boosted = model.manifest["training"]["candidates"]
    assert (linear["algorithm"], boosted["algorithm"]) == ("linear", "boosted")
    assert boosted["held_out"]["rmse"] < 0.8 * linear["held_out"]["rmse"]
    rows = held_out_of(BOSTON)
    found = model.manifest["held_out"]
    assert (found["rmse"], found["mae"], found["r2"]) == pytest.approx(figures(model, rows))
    assert boosted["held_out"]["rows"] == len(rows)
    compared = f"linear {linear['held_out']['rmse']:.4g}, boosted {boosted['held_out']['rmse']:.4g}"
    assert f"the better of {compared} (RMSE)" in run.stdout
    # What a linear model finds in the same rows is what auto says of it.
    pipeline.set("model.algorithm", "linear")
    pipeline.train_once("boston.csv", BOSTON)
    plain = pipeline.model(2).manifest
    assert plain["algorithm"] == "linear"
    assert plain["held_out"]["rmse"] == pytest.approx(linear["held_out"]["rmse"])


def test_auto_keeps_a_linear_model_where_it_does_better(pipeline):
    pipeline.set("model.algorithm", "auto")
    pipeline.drop("plane.csv", plane(1))
    told = pipeline.run("train", "--once", seconds=90).stderr.decode()
    model = pipeline.model(1)
    assert model.manifest["algorithm"] == "linear"
    linear, boosted = (c["held_out"]["rmse"] for c in model.manifest["training"]["candidates"])
    assert linear < boosted
    assert "algorithm=linear" in told
    assert f'kept=linear  compared="linear {linear:.4g}, boosted {boosted:.4g} (RMSE)"' in told


def test_linear_models_and_trees_follow_each_other_and_are_rolled_back(make_pipeline):
    pipeline = make_pipeline(target="medv")
    pipeline.train_once("boston.csv", BOSTON)
    # The same bytes, but another kind of model: not a data set that is there already.
    pipeline.set("model.algorithm", "boosted")
    pipeline.set("model.boosted", {"trees": 60, "depth": 3, "learning_rate": 0.2})
    run = pipeline.start("run", "--rate", "50")
    pipeline.wait_for_predictions(20, epoch=1)
    pipeline.drop("boston.csv", BOSTON)
    pipeline.wait_for_predictions(20, epoch=2)
    for epoch, version in ((3, 1), (4, 2)):
        pipeline.ok("models", "rollback", version)
        assert pipeline.wait_for_resume(epoch)["version"] == version
        pipeline.wait_for_predictions(20, epoch=epoch)
    # And now it is there.
    pipeline.drop("boston.csv", BOSTON)
    pipeline.wait_until(lambda: pipeline.dropped() == [], "the duplicate is set aside")
    assert run.stop()[0] == 0
    evidence = check_promises(pipeline, all_scored=False)
    assert pipeline.versions() == [1, 2]
    answers = [json.loads(record.value) for record in evidence.predictions]
    assert {(answer["epoch"], answer["model"]) for answer in answers} == {
        (1, 1), (2, 2), (3, 1), (4, 2)
    }
    pipeline.ok("audit")

    model = pipeline.model(2)
    assert len(model.trees.trees) == 60
    shown = json.loads(pipeline.ok("models", "show", "2", "-o", "json"))
    assert shown["model"] == pipeline.hdfs.read_json(f"{pipeline.model_path(2)}/model.json")
    assert shown["training"]["boosted"] == {
        "trees": 60, "depth": 3, "learning_rate": 0.2, "rows_max": 100000
    }
    assert "60 trees" in pipeline.ok("models", "show", "2")

    names, rows = read_table(BOSTON)
    done = pipeline.run("predict", "-", "-o", "json", stdin=BOSTON)
    assert done.returncode == 0
    lines = [json.loads(line) for line in done.stdout.splitlines()]
    assert [line["prediction"] for line in lines] == [model.predict(row[:-1]) for row in rows]

    check_contributions(pipeline, 2, names[:-1], rows, tolerance=1e-5)
    check_contributions(pipeline, 1, names[:-1], rows, tolerance=1e-9)

    # History, scored again by trees: what a linear model answered the first time, too.
    to = f"{pipeline.name}.again"
    told = pipeline.ok("score", "--from", "earliest", "--model", "2", "--to", to, "-o", "json")
    assert json.loads(told)["scored"] == len(evidence.features)
