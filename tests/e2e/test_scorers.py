"""Several scorers on one stream: shared work, rebalances, and one that was away for too long."""

import json
import signal

import pytest

from support.promises import check_promises
from support.steady_producer import SteadyProducer, longest_gap
from support.tables import plane


def scorers_at_work(pipeline, count):
    """Waits until so many members have been told of as live in the last records."""

    def alive(records):
        members = set()
        for record in records:
            member = json.loads(record.value)
            if member.get("role") != "scorer":
                continue
            if member["type"] == "left":
                members.discard(member["member"])
            else:
                members.add(member["member"])
        return len(members) >= count

    pipeline.wait_for("members", alive, f"{count} scorers have announced themselves")


@pytest.mark.long
def test_two_scorers_share_the_work_and_both_halt(pipeline):
    trainer = pipeline.start("train")
    first = pipeline.start("score", name="scorer-a")
    second = pipeline.start("score", name="scorer-b")
    scorers_at_work(pipeline, 2)
    pipeline.drop("first.csv", plane(1))
    producer = pipeline.start("produce", "--rate", "100")
    pipeline.wait_for_predictions(100, epoch=1)
    pipeline.drop("second.csv", plane(2))
    pipeline.wait_for_predictions(100, epoch=2)
    for process in (producer, trainer, first):
        assert process.stop()[0] == 0
    # The one that is left takes over what the other had.
    pipeline.wait_until_all_scored()
    assert second.stop()[0] == 0
    evidence = check_promises(pipeline)
    halted = {m["member"] for _, m in evidence.members if m["type"] == "halted" and m["epoch"] == 2}
    assert len(halted) == 3  # two scorers and the producer


@pytest.mark.long
def test_a_scorer_dies_and_another_joins_while_the_stream_is_halted(pipeline):
    pipeline.set("train.halt_timeout", "4s")
    pipeline.train_once("first.csv", plane(1))
    doomed = pipeline.start("score", name="scorer-a")
    pipeline.start("score", name="scorer-b")
    scorers_at_work(pipeline, 2)
    pipeline.start("produce", "--rate", "100")
    pipeline.wait_for_predictions(60, epoch=1)
    # Held in the middle of the halt: acknowledged by all, and the model not there yet.
    held = pipeline.start("train", WEIR_CRASH_AT="acknowledged")
    pipeline.drop("second.csv", plane(2))
    assert held.wait() == -signal.SIGKILL
    doomed.kill()
    pipeline.start("score", name="scorer-c")
    pipeline.start("train")
    assert pipeline.wait_for_resume(2)["version"] == 2
    pipeline.wait_for_predictions(100, epoch=2)
    pipeline.stop_all()
    pipeline.ok("score", "--until-end", seconds=90)
    check_promises(pipeline)


@pytest.mark.long
def test_a_stopped_scorer_is_shut_out_and_commits_nothing_of_the_old_epoch_when_it_goes_on(pipeline):
    pipeline.set("train.halt_timeout", "2s")
    # Long transactions, so that it is stopped in the middle of one.
    pipeline.set("score.commit_interval", "2s")
    trainer = pipeline.start("train")
    stopped = pipeline.start("score", name="stopped")
    other = pipeline.start("score", name="other")
    scorers_at_work(pipeline, 2)
    pipeline.drop("first.csv", plane(1))
    producer = pipeline.start("produce", "--rate", "100")
    pipeline.wait_for_predictions(200, epoch=1)
    stopped.send(signal.SIGSTOP)
    pipeline.drop("second.csv", plane(2))
    assert pipeline.wait_for_resume(2)["version"] == 2
    trainer.wait_for_stderr("is shut out")
    # The other one has to take over its partitions: that is seen by all of them flowing again.
    pipeline.wait_for(
        "predictions",
        lambda records: len(
            {
                json.loads(record.value)["partition"]
                for record in records
                if json.loads(record.value)["epoch"] == 2
            }
        )
        == 3,
        "all partitions are scored by the new model",
    )
    stopped.send(signal.SIGCONT)
    pipeline.wait_for_predictions(300, epoch=2)
    # It comes back as a member of the new epoch.
    pipeline.drop("third.csv", plane(3))
    assert pipeline.wait_for_resume(3)["version"] == 3
    pipeline.wait_for_predictions(100, epoch=3)
    for process in (producer, trainer):
        assert process.stop()[0] == 0
    pipeline.wait_until_all_scored()
    for process in (stopped, other):
        assert process.stop()[0] == 0
    check_promises(pipeline)


def test_while_training_continue_the_old_model_scores_until_the_new_one_is_there(pipeline):
    pipeline.set("while_training", "continue")
    pipeline.train_once("first.csv", plane(1))
    pipeline.start("score")
    pipeline.start("produce", "--rate", "200")
    pipeline.wait_for_predictions(50, epoch=1)
    # A trainer that dies before its model is there leaves the training as long as it takes.
    doomed = pipeline.start("train", WEIR_CRASH_AT="trained")
    pipeline.drop("second.csv", plane(2))
    assert doomed.wait() == -signal.SIGKILL
    scored = len(pipeline.topic("predictions").read_to_end())
    pipeline.wait_for_predictions(scored + 50, epoch=1)
    pipeline.start("train")
    pipeline.wait_for_predictions(100, epoch=2)
    pipeline.stop_all()
    evidence = check_promises(pipeline, all_scored=False, while_training="continue")
    assert [record["type"] for _, record in evidence.control] == ["train", "resume"] * 2
    # There is nothing to go on with before the first model, but after that nobody halts.
    assert not [m for _, m in evidence.members if m["type"] == "halted" and m["epoch"] > 1]
    begun, resumed = evidence.control[2][0], evidence.control[3][0]
    meanwhile = [r for r in evidence.predictions if begun < r.timestamp < resumed]
    assert len(meanwhile) >= 50
    assert {json.loads(r.value)["epoch"] for r in meanwhile} == {1}


@pytest.mark.long
def test_a_model_that_is_slow_to_load_costs_no_gap_where_training_continues(pipeline, network):
    pipeline.set("while_training", "continue")
    # It is never to give up on the old model here.
    pipeline.set("score.old_model_max", "5m")
    pipeline.train_once("first.csv", plane(1))
    # Each request that the scorer makes of the NameNode takes 2 s; a model takes several.
    with network.hdfs() as slow:
        slow.name_node.spoil("latency", "upstream", latency=2000)
        score = pipeline.start("score", HADOOP_CONF_DIR=slow.hadoop_conf_dir)
        with SteadyProducer(pipeline, rate=2000) as producer:
            pipeline.wait_for_predictions(4000, epoch=1)
            trainer = pipeline.start("train")
            pipeline.drop("second.csv", plane(2))
            resumed = pipeline.wait_for_resume(2)
            assert resumed["version"] == 2
            pipeline.wait_for_predictions(4000, epoch=2)
        for process in (trainer, score):
            assert process.stop()[0] == 0
    evidence = check_promises(pipeline, all_scored=False, while_training="continue")
    at = {1: [], 2: []}
    for record in evidence.predictions:
        at[json.loads(record.value)["epoch"]].append(record.timestamp)
    resume = evidence.control[-1][0]
    # From a second on in which the scorer has caught up with what waited for it.
    begin = min(at[1]) + 1000
    gap = longest_gap([time for time in at[1] + at[2] if time >= begin])
    unsteady = longest_gap([time for time in producer.times if time >= begin])
    assert gap < unsteady + 1500, f"{gap} ms without a prediction, {unsteady} ms without a record"
    assert max(at[1]) > resume + 2000, "the model was not slow to load, so that nothing was shown"
