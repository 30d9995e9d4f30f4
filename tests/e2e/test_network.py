"""A network that cuts, delays, narrows and swallows, between one process and the servers it talks to."""

import json
import random

import pytest

from support.kafka import log_ends
from support.network import through
from support.promises import check_promises
from support.steady_producer import SteadyProducer
from support.tables import plane

pytestmark = pytest.mark.long


@pytest.fixture
def pipeline(make_pipeline):
    """One whose connections come back within half a second, not ten."""
    made = make_pipeline()
    made.set("kafka.reconnect.backoff.max.ms", 500)
    return made


def look_on(pipeline, looks):
    """Lets a moment of no certain length pass, so that the next thing happens at any point of a step."""
    for _ in range(looks):
        log_ends(pipeline.stack.kafka, pipeline.topic_name("predictions"))


def predictions_go_on(pipeline, count=30, seconds=60):
    """So many more than there are now, in whatever epoch."""
    now = len(pipeline.topic("predictions").read_to_end(120))
    pipeline.wait_for_predictions(now + count, seconds=seconds)


def test_a_scorer_whose_connections_are_cut_again_and_again_goes_on_and_loses_nothing(
    pipeline, network
):
    (lane,) = network.lanes(1)
    pipeline.train_once("first.csv", plane(1))
    scorer = pipeline.start("score", *through(lane))
    chance = random.Random(7)
    with SteadyProducer(pipeline, rate=300):
        predictions_go_on(pipeline)
        for breaking in (lane.cut, lane.down, lambda: lane.spoil("reset_peer", timeout=20)) * 3:
            look_on(pipeline, chance.randrange(5))
            breaking()
            lane.heal()
            predictions_go_on(pipeline)
    pipeline.wait_until_all_scored()
    assert scorer.stop()[0] == 0
    check_promises(pipeline)


def test_a_scorer_finds_out_what_became_of_commits_that_the_network_cut(pipeline, network):
    (lane,) = network.lanes(1)
    pipeline.train_once("first.csv", plane(1))
    scorer = pipeline.start("score", *through(lane))
    chance = random.Random(8)
    with SteadyProducer(pipeline, rate=300):
        predictions_go_on(pipeline)
        for number in range(6):
            # Nearly all of the time a request of a commit is on its way: it comes late, and is cut off
            # there, or it comes and its answer does not.
            lane.spoil("latency", "upstream", latency=80)
            look_on(pipeline, chance.randrange(12))
            if number % 2 == 0:
                lane.spoil("timeout", "downstream", timeout=0)
                look_on(pipeline, 5)
            lane.cut()
            lane.heal()
            predictions_go_on(pipeline)
    pipeline.wait_until_all_scored()
    assert scorer.stop()[0] == 0
    check_promises(pipeline)


def test_a_slow_and_narrow_network_makes_all_roles_slower_and_nothing_wrong(pipeline, network):
    of_trainer, of_scorer, of_producer = network.lanes(3)
    of_trainer.slow(latency=40, jitter=30, rate=200)
    of_scorer.slow(latency=60, jitter=50, rate=60)
    of_producer.slow(latency=80, jitter=70, rate=20)
    trainer = pipeline.start("train", *through(of_trainer))
    scorer = pipeline.start("score", *through(of_scorer))
    producer = pipeline.start("produce", "--rate", "500", *through(of_producer))
    for epoch in (1, 2):
        pipeline.drop(f"{epoch}.csv", plane(epoch))
        assert pipeline.wait_for_resume(epoch)["version"] == epoch
        pipeline.wait_for_predictions(100, epoch=epoch)
    for process in (producer, trainer):
        assert process.stop()[0] == 0, process.stderr
    pipeline.wait_until_all_scored()
    assert scorer.stop()[0] == 0
    evidence = check_promises(pipeline)
    halted = {m["member"] for _, m in evidence.members if m["type"] == "halted" and m["epoch"] == 2}
    assert len(halted) + trainer.stderr.count("is shut out") >= 2


def test_a_scorer_that_the_network_holds_is_shut_out_and_does_nothing_of_the_old_epoch_later(
    pipeline, network
):
    pipeline.set("train.halt_timeout", "2s")
    pipeline.train_once("first.csv", plane(1))
    trainer = pipeline.start("train")
    lanes = network.lanes(2)
    swallowed, held = (pipeline.start("score", *through(lane)) for lane in lanes)
    pipeline.start("score", name="at-large")
    with SteadyProducer(pipeline, rate=300):
        pipeline.wait_for("members", lambda records: at_work(records, 3), "each has a partition")
        # Of one all bytes vanish. What the other has sent comes through, but only when all is over.
        lanes[0].partition()
        lanes[1].hold()
        pipeline.drop("second.csv", plane(2))
        assert pipeline.wait_for_resume(2)["version"] == 2
        assert trainer.stderr.count("is shut out") >= 2
        pipeline.wait_for("predictions", lambda records: all_partitions(records, 2), "all flows")
        for scorer in (swallowed, held):
            pipeline.wait_until(lambda: says_why(scorer), "it says what holds it up")
        lanes[1].release()
        for lane in lanes:
            lane.heal()
        predictions_go_on(pipeline, 300)
        # They come back as members of the epochs to come.
        pipeline.drop("third.csv", plane(3))
        assert pipeline.wait_for_resume(3)["version"] == 3
    pipeline.wait_until_all_scored()
    pipeline.stop_all()
    check_promises(pipeline)


def at_work(records, count):
    """So many scorers have told that they hold partitions, and each of them has said so last."""
    told = {}
    for member in map(lambda record: json.loads(record.value), records):
        if member.get("role") == "scorer":
            told[member["member"]] = member.get("partitions")
    return sum(bool(partitions) for partitions in told.values()) == count


def says_why(scorer):
    """In a call that does not come back, or after one that was given up."""
    return "has not come back from a step for" in scorer.stderr or "Timed out" in scorer.stderr


def all_partitions(records, epoch):
    answers = map(lambda record: json.loads(record.value), records)
    return len({a["partition"] for a in answers if a["epoch"] == epoch}) == 3


def test_a_leader_that_is_cut_off_in_a_training_is_followed_by_another_and_publishes_nothing_later(
    pipeline, network
):
    lanes = network.lanes(2)
    pipeline.train_once("first.csv", plane(1))
    scorer = pipeline.start("score")
    with network.hdfs() as one, network.hdfs() as other:
        ways = {}  # trainer -> all its ways
        for lane, hdfs in zip(lanes, (one, other)):
            # 3 MB, which would take a minute.
            hdfs.data_node.spoil("bandwidth", rate=50)
            trainer = pipeline.start(
                "train", *through(lane), HADOOP_CONF_DIR=hdfs.hadoop_conf_dir
            )
            ways[trainer] = (lane, hdfs.name_node, hdfs.data_node)
        with SteadyProducer(pipeline, rate=200):
            pipeline.wait_for_predictions(50, epoch=1)
            pipeline.drop("second.csv", plane(2, rows=40_000))
            begun = pipeline.wait_for_begin(2)["by"]
            first, second = sorted(ways, key=lambda t: not begun.endswith(f":{t.pid}"))
            first.wait_for_stderr("data set taken up")
            pipeline.wait_for("members", lambda records: halted_in(2, records), "all have halted")
            for way in ways[first]:
                way.partition()
            for way in ways[second]:
                way.heal()
            by_second = pipeline.wait_for_resume(2)["by"]
            assert by_second != begun
            pipeline.wait_for_predictions(100, epoch=2)
            for way in ways[first]:
                way.heal()
            # It comes back as one that stands by, and leads when the other has gone.
            assert second.stop()[0] == 0
            pipeline.drop("third.csv", plane(3))
            assert pipeline.wait_for_resume(3)["by"] == begun
            pipeline.wait_for_predictions(100, epoch=3)
        pipeline.wait_until(lambda: pipeline.dropped() == [], "the data sets are moved")
        assert first.stop()[0] == 0, first.stderr
    pipeline.wait_until_all_scored()
    assert scorer.stop()[0] == 0
    evidence = check_promises(pipeline)
    by = [record["by"] for _, record in evidence.control]
    assert by[2:] == [begun, by_second, begun, begun]
    assert pipeline.versions() == [1, 2, 3]


def halted_in(epoch, records):
    members = map(lambda record: json.loads(record.value), records)
    return any(m["type"] == "halted" and m["epoch"] == epoch for m in members)


def test_a_data_set_that_comes_over_a_broken_network_gives_the_same_model_to_the_bit(
    make_pipeline, network
):
    sets = [plane(seed, rows=30_000) for seed in (1, 2, 3)]
    undisturbed, disturbed = make_pipeline(), make_pipeline()
    undisturbed.start("train")
    disturbed.set("hdfs.request_timeout", "1s")
    with network.hdfs() as hdfs:
        trainer = disturbed.start("train", HADOOP_CONF_DIR=hdfs.hadoop_conf_dir)

        def drop(number):
            for pipeline in (undisturbed, disturbed):
                pipeline.drop(f"{number}.csv", sets[number - 1])

        # Some 2 MB, in pieces: each connection is cut after so many bytes.
        hdfs.data_node.spoil("limit_data", bytes=500_000)
        drop(1)
        assert disturbed.wait_for_resume(1)["outcome"] == "trained"
        hdfs.data_node.heal()

        # The bytes stand still in the middle of the file.
        hdfs.data_node.spoil("bandwidth", rate=400)
        drop(2)
        disturbed.wait_for_begin(2)
        hdfs.data_node.partition()
        trainer.wait_for_stderr("nothing came for")
        hdfs.data_node.heal()
        assert disturbed.wait_for_resume(2)["outcome"] == "trained"

        hdfs.data_node.slow(latency=40, jitter=40, rate=600)
        hdfs.name_node.slow(latency=100, jitter=50)
        drop(3)
        assert disturbed.wait_for_resume(3)["outcome"] == "trained"
        undisturbed.wait_for_resume(3)
        for pipeline in (undisturbed, disturbed):
            pipeline.wait_until(lambda: pipeline.dropped() == [], "the data sets are moved")
        disturbed.stop_all()
        undisturbed.stop_all()
    for version in (1, 2, 3):
        plain, broken = undisturbed.model(version), disturbed.model(version)
        assert plain.intercept == broken.intercept
        assert plain.coefficients == broken.coefficients
        assert plain.manifest["held_out"] == broken.manifest["held_out"]
        assert broken.manifest["dataset"]["rows"] == 30_000
    check_promises(disturbed)
