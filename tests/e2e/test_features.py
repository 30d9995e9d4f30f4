"""Columns that are more than numbers: categories, date-times, gaps, logarithms and products."""

import json

from support.promises import check_promises
from support.tables import houses


def test_columns_of_all_kinds_are_trained_on_scored_and_audited(make_pipeline):
    pipeline = make_pipeline(target="price")
    pipeline.set("features.missing", "median")
    pipeline.set("features.log", ["tax"])
    pipeline.set("features.interactions", ["size*tax", "zone*size"])
    run = pipeline.start("run", "--rate", "200")
    pipeline.drop("houses.csv", houses(1))
    resume = pipeline.wait_for_resume(1)
    assert resume["outcome"] == "trained", resume
    # Messages that the producer does not make: unknown zones, gaps, other spellings, and bad ones.
    good = [
        {"size": 50.5, "zone": "nowhere", "built": "2001-02-03", "tax": 2},
        {"zone": 7, "built": "2001-02-03 10:30", "tax": 2.5, "other": [1]},
        {"size": None, "zone": None, "built": "2001-02-03T10:30:01Z", "tax": 1e-3},
        {"t": {"size": {"a": 1, "b": None}, "zone": {"b": "7", "a": True}, "tax": {"a": 1, "b": 2},
               "built": {"a": "1999-01-01", "b": "1999-01-02"}}},
    ]
    bad = [
        {"size": 50.5, "zone": "north", "built": "soon", "tax": 2},
        {"size": 50.5, "zone": "north", "built": "2001-02-03", "tax": 0},
        {"size": "50.5", "zone": "north", "built": "2001-02-03", "tax": 2},
        {"size": 50.5, "zone": "north", "built": None, "tax": 2},
        {"size": 50.5, "zone": ["north"], "built": "2001-02-03", "tax": 2},
    ]
    pipeline.send([(f"own:{i}".encode(), json.dumps(m).encode()) for i, m in enumerate(good + bad)])
    pipeline.wait_for_predictions(300)
    pipeline.drop("more.csv", houses(2, gaps=False))
    assert pipeline.wait_for_resume(2)["outcome"] == "trained"
    pipeline.wait_for_predictions(100, epoch=2)
    assert run.stop()[0] == 0
    evidence = check_promises(pipeline, all_scored=False)
    reasons = sorted(
        record.header("__connect.errors.exception.class.name").removeprefix("weir.refusal.")
        for record in evidence.dead
        if record.key.startswith(b"own:")
    )
    assert reasons == ["missing_feature", "not_a_date_time", "not_a_number", "not_a_number", "not_positive"]
    answered = [r for r in evidence.predictions if r.key.startswith(b"own:")]
    assert len(answered) == len(good)

    manifest = evidence.models[1].manifest
    assert manifest["held_out"]["r2"] > 0.85
    assert evidence.models[2].manifest["held_out"]["r2"] > 0.999, "nothing was missing"
    assert [feature["type"] for feature in manifest["schema"]["features"]] == [
        "number",
        "category",
        "date-time",
        "number",
    ]
    notes = "\n".join(manifest["notes"])
    assert "column 'id' is ignored: it holds text, and nearly each row has its own" in notes
    assert "column 'size' is missing in 9.2 % of the rows, filled with " in notes
    page = pipeline.ok("models", "show", 1)
    for term in ("ln(tax)", "size is missing", "zone=7", "zone=7*size", "built"):
        assert f"  {term} " in page, page
    # A row of a file is scored as the same row of the stream is.
    with open(pipeline.folder / "few.csv", "wb") as file:
        file.write(b'size,zone,built,tax\n50.5,nowhere,2001-02-03,2\nNA,7,2001-02-03 10:30,2.5\n'
                   b",,2001-02-03T10:30:01Z,1e-3\n1,7,,1\n")
    told = pipeline.run("predict", "few.csv", "--model", "1")
    assert told.returncode == 1
    assert b"line 5: column 'built': an empty cell" in told.stderr
    found = [line.rsplit(",", 1)[1] for line in told.stdout.decode().splitlines()[1:4]]
    first = evidence.models[1]
    rows = [
        [50.5, 4.0, 981158400.0, 2.0],
        [float("nan"), 3.0, 981196200.0, 2.5],
        [float("nan"), float("nan"), 981196201.0, 1e-3],
    ]
    assert [float(number).hex() for number in found] == [first.predict(row).hex() for row in rows]


def test_trees_learn_from_categories_too(make_pipeline):
    pipeline = make_pipeline(target="price")
    pipeline.set("model.algorithm", "boosted")
    pipeline.set("features.missing", "mean")
    pipeline.train_once("houses.csv", houses(3, rows=2000))
    manifest = pipeline.model(1).manifest
    assert manifest["algorithm"] == "boosted" and manifest["held_out"]["r2"] > 0.85
    run = pipeline.start("run", "--rate", "200")
    pipeline.wait_for_predictions(200)
    assert run.stop()[0] == 0
    check_promises(pipeline, all_scored=False)


def test_text_without_a_pattern_is_refused_with_what_to_do(make_pipeline):
    pipeline = make_pipeline(target="price")
    pipeline.drop("gaps.csv", houses(4))
    pipeline.run("train", "--once", seconds=90)
    reason = pipeline.reason("gaps.1.csv")["reason"]
    assert "column 2 'size': an empty cell" in reason and "features.missing" in reason
