"""A model that is not worth its place: refused with the figures, while the one before rules on."""

import random

from support.promises import check_promises
from support.regression import metrics, split
from support.tables import plane, read_table, write_table


def noise(seed, rows=400):
    """The columns of plane(), and a target that has nothing to do with them."""
    generator = random.Random(seed)
    table = [[generator.uniform(-10, 10) for _ in range(4)] for _ in range(rows)]
    return write_table(["x1", "x2", "x3", "y"], table)


def test_a_model_below_its_bounds_is_refused_with_the_figures_and_the_one_before_rules_on(pipeline):
    pipeline.set("model.require.r2", 0.6)
    pipeline.set("model.require.worse_than_live_max", "5 %")
    run = pipeline.start("run", "--rate", "100")
    pipeline.drop("good.csv", plane(1))
    assert pipeline.wait_for_resume(1)["outcome"] == "trained"
    pipeline.drop("noise.csv", noise(2))
    resume = pipeline.wait_for_resume(2)
    assert (resume["outcome"], resume["version"]) == ("refused", 1)
    # Another plane, which a model learns well: but of these rows the one in force is not asked what
    # it knows of its own.
    pipeline.drop("other.csv", plane(9))
    resume = pipeline.wait_for_resume(3)
    assert (resume["outcome"], resume["version"]) == ("trained", 3)
    pipeline.wait_for_predictions(100, epoch=3)
    pipeline.wait_until(lambda: pipeline.dropped() == [], "the data sets are moved")
    assert run.stop()[0] == 0
    check_promises(pipeline, all_scored=False)
    pipeline.ok("audit")

    assert pipeline.versions() == [1, 3]
    reason = pipeline.reason("noise.2.csv")["reason"]
    assert "not good enough to be put in force (model.require.r2): R² " in reason
    assert "at least 0.6 required" in reason and "that of model 1" in reason
    first, third = (pipeline.model(version) for version in (1, 3))
    assert first.manifest["quality"]["live"] is None
    quality = third.manifest["quality"]
    assert quality["required"] == {"r2": 0.6, "worse_than_live_max_percent": 5}
    assert quality["live_version"] == 1
    held_out = split(read_table(plane(9))[1], seed=1, fraction=0.25)[1]
    assert quality["rows"] == len(held_out)
    for model, found in ((third, quality["candidate"]), (first, quality["live"])):
        rmse, _, r2 = metrics([row[-1] for row in held_out], [model.predict(row[:-1]) for row in held_out])
        assert abs(found["rmse"] / rmse - 1) < 1e-9 and abs(found["r2"] - r2) < 1e-9
    page = pipeline.ok("models", "show", 3)
    assert "quality     R² 0.9" in page and "that of model 1" in page


def test_a_model_that_is_worse_than_the_one_in_force_is_refused(pipeline):
    """Both by the rows of the new data set: half of its targets are wrong in the rows to train on."""
    pipeline.set("model.require.worse_than_live_max", 5)
    pipeline.drop("good.csv", plane(1, rows=2000))
    pipeline.ok("train", "--once", seconds=90)
    names, rows = read_table(plane(1, rows=2000))
    held_out = {tuple(row) for row in split(rows, seed=1, fraction=0.25)[1]}
    spoilt = [row if tuple(row) in held_out else [*row[:-1], row[-1] + 40] for row in rows]
    pipeline.drop("spoilt.csv", write_table(names, spoilt))
    done = pipeline.run("train", "--once", seconds=90)
    assert done.returncode == 1, done.stderr  # some were refused
    assert "model.require.worse_than_live_max" in pipeline.reason("spoilt.2.csv")["reason"]
    assert "% worse allowed" in pipeline.reason("spoilt.2.csv")["reason"]
    assert pipeline.versions() == [1]
