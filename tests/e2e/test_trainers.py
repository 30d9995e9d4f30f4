"""Several trainers on one pipeline: one leads, and none does what another has done."""

import json
import signal

import pytest

from support.promises import check_promises
from support.tables import plane


@pytest.mark.long
def test_of_twenty_trainers_one_trains_a_data_set_once(pipeline):
    trainers = [pipeline.start("train", name=f"trainer-{n}") for n in range(20)]
    pipeline.drop("first.csv", plane(1))
    assert pipeline.wait_for_resume(1)["version"] == 1
    # The leader dies; of the nineteen that are left one goes on.
    leader = leader_of(pipeline, trainers)
    leader.kill()
    pipeline.drop("second.csv", plane(2))
    assert pipeline.wait_for_resume(2)["version"] == 2
    pipeline.wait_until(lambda: pipeline.dropped() == [], "the data sets are moved")
    for process in trainers:
        if process is not leader:
            process.send(signal.SIGTERM)
    for process in trainers:
        assert process.wait(60) == (-signal.SIGKILL if process is leader else 0)
    evidence = check_promises(pipeline)
    assert [record["type"] for _, record in evidence.control] == ["train", "resume", "halt", "resume"]
    assert pipeline.versions() == [1, 2]
    # Where the group is still gathering, one may lead twice.
    assert sum(process.stderr.count("data set taken up") for process in trainers) == 2


def leader_of(pipeline, trainers):
    """The process that wrote the last control record, which names it as host:pid."""
    last = json.loads(pipeline.topic("control").read_to_end()[-1].value)
    pid = int(last["by"].rsplit(":", 1)[1])
    return next(process for process in trainers if process.pid == pid)


def test_a_leader_that_was_stopped_publishes_nothing_when_it_wakes(pipeline):
    pipeline.set("kafka.session.timeout.ms", 6000)
    first = pipeline.start("train", name="first")
    pipeline.drop("first.csv", plane(1))
    assert pipeline.wait_for_resume(1)["version"] == 1
    first.send(signal.SIGSTOP)
    second = pipeline.start("train", name="second")
    pipeline.drop("second.csv", plane(2))
    assert pipeline.wait_for_resume(2)["version"] == 2
    first.send(signal.SIGCONT)
    # It finds that another leads, and stands by.
    pipeline.drop("third.csv", plane(3))
    assert pipeline.wait_for_resume(3)["version"] == 3
    pipeline.wait_until(lambda: pipeline.dropped() == [], "the data sets are moved")
    for process in (first, second):
        assert process.stop(signal.SIGTERM)[0] == 0
    evidence = check_promises(pipeline)
    by = [record["by"] for _, record in evidence.control]
    assert by[0] == by[1] != by[2] == by[3]
