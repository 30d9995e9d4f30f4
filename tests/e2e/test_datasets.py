"""What becomes of a data set: trained on, refused with its reason, or not looked at (yet)."""

import json

import pytest

from support.promises import check_promises
from support.regression import (
    correct_digits,
    is_held_out,
    least_squares,
    metrics,
    predict,
    ridge,
    split,
)
from support.tables import BOSTON, ROOT, SHARED, plane, read_table, write_table

# ---- refused ----


def test_a_bad_row_sends_the_data_set_to_rejected_with_its_reason_and_the_old_model_goes_on(
    pipeline,
):
    run = pipeline.start("run")
    pipeline.drop("good.csv", plane(1))
    pipeline.wait_for_predictions(10, epoch=1)
    lines = plane(2).decode().splitlines()
    cells = lines[6].split(",")
    lines[6] = ",".join([*cells[:2], "abc", *cells[3:]])
    pipeline.drop("bad.csv", "\n".join(lines).encode())

    resume = pipeline.wait_for_resume(2)
    assert (resume["outcome"], resume["version"]) == ("refused", 1)
    pipeline.wait_for_predictions(10, epoch=2)
    assert run.stop()[0] == 0

    assert pipeline.rejected() == ["bad.2.csv", "bad.2.csv.reason.json"]
    reason = pipeline.reason("bad.2.csv")
    assert reason["file"] == f"{pipeline.dataset_path}/bad.csv"
    assert reason["epoch"] == 2
    assert "line 7, column 3 'x3': not a number: 'abc'" in reason["reason"]
    assert pipeline.versions() == [1]
    assert "data sets refused 1" in run.stdout
    evidence = check_promises(pipeline, all_scored=False)
    assert {json.loads(r.value)["model"] for r in evidence.predictions} == {1}


BINARY = bytes(range(256)) * 64
REFUSED = {
    "binary.csv": (BINARY, ""),
    "duplicated-column.csv": (b"x1,x1,y\n1,2,3\n4,5,7\n", "x1"),
    "garbage.csv": (b"\xff\xfe not a table at all \x00 \x01\x02\n\n\n;;;;", ""),
    "header-only.csv": (b"x1,x2,y\n", "row"),
    "infinite.csv": (b"x1,y\n1,2\ninf,4\n3,5\n", "line 3"),
    "missing-cell.csv": (b"x1,y\n1,2\n,4\n3,5\n", "line 3"),
    "no-features.csv": (b"y\n1\n2\n3\n", "column"),
    "no-line-end.csv": (b"\0" * 5000, ""),
    "no-target.csv": (b"x1,x2,z\n1,2,3\n4,5,7\n", "'y'"),
    "out-of-range.csv": (b"x1,y\n1,2\n1e999,4\n3,5\n", "line 3"),
    "short-row.csv": (b"x1,x2,y\n1,2,3\n4,5\n6,7,8\n", "line 3"),
    "text-target.csv": (b"x1,y\n1,cheap\n2,dear\n", "line 2"),
    "too-few-rows.csv": (b"x1,x2,x3,y\n1,2,3,4\n", "row"),
    "unclosed-quote.csv": (b'x1,y\n1,2\n"3,4\n5,6\n', "line 3"),
}


def test_whatever_is_no_table_of_numbers_is_refused_with_a_reason(pipeline):
    for name, (data, _) in REFUSED.items():
        pipeline.hdfs.create(f"{pipeline.dataset_path}/{name}", data)
    done = pipeline.run("train", "--once", seconds=120)
    assert done.returncode == 1  # some were refused
    assert pipeline.versions() == []
    assert pipeline.dropped() == []
    # One epoch each, by name.
    for epoch, (name, (data, cause)) in enumerate(sorted(REFUSED.items()), 1):
        rejected = name.replace(".csv", f".{epoch}.csv")
        reason = pipeline.reason(rejected)
        assert reason["file"] == f"{pipeline.dataset_path}/{name}"
        assert reason["outcome"] == "refused", reason
        assert cause in reason["reason"], reason
        assert reason["reason"].isprintable(), reason
        assert pipeline.hdfs.read(f"{pipeline.dataset_path}/rejected/{rejected}") == data
    check_promises(pipeline)


def test_an_empty_file_is_refused_with_a_reason_and_not_passed_over_in_silence(pipeline):
    pipeline.hdfs.create(f"{pipeline.dataset_path}/empty.csv", b"")
    trainer = pipeline.start("train")
    pipeline.wait_until(lambda: len(pipeline.rejected()) == 2, "it is rejected", 20)
    assert "empty" in pipeline.reason("empty.1.csv")["reason"]
    assert trainer.stop()[0] == 0


def test_bad_rows_up_to_the_limit_are_left_out_and_counted(pipeline):
    pipeline.set("dataset.bad_rows_max", 2)
    lines = plane(3).decode().splitlines()
    lines.insert(5, "1,2,3")
    lines.insert(9, "1,,3,4")
    pipeline.train_once("some-bad.csv", "\n".join(lines).encode())
    counts = pipeline.model(1).manifest["dataset"]
    assert counts["rows"] == 122
    assert counts["rows_refused"] == 2
    assert counts["refused_by_reason"] == {"field_count": 1, "empty_cell x2": 1}
    check_promises(pipeline)


def test_files_of_csv_spectrum_are_read_right_and_refused_as_data_sets(pipeline):
    folder = SHARED / "csv-spectrum"
    if not folder.exists():
        pytest.skip("csv-spectrum is not on this machine")
    files = sorted((folder / "csvs").glob("*.csv"))
    for file in files:
        expected = json.loads((folder / "json" / f"{file.stem}.json").read_text())
        expected = expected if isinstance(expected, list) else [expected]
        described = json.loads(pipeline.ok("describe", file, "--output", "json"))
        assert described["rows"] == len(expected), file.name
        assert described["malformed"] == 0, file.name
        names = [column["name"] for column in described["columns"]]
        assert names == list(expected[0]), file.name
        pipeline.hdfs.create(f"{pipeline.dataset_path}/{file.name}", file.read_bytes())
    assert pipeline.run("train", "--once", seconds=120).returncode == 1
    assert pipeline.dropped() == []
    # No file is a data set: text in some, two rows at most in the others.
    assert len(pipeline.rejected()) == 2 * len(files)


# ---- trained ----


def test_a_byte_order_mark_crlf_and_quotes_change_nothing(pipeline):
    plain = plane(4)
    lines = plain.decode().splitlines()
    quoted = "\r\n".join(",".join(f'"{cell}"' for cell in line.split(",")) for line in lines)
    pipeline.drop("1-plain.csv", plain)
    pipeline.drop("2-dressed.csv", b"\xef\xbb\xbf" + quoted.encode() + b"\r\n")
    pipeline.ok("train", "--once")
    first, second = pipeline.model(1), pipeline.model(2)
    assert (first.features, first.intercept, first.coefficients) == (
        second.features,
        second.intercept,
        second.coefficients,
    )
    check_promises(pipeline)


def test_the_boston_model_is_the_one_that_numpy_finds_on_the_same_rows(make_pipeline):
    pipeline = make_pipeline(target="medv")
    pipeline.train_once("boston.csv", BOSTON)
    model = pipeline.model(1)
    names, rows = read_table(BOSTON)
    trained, held_out = split(rows, seed=1, fraction=0.25)
    assert model.manifest["dataset"]["rows_trained"] == len(trained)
    assert model.manifest["dataset"]["rows_held_out"] == len(held_out)

    intercept, coefficients = least_squares(names, trained, "medv")
    assert model.intercept == pytest.approx(intercept, rel=1e-9)
    assert dict(zip(model.features, model.coefficients)) == pytest.approx(coefficients, rel=1e-9)

    predicted = [predict(model.intercept, model.coefficients, row[:-1]) for row in held_out]
    rmse, mae, r2 = metrics([row[-1] for row in held_out], predicted)
    found = model.manifest["held_out"]
    assert (found["rmse"], found["mae"], found["r2"]) == pytest.approx((rmse, mae, r2), rel=1e-9)

    # The sample for the producer is these very rows.
    sample = pipeline.hdfs.read(f"{pipeline.model_path(1)}/test.csv")
    sample_names, sample_rows = read_table(sample)
    assert sample_names == ["weir_row", *names]
    assert [row[1:] for row in sample_rows] == held_out


# Digits of the certified coefficients that must be found: what exact arithmetic finds, or a little less.
STRD = {"filip": 7.5, "longley": 14, "norris": 14, "pontius": 13, "wampler1": 15, "wampler2": 13,
        "wampler3": 15, "wampler4": 15, "wampler5": 15}
STRD_THROUGH_THE_ORIGIN = {"noint1": 14, "noint2": 14}


def test_the_reference_sets_of_nist_give_the_certified_coefficients(pipeline):
    folder = ROOT / "src/model/testdata/strd"
    certified = json.loads((folder / "certified.json").read_text())
    # A seed that holds out no row: the certified values are of all rows.
    seed = next(s for s in range(1000) if not any(is_held_out(s, r, 0.01) for r in range(82)))
    pipeline.set("dataset.seed", seed)
    pipeline.set("dataset.test_fraction", 0.01)
    version = 0
    for sets, intercept in ((STRD, True), (STRD_THROUGH_THE_ORIGIN, False)):
        pipeline.set("model.intercept", intercept)
        for name in sets:
            names, rows = read_table((folder / f"{name}.csv").read_bytes())
            for power in range(2, certified[name]["degree"] + 1):
                names.append(f"x{power}")
                rows = [[*row, row[-1] * row[1]] for row in rows]
            pipeline.drop(f"{name}.csv", write_table(names, rows))
        pipeline.ok("train", "--once", seconds=90)
        for name in sorted(sets):
            version += 1
            model = pipeline.model(version)
            assert model.manifest["dataset"]["rows_held_out"] == 0
            found = [model.intercept, *model.coefficients][0 if intercept else 1 :]
            digits = min(map(correct_digits, found, certified[name]["coefficients"]))
            assert digits >= sets[name], f"{name}: {digits:.1f} digits, {found}"
            errors = [term["standard_error"] for term in model.manifest["fit"]["features"]]
            certified_errors = certified[name]["standard_errors"][1 if intercept else 0 :]
            assert errors == pytest.approx(certified_errors, rel=1e-7, abs=1e-9)
            deviation = certified[name]["residual_standard_deviation"]
            fit = model.manifest["fit"]
            assert fit["residual_standard_deviation"] == pytest.approx(deviation, rel=1e-8, abs=1e-9)
            assert fit["r2"] == pytest.approx(certified[name]["r_squared"], rel=1e-10)


def test_the_ridge_model_is_the_one_that_numpy_finds_with_the_penalty_it_finds_best(
    make_pipeline,
):
    pipeline = make_pipeline(target="medv")
    _, rows = read_table(BOSTON)
    trained, _ = split(rows, seed=1, fraction=0.25)
    pipeline.set("model.ridge", 0.05)
    pipeline.train_once("given.csv", BOSTON)
    pipeline.set("model.ridge", "auto")
    pipeline.train_once("found.csv", BOSTON)
    for version in (1, 2):
        model = pipeline.model(version)
        told = model.manifest["fit"]["ridge"]
        intercept, coefficients, _ = ridge(trained, told["penalty"])
        assert model.intercept == pytest.approx(intercept, rel=1e-9)
        assert model.coefficients == pytest.approx(coefficients, rel=1e-9)
        if version == 1:
            assert (told["automatic"], told["penalty"], told["curve"]) == (False, 0.05, [])
    errors = {tried["penalty"]: tried["cross_validated_rmse"] for tried in told["curve"]}
    assert errors == pytest.approx({penalty: ridge(trained, penalty)[2] for penalty in errors})
    assert told["automatic"] and errors[told["penalty"]] == min(errors.values())
    page = pipeline.ok("models", "show", "2")
    assert "the best of" in page and "T VALUE" in page
    check_promises(pipeline)


# ---- not yet whole ----


def test_a_trainer_that_works_once_waits_for_a_data_set_that_is_still_to_settle(pipeline):
    # Many looks go by in the time that the file has to stand still.
    pipeline.set("dataset.watch_interval", "50ms")
    pipeline.set("dataset.settle_time", "1500ms")
    pipeline.train_once("first.csv", plane(1))
    assert pipeline.used() == ["first.1.csv"]


def test_names_of_half_uploads_are_not_looked_at(pipeline):
    data = plane(5)
    names = ["x.csv._COPYING_", ".x.csv.tmp", "x.tmp", "_x.csv", ".x.csv", "x.csv.inprogress"]
    for name in names:
        pipeline.hdfs.create(f"{pipeline.dataset_path}/{name}", data)
    pipeline.ok("train", "--once")
    assert pipeline.control() == []
    assert pipeline.dropped() == sorted(names)
    pipeline.hdfs.rename(f"{pipeline.dataset_path}/x.tmp", f"{pipeline.dataset_path}/x.csv")
    pipeline.ok("train", "--once")
    assert pipeline.used() == ["x.1.csv"]


def test_an_upload_that_is_still_open_is_not_taken_until_it_is_closed(pipeline):
    data = plane(6, rows=60_000)
    assert len(data) > 4_000_000
    path = f"{pipeline.dataset_path}/a-big.csv"
    # In blocks of 1 MiB, so that its length is not 0 while it is open.
    upload = pipeline.hdfs.begin_upload(path, data, send=2_500_000, blocksize=1 << 20)
    pipeline.wait_until(
        lambda: (pipeline.hdfs.status(path) or {}).get("length"), "the first blocks are there"
    )
    trainer = pipeline.start("train")
    # Each of these is looked at after the open one, which comes first by name.
    for epoch, name in enumerate(["b.csv", "c.csv"], 1):
        pipeline.drop(name, plane(epoch))
        assert pipeline.wait_for_resume(epoch)["outcome"] == "trained"
        assert pipeline.wait_for_begin(epoch)["dataset"]["path"].endswith(name)
    upload.finish()
    assert pipeline.wait_for_resume(3)["outcome"] == "trained"
    assert pipeline.model(3).manifest["dataset"]["rows"] == 60_000
    assert trainer.stop()[0] == 0
    check_promises(pipeline)


def test_a_folder_is_taken_with_all_its_parts_once_its_success_marker_is_there(pipeline):
    whole = plane(7, rows=200).decode().splitlines()
    header, rows = whole[0], whole[1:]
    folder = f"{pipeline.dataset_path}/spark"
    for number, part in enumerate([rows[:90], rows[90:]]):
        text = "\n".join([header, *part]) + "\n"
        pipeline.hdfs.create(f"{folder}/part-0000{number}.csv", text.encode())
    pipeline.hdfs.create(f"{folder}/part-00002.csv", b"")  # an empty partition
    pipeline.ok("train", "--once")
    assert pipeline.control() == []
    assert pipeline.dropped() == ["spark"]

    pipeline.hdfs.create(f"{folder}/_SUCCESS", b"")
    pipeline.ok("train", "--once")
    assert pipeline.used() == ["spark.1"]
    model = pipeline.model(1)
    assert model.manifest["dataset"]["rows"] == 200
    names, table = read_table("\n".join(whole).encode())
    # Each part begins a split, and each split its own numbers.
    numbers = [*range(90), *(2**32 + row for row in range(110))]
    trained = [row for number, row in zip(numbers, table, strict=True)
               if not is_held_out(1, number, 0.25)]
    intercept, coefficients = least_squares(names, trained, "y")
    assert model.intercept == pytest.approx(intercept, rel=1e-9)
    assert model.coefficients == pytest.approx(list(coefficients.values()), rel=1e-9)
    check_promises(pipeline)


def test_the_same_bytes_a_second_time_do_not_halt_the_stream(pipeline):
    data = plane(8)
    run = pipeline.start("run")
    pipeline.drop("one.csv", data)
    pipeline.wait_for_predictions(5, epoch=1)
    for count in (1, 2):
        pipeline.drop("again.csv", data)
        pipeline.wait_until(lambda: pipeline.dropped() == [], "it is set aside")
        assert f"again.1.duplicate-{count}.csv" in pipeline.rejected()
    assert "duplicate" in pipeline.reason("again.1.duplicate-1.csv")["reason"]
    # Bytes that are new are still taken up.
    pipeline.drop("again.csv", plane(9))
    assert pipeline.wait_for_resume(2)["version"] == 2
    assert run.stop()[0] == 0
    evidence = check_promises(pipeline, all_scored=False)
    assert len(evidence.control) == 4


def test_the_same_bytes_are_trained_on_again_under_other_settings(pipeline):
    data = plane(8)
    pipeline.train_once("one.csv", data)
    pipeline.set("dataset.drop_columns", ["x2"])
    pipeline.train_once("two.csv", data)
    pipeline.set("model.intercept", False)
    pipeline.train_once("three.csv", data)
    assert pipeline.versions() == [1, 2, 3]
    assert pipeline.model(2).features == ["x1", "x3"]
    assert pipeline.model(3).intercept == 0
    pipeline.set("model.ridge", 0.5)
    pipeline.train_once("four.csv", data)
    assert pipeline.versions() == [1, 2, 3, 4]
    pipeline.train_once("five.csv", data)
    assert pipeline.versions() == [1, 2, 3, 4]
    assert pipeline.rejected() == ["five.4.duplicate-1.csv", "five.4.duplicate-1.csv.reason.json"]


def test_data_sets_that_arrive_together_are_trained_one_after_the_other_by_name(pipeline):
    for name in ("c.csv", "a.csv", "b.csv"):
        pipeline.drop(name, plane(ord(name[0])))
    pipeline.ok("train", "--once")
    assert pipeline.used() == ["a.1.csv", "b.2.csv", "c.3.csv"]
    assert pipeline.versions() == [1, 2, 3]
    assert [pipeline.model(v).manifest["parent_version"] for v in (1, 2, 3)] == [0, 1, 2]
    check_promises(pipeline)
