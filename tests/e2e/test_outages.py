"""Servers that die in the middle of the stream. On a stack of their own, as they disturb others."""

import json
import os
import signal
import uuid

import pytest
from confluent_kafka import KafkaException

from support.gateway import Gateway
from support.kafka import Admin, log_ends
from support.promises import check_promises
from support.stack import stack_command, stack_in
from support.tables import plane
from support.waiting import wait_until


@pytest.fixture(scope="module")
def own_servers(stack):
    # At a known place, so that what a run that was killed left behind is found.
    directory = stack.directory / "outages"
    if directory.exists():
        stack_command("down", directory, "--kill", "--wipe")
    stack_command("up", directory, "--only", "kafka,hdfs", "--ports", "auto", seconds=300)
    yield stack_in(directory)
    stack_command("down", directory, "--kill", "--wipe")


@pytest.fixture
def own_stack(own_servers):
    """Up and at work, whatever the test before has done to it."""
    stack_command("up", own_servers.directory, "--only", "kafka,hdfs", seconds=300)
    admin = Admin(own_servers.kafka)

    def controller_answers():
        try:
            admin.create_topic(f"probe-{uuid.uuid4().hex}", 1)
        except KafkaException:
            return False
        return True

    wait_until(controller_answers, "Kafka makes topics", 120)
    return own_servers


@pytest.mark.long
@pytest.mark.xdist_group("own stack")
def test_nothing_is_lost_or_doubled_when_kafka_dies_and_comes_back(own_stack, make_pipeline):
    pipeline = make_pipeline(on=own_stack)
    run = pipeline.start("run", "--rate", "100")
    pipeline.drop("first.csv", plane(1))
    pipeline.wait_for_predictions(100, epoch=1)
    stack_command("down", own_stack.directory, "--only", "kafka", "--kill")
    stack_command("up", own_stack.directory, "--only", "kafka", seconds=300)
    scored = len(pipeline.topic("predictions").read_to_end(120))
    pipeline.wait_for_predictions(scored + 100, seconds=120)
    # And a change of model still works.
    pipeline.drop("second.csv", plane(2))
    assert pipeline.wait_for_resume(2)["version"] == 2
    pipeline.wait_for_predictions(50, epoch=2)
    assert run.stop(signal.SIGINT)[0] == 0
    pipeline.ok("score", "--until-end", seconds=90)
    check_promises(pipeline)


@pytest.mark.long
@pytest.mark.xdist_group("own stack")
def test_the_stream_flows_while_hdfs_is_away_and_the_next_data_set_is_trained_after(
    own_stack, make_pipeline
):
    pipeline = make_pipeline(on=own_stack)
    run = pipeline.start("run", "--rate", "50")
    pipeline.drop("first.csv", plane(1))
    pipeline.wait_for_predictions(50, epoch=1)
    stack_command("down", own_stack.directory, "--only", "hdfs", "--kill")
    before = len(pipeline.topic("predictions").read_to_end())
    pipeline.wait_for_predictions(before + 100)
    stack_command("up", own_stack.directory, "--only", "hdfs", seconds=300)
    pipeline.wait_until(lambda: drops(pipeline, "second.csv", plane(2)), "HDFS takes files")
    assert pipeline.wait_for_resume(2)["version"] == 2
    pipeline.wait_for_predictions(50, epoch=2)
    assert run.stop(signal.SIGINT)[0] == 0
    pipeline.ok("score", "--until-end", seconds=90)
    check_promises(pipeline)


@pytest.mark.long
@pytest.mark.xdist_group("own stack")
@pytest.mark.parametrize("server", ["kafka", "hdfs"])
def test_an_end_waits_for_no_server_that_is_away_and_loses_nothing(
    own_stack, make_pipeline, server
):
    pipeline = make_pipeline(on=own_stack)
    run = pipeline.start("run", "--rate", "200")
    pipeline.drop("first.csv", plane(1))
    pipeline.wait_for_predictions(100, epoch=1)
    stack_command("down", own_stack.directory, "--only", server, "--kill")
    code, seconds = run.stop(signal.SIGINT)
    # And where there is nobody from the start.
    late = pipeline.start("run", "--no-produce")
    pipeline.wait_until(lambda: takes_signals(late), "it takes signals")
    late_code, late_seconds = late.stop(signal.SIGTERM)
    stack_command("up", own_stack.directory, "--only", server, seconds=300)
    assert (code, late_code) == (0, 0), run.stderr + late.stderr
    assert max(seconds, late_seconds) < 5
    assert "scored" in run.stdout.splitlines()[-1], "the summary"
    if server == "kafka":
        assert "goes on from what was committed" in run.stderr
    pipeline.ok("score", "--until-end", seconds=90)
    check_promises(pipeline)


@pytest.mark.long
@pytest.mark.xdist_group("own stack")
def test_rows_that_kafka_does_not_acknowledge_are_told(own_stack, make_pipeline):
    pipeline = make_pipeline(on=own_stack)
    pipeline.train_once("first.csv", plane(1))
    kafka = json.loads((own_stack.directory / "pids" / "kafka").read_text())["pid"]
    producer = pipeline.start("produce", "--rate", "max", "--count", "1000000000")
    features = f"{pipeline.name}.features"
    pipeline.wait_until(lambda: sum(log_ends(own_stack.kafka, features).values()) > 0, "rows flow")
    os.kill(kafka, signal.SIGSTOP)
    try:
        code, seconds = producer.stop(signal.SIGINT)
    finally:
        os.kill(kafka, signal.SIGCONT)
    assert code == 1, producer.stderr
    assert seconds < 5
    assert "rows were not acknowledged by Kafka" in producer.stderr


@pytest.mark.long
@pytest.mark.xdist_group("own stack")
def test_a_second_signal_ends_at_once(own_stack, make_pipeline):
    pipeline = make_pipeline(on=own_stack)
    run = pipeline.start("run", "--rate", "200")
    pipeline.drop("first.csv", plane(1))
    pipeline.wait_for_predictions(100, epoch=1)
    stack_command("down", own_stack.directory, "--only", "kafka", "--kill")
    run.send(signal.SIGINT)
    code, seconds = run.stop(signal.SIGTERM)
    stack_command("up", own_stack.directory, "--only", "kafka", seconds=300)
    assert code == 128 + signal.SIGTERM
    assert seconds < 1
    pipeline.ok("score", "--until-end", seconds=90)
    check_promises(pipeline)


@pytest.mark.long
@pytest.mark.xdist_group("own stack")
def test_a_namenode_that_dies_in_the_middle_of_a_training_costs_no_data_set(
    own_stack, make_pipeline
):
    pipeline = make_pipeline(on=own_stack)
    pipeline.train_once("first.csv", plane(1))
    scorer = pipeline.start("score")
    pipeline.start("produce", "--rate", "50")
    pipeline.wait_for_predictions(20, epoch=1)
    trainer = pipeline.start("train")
    pipeline.drop("second.csv", plane(2, rows=200_000))
    pipeline.wait_for_begin(2)
    stack_command("down", own_stack.directory, "--only", "hdfs", "--kill")
    stack_command("up", own_stack.directory, "--only", "hdfs", seconds=300)
    resume = pipeline.wait_for_resume(2, seconds=120)
    # Trained at last, or given up loudly with the old model in force: both end the halt.
    assert (resume["outcome"], resume["version"]) in (("trained", 2), ("failed", 1))
    pipeline.wait_for_predictions(50, epoch=2)
    moved = "used" if resume["outcome"] == "trained" else "rejected"
    pipeline.wait_until(
        lambda: any("second.2.csv" in name for name in getattr(pipeline, moved)()),
        f"second.csv is in {moved}/",
    )
    for process in (trainer, scorer):
        assert process.stop(signal.SIGTERM)[0] == 0
    pipeline.stop_all()
    pipeline.ok("score", "--until-end", seconds=90)
    check_promises(pipeline)


@pytest.mark.xdist_group("own stack")
def test_a_drop_waits_for_a_datanode_that_is_away_and_says_so(own_stack, make_pipeline):
    pipeline = make_pipeline(on=own_stack)
    pipeline.make_topics()
    (pipeline.folder / "set.csv").write_bytes(plane(1))
    stack_command("down", own_stack.directory, "--only", "datanode", "--kill")
    drop = pipeline.start("drop", "set.csv")
    drop.wait_for_stderr("waiting for it")
    assert "set.csv" not in pipeline.dropped()
    stack_command("up", own_stack.directory, "--only", "hdfs", seconds=300)
    assert drop.wait(90) == 0, drop.stderr
    assert pipeline.hdfs.read(f"{pipeline.dataset_path}/set.csv") == plane(1)


def takes_signals(process):
    """Whether it has got as far as to end by itself when it is asked to."""
    with open(f"/proc/{process.pid}/status", encoding="ascii") as status:
        blocked = next(line for line in status if line.startswith("SigBlk:")).split()[1]
    return int(blocked, 16) >> (signal.SIGTERM - 1) & 1


def drops(pipeline, name, data):
    """Whether HDFS, which may still be starting, took the file by `weir drop`."""
    (pipeline.folder / name).write_bytes(data)
    return pipeline.run("drop", name).returncode == 0


@pytest.mark.long
@pytest.mark.xdist_group("own stack")
def test_true_values_are_refused_while_kafka_is_away_and_none_that_was_taken_is_lost(
    own_stack, make_pipeline
):
    pipeline = make_pipeline(on=own_stack)
    pipeline.set("serve", {"port": 0, "push_timeout": "2s"})
    gateway = Gateway.of(pipeline.start("serve"))

    def post(ids):
        return gateway.ask("POST", "/v1/actuals", json.dumps([{"id": i, "actual": 1} for i in ids]))

    taken = [f"before-{n}" for n in range(100)]
    wait_until(lambda: post(taken).status == 202, "true values are taken")
    stack_command("down", own_stack.directory, "--only", "kafka", "--kill")
    later = [f"after-{n}" for n in range(100)]
    for _ in range(2):
        refused = post(later)
        assert refused.status == 503 and int(refused.headers["Retry-After"]) > 0, refused
        assert "send the same again" in refused.json["detail"]
    stack_command("up", own_stack.directory, "--only", "kafka", seconds=300)
    wait_until(lambda: post(later).status == 202, "true values are taken again", 120)
    there = {record.key.decode() for record in pipeline.topic("actuals").read_to_end()}
    assert there == set(taken + later)
    pipeline.stop_all()
