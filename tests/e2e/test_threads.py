"""weir score --threads: several scorers in one process, each a member of the group with partitions of its own."""

import signal

import pytest

from support.promises import check_promises
from support.tables import plane
from test_status import metrics_of, wait_for_status

KILLED = -signal.SIGKILL
MESSAGE = b'{"x1": 1, "x2": 2.5, "x3": -3}'
PARTITIONS = 3


def send(pipeline, count, first=0):
    pipeline.send([(str(n).encode(), MESSAGE, n % PARTITIONS) for n in range(first, first + count)])


def scorers(told):
    return {member["member"] for member in told["members"] if member["role"] == "scorer" and not member["silent"]}


@pytest.mark.long
def test_threads_of_one_process_share_the_partitions_and_halt_and_resume_together(pipeline):
    pipeline.train_once("first.csv", plane(1))
    pipeline.start("score", "--threads", "2", name="scorer")
    told = wait_for_status(
        pipeline,
        lambda s: len(scorers(s)) == 2 and {p["member"] for p in s["partitions"]} == scorers(s),
        "each of the two has partitions",
    )
    one, other = sorted(scorers(told))
    assert (one[:-1], one[-1], other[-1]) == (other[:-1], "0", "1")
    pipeline.start("train", name="trainer")
    producer = pipeline.start("produce", "--rate", "200")
    pipeline.wait_for_predictions(50, epoch=1)
    pipeline.drop("second.csv", plane(2))
    pipeline.wait_for_predictions(50, epoch=2)
    producer.stop()
    pipeline.wait_until_all_scored()
    answered = len(pipeline.topic("predictions").read_to_end())

    def told_of():
        each = metrics_of(pipeline)["weir_scored_records_total"]
        return each if sum(each) == answered else None

    # Each tells of its own, with its heartbeat.
    assert min(pipeline.wait_until(told_of, "what the threads tell adds up", every=0.3)) > 0
    pipeline.stop_all()
    pipeline.ok("score", "--until-end", "--threads", "2", seconds=90)
    evidence = check_promises(pipeline)
    assert {record.partition for record in evidence.predictions} == set(range(PARTITIONS))


@pytest.mark.long
def test_a_process_of_several_threads_that_dies_is_followed_under_its_names(pipeline):
    pipeline.train_once("first.csv", plane(1))
    pipeline.set("score", {"commit_interval": "1ms", "instance": "pod-3", "threads": 2})
    send(pipeline, 100)
    doomed = pipeline.start("score", name="doomed", WEIR_CRASH_AT="offsets-sent:3")
    sent = 100

    def send_more():
        nonlocal sent
        send(pipeline, 50, sent)
        sent += 50

    pipeline.wait_until(lambda: not doomed.running() or send_more(), "it has died", every=0.2)
    assert doomed.exit_code() == KILLED
    pipeline.start("score", name="next")
    told = wait_for_status(pipeline, lambda s: len(scorers(s)) == 2 and not any(p["lag"] for p in s["partitions"]), "all is scored")
    assert scorers(told) == {"scorer-pod-3", "scorer-pod-3.2"}
    pipeline.stop_all()
    assert len(check_promises(pipeline).predictions) == sent


@pytest.mark.long
def test_a_thread_without_a_partition_ends_with_the_others(pipeline):
    pipeline.train_once("first.csv", plane(1))
    send(pipeline, 30)
    told = pipeline.run("score", "--until-end", "--threads", str(PARTITIONS + 2), seconds=90)
    assert told.returncode == 0, told.stderr.decode()
    assert len(check_promises(pipeline).predictions) == 30


def test_how_many_threads_is_checked_and_not_for_a_replay(pipeline):
    told = pipeline.run("score", "--threads", "0")
    assert told.returncode == 78 and b"score.threads: '0' is out of bounds (1 to 64)" in told.stderr
    told = pipeline.run("score", "--threads", "2", "--from", "earliest", "--model", "1", "--to", "x")
    assert told.returncode == 2 and b"a replay has one thread" in told.stderr
