"""weir status: what a person sees of a pipeline that does, or does not, move."""

import json
import re
import signal

import pytest

from support.promises import check_promises
from support.tables import plane

MESSAGE = b'{"x1": 1, "x2": 2.5, "x3": -3}'


def status(pipeline):
    return json.loads(pipeline.ok("status", "-o", "json"))


def wait_for_status(pipeline, condition, what, seconds=30):
    def look():
        told = status(pipeline)
        return told if condition(told) else None

    return pipeline.wait_until(look, what, seconds, every=0.3)


def metrics_of(pipeline):
    """metric -> its values, of what Prometheus would read."""
    metrics = {}
    for line in pipeline.ok("status", "--prometheus").splitlines():
        if not line.startswith("#"):
            name, value = re.fullmatch(r'(\w+)\{pipeline="[^"]+"(?:,\w+="[^"]*")*\} (\S+)', line).groups()
            metrics.setdefault(name, []).append(float(value))
    return metrics


def totals(told):
    return {key: sum(p[key] for p in told["partitions"]) for key in ("committed", "end", "lag")}


@pytest.mark.long
def test_status_tells_who_is_there_what_they_wait_for_and_how_far_they_are(pipeline):
    told = status(pipeline)
    assert told["gate"] == {"open": False, "since": None}
    assert (told["model"], told["epoch"], told["begun"], told["members"]) == (0, 0, None, [])
    assert [p["partition"] for p in told["partitions"]] == [0, 1, 2]
    assert "no model yet" in pipeline.ok("status")

    scorer = pipeline.start("score", name="scorer")
    told = wait_for_status(pipeline, lambda s: s["members"], "the scorer is there")
    assert told["members"][0]["role"] == "scorer"
    told = wait_for_status(
        pipeline,
        lambda s: s["members"][0]["waiting_for"] == "waiting for the first model",
        "the scorer says what it waits for",
    )
    # It says so itself, too, once it has lasted.
    scorer.wait_for_stderr("makes no progress: waiting for the first model")

    pipeline.train_once("first.csv", plane(1))
    pipeline.send([(str(n).encode(), MESSAGE, n % 3) for n in range(30)])
    told = wait_for_status(
        pipeline,
        lambda s: totals(s)["lag"] == 0
        and totals(s)["committed"] >= 30
        and all(p["last_record_age_ms"] is not None for p in s["partitions"]),
        "all is scored, and the scorer has told of it",
    )
    assert told["gate"]["open"] and told["gate"]["since"] == pipeline.control()[-1]["at"]
    (member,) = told["members"]
    assert (member["model"], member["epoch"], member["silent"]) == (1, 1, False)
    assert {p["member"] for p in told["partitions"]} == {member["member"]}
    assert "makes progress again" in scorer.stderr

    held = pipeline.start("train", name="held", WEIR_CRASH_AT="acknowledged")
    pipeline.drop("second.csv", plane(2))
    assert held.wait() == -signal.SIGKILL
    pipeline.send([(str(n).encode(), MESSAGE, n % 3) for n in range(12)])
    told = wait_for_status(
        pipeline,
        lambda s: totals(s)["lag"] == 12
        and (s["members"][0]["waiting_for"] or "").startswith("the gate is closed since "),
        "the records wait behind the gate, and the scorer says why",
    )
    halt = pipeline.control()[-1]
    assert told["gate"] == {"open": False, "since": halt["at"]}
    assert told["begun"] == halt
    assert told["members"][0]["halted_epoch"] == 2
    metrics = metrics_of(pipeline)
    assert metrics["weir_gate_open"] == [0] and metrics["weir_model_version"] == [1]
    assert sum(metrics["weir_partition_lag_records"]) == 12
    # The scorer, and the trainer that was killed a moment ago.
    assert metrics["weir_member_up"][0] == 1 and metrics["weir_member_waiting_seconds"][0] > 0
    assert len(metrics["weir_partition_last_record_age_seconds"]) == 3
    text = pipeline.ok("status")
    assert f"the gate is closed since {halt['at']}, model 1, epoch 1" in text
    assert "second.csv is being trained on" in text
    assert "halted for epoch 2" in text

    trainer = pipeline.start("train")
    told = wait_for_status(pipeline, lambda s: totals(s)["lag"] == 0, "the gate is open again")
    assert told["gate"]["open"] and told["model"] == 2
    for process in (trainer, scorer):
        assert process.stop()[0] == 0
    # The trainer that was killed could not say goodbye.
    assert all(m["member"].endswith(f":{held.pid}") for m in status(pipeline)["members"])
    check_promises(pipeline)


@pytest.mark.long
def test_status_shows_the_trainer_that_leads_and_the_one_that_stands_by(pipeline):
    trainers = [pipeline.start("train"), pipeline.start("train")]
    pipeline.drop("first.csv", plane(1))
    leader = pipeline.wait_for_resume(1)["by"]

    def both_tell(told):
        words = sorted(m["waiting_for"] or "" for m in told["members"])
        return len(words) == 2 and "no data set in" in words[0] and "stands by" in words[1]

    told = wait_for_status(pipeline, both_tell, "one has nothing to do, the other stands by")
    assert {m["role"] for m in told["members"]} == {"trainer"}
    assert leader in {m["member"] for m in told["members"]}
    # Nobody waits for a trainer to halt.
    pipeline.drop("second.csv", plane(2))
    assert pipeline.wait_for_resume(2)["version"] == 2
    for process in trainers:
        assert process.stop()[0] == 0
        assert "is shut out" not in process.stderr
    assert status(pipeline)["members"] == []


def test_status_says_that_kafka_is_away(pipeline):
    done = pipeline.run("status", "-X", "bootstrap.servers=127.0.0.1:1")
    assert done.returncode == 69
    assert done.stdout == b"" and b"reaching Kafka at 127.0.0.1:1" in done.stderr


def test_each_partition_is_held_though_one_scorer_has_more_than_a_heartbeat_tells_of(pipeline):
    pipeline.set("topics.partitions", 210)
    pipeline.train_once("first.csv", plane(1))
    scorer = pipeline.start("score")
    pipeline.wait_until(lambda: metrics_of(pipeline)["weir_partition_held"] == [1] * 210, "all are held")
    assert scorer.stop()[0] == 0
    assert metrics_of(pipeline)["weir_partition_held"] == [0] * 210
