"""The job as a user sees it: a data set is dropped, trained, and the stream is scored by its model."""

import hashlib
import json
import signal

import pytest

from support.promises import check_promises
from support.tables import BOSTON, plane


def lines_of(process):
    return [json.loads(line) for line in process.stdout.splitlines()]


def test_a_dropped_data_set_is_trained_and_the_stream_scored(make_pipeline):
    pipeline = make_pipeline(target="medv")
    run = pipeline.start("run", "--output", "json")
    pipeline.drop("boston.csv", BOSTON)
    resume = pipeline.wait_for_resume(1)
    assert (resume["version"], resume["outcome"]) == (1, "trained")
    pipeline.wait_for_predictions(20)
    assert run.stop()[0] == 0

    assert pipeline.versions() == [1]
    assert pipeline.dropped() == []
    assert pipeline.used() == ["boston.1.csv"]
    used = pipeline.hdfs.read(f"{pipeline.dataset_path}/used/boston.1.csv")
    assert hashlib.sha256(used).digest() == hashlib.sha256(BOSTON).digest()

    # What ended with the process stays unscored until the next one.
    evidence = check_promises(pipeline, all_scored=False)
    summary = lines_of(run)[-1]
    assert summary == {
        "type": "summary",
        "produced": len(evidence.features),
        "scored": len(evidence.predictions),
        "dead_lettered": 0,
        "versions_trained": 1,
        "datasets_refused": 0,
    }
    shown = [line for line in lines_of(run) if line["type"] == "prediction"]
    assert shown and all("actual" in line for line in shown)


def test_a_run_for_a_time_ends_by_itself_with_exit_code_0_and_a_summary(pipeline):
    pipeline.train_once("first.csv", plane(1))
    lines = pipeline.ok("run", "--for", "2s", "--no-produce", "--output", "json").splitlines()
    assert json.loads(lines[-1]) == {
        "type": "summary",
        "produced": 0,
        "scored": 0,
        "dead_lettered": 0,
        "versions_trained": 0,
        "datasets_refused": 0,
    }


def test_a_second_data_set_halts_the_stream_and_its_model_takes_over(pipeline):
    run = pipeline.start("run", "--output", "json")
    pipeline.drop("first.csv", plane(1))
    pipeline.wait_for_resume(1)
    pipeline.wait_for_predictions(20, epoch=1)
    pipeline.drop("second.csv", plane(2))
    begin = pipeline.wait_for_begin(2)
    assert begin["type"] == "halt"
    assert begin["dataset"]["path"] == f"{pipeline.dataset_path}/second.csv"
    assert pipeline.wait_for_resume(2)["version"] == 2
    pipeline.wait_for_predictions(20, epoch=2)
    assert run.stop(signal.SIGINT)[0] == 0

    evidence = check_promises(pipeline, all_scored=False)
    halted = {
        member["role"]
        for _, member in evidence.members
        if member["type"] == "halted" and member["epoch"] == 2
    }
    assert halted == {"scorer", "producer"}
    assert [record["type"] for _, record in evidence.control] == [
        "train",
        "resume",
        "halt",
        "resume",
    ]
    assert pipeline.used() == ["first.1.csv", "second.2.csv"]


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM], ids=["ctrl_c", "sigterm"])
def test_a_signal_ends_the_run_in_a_few_seconds_with_exit_code_0(pipeline, number):
    run = pipeline.start("run")
    pipeline.drop("first.csv", plane(1))
    pipeline.wait_for_predictions(10)
    code, seconds = run.stop(number)
    assert code == 0
    assert seconds < 5
    assert "produced" in run.stdout.splitlines()[-1]
    check_promises(pipeline, all_scored=False)


def test_a_run_that_follows_scores_what_the_first_one_left(pipeline):
    first = pipeline.start("run", "--rate", "200")
    pipeline.drop("first.csv", plane(1))
    pipeline.wait_for_predictions(50)
    assert first.stop()[0] == 0
    pipeline.send([(b"left", b'{"x1": 1, "x2": 2, "x3": 3}', n % 3) for n in range(30)])
    pipeline.start("run", "--no-produce")
    pipeline.wait_until_all_scored()
    pipeline.stop_all()
    check_promises(pipeline)
