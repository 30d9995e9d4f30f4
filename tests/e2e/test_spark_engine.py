"""Trainers that submit their jobs to Spark: the same models, and no fault of Spark's halts the stream."""

import os
import signal

import pytest

from support.promises import check_promises
from support.spark import ALWAYS_FAIL, HANG, OTHER_BYTES, Cluster, Engine, once
from support.tables import houses, in_parts, plane
from support.waiting import wait_until


@pytest.fixture
def cluster(stack, tmp_path):
    made = Cluster(stack, tmp_path)
    yield made
    made.close()


def drop_folder(pipeline, name, table=None):
    """A data set of four parts, so of four splits."""
    folder = f"{pipeline.dataset_path}/{name}"
    for number, part in enumerate(in_parts(table or plane(11, rows=400), 4)):
        pipeline.hdfs.create(f"{folder}/part-{number}.csv", part)
    pipeline.hdfs.create(f"{folder}/_SUCCESS", b"")


def bytes_of(pipeline, version):
    return [pipeline.hdfs.read(f"{pipeline.model_path(version)}/{name}")
            for name in ("model.json", "test.csv")]


def hanging_once(pipeline):
    """An engine whose first task hangs, and the mark that is there once it does."""
    program, mark = once(pipeline.folder, HANG)
    return Engine(pipeline, "local[2]", program), mark


def test_a_trainer_on_local_threads_makes_the_model_of_one_machine_bit_for_bit(make_pipeline):
    alone, pipeline = make_pipeline(), make_pipeline()
    drop_folder(alone, "table")
    alone.ok("train", "--once")
    drop_folder(pipeline, "table")
    engine = Engine(pipeline, "local[2]", program="")  # weir-worker, beside the program
    pipeline.set("model.engine", "local")
    pipeline.ok("train", "--once", "--engine", "spark", seconds=120, **engine.variables)
    assert bytes_of(pipeline, 1) == bytes_of(alone, 1)
    manifest = pipeline.model(1).manifest["dataset"]
    assert manifest["sha256"] == "" and len(manifest["splits_sha256"]) == 64
    assert engine.left() == []
    check_promises(pipeline)

    path = f"{pipeline.dataset_path}/used/table.1/part-2.csv"
    changed = pipeline.hdfs.read(path).replace(b"1", b"2", 1)
    pipeline.hdfs.delete(path)
    pipeline.hdfs.create(path, changed)
    with pytest.raises(AssertionError, match="are not those trained on"):
        check_promises(pipeline)
    audit = pipeline.run("audit")
    assert audit.returncode == 1 and b"has splits_sha256" in audit.stdout


def test_what_all_rows_teach_is_found_by_a_job_of_its_own_to_the_same_bits(make_pipeline):
    alone, pipeline = make_pipeline(target="price"), make_pipeline(target="price")
    engine = Engine(pipeline, "local[2]", program="")
    for each in (alone, pipeline):
        each.set("features.missing", "mean")
        each.set("features.standardise", True)
        drop_folder(each, "houses", houses(4))
    alone.ok("train", "--once")
    done = pipeline.run("train", "--once", seconds=240, **engine.variables)
    assert done.returncode == 0, done.stderr
    assert done.stderr.count(b"a job was submitted to Spark") == 2, "the profile, and the model"
    assert bytes_of(pipeline, 1) == bytes_of(alone, 1)
    assert engine.left() == []
    check_promises(pipeline)


def test_a_spark_that_is_not_there_is_found_by_the_doctor_and_ends_the_trainer(pipeline):
    pipeline.set("model.engine", "spark")
    pipeline.set("spark.submit", "/opt/no-such-spark/bin/spark-submit")
    for command in (["doctor"], ["train", "--once"]):
        done = pipeline.run(*command)
        assert done.returncode == 78, done.stderr
        told = done.stdout if command == ["doctor"] else done.stderr
        assert b"while looking at spark.submit: '/opt/no-such-spark/bin/spark-submit'" in told


def test_a_cluster_trains_for_a_stream_that_is_scored_by_one_model_after_the_other(
    make_pipeline, cluster
):
    alone, pipeline = make_pipeline(), make_pipeline()
    alone.train_once("second.csv", plane(12, rows=900))
    engine = Engine(pipeline, cluster.url)
    drop_folder(pipeline, "first")
    pipeline.start("run", "--quiet", **engine.variables)
    pipeline.wait_for_predictions(20, epoch=1, seconds=120)
    pipeline.drop("second.csv", plane(12, rows=900))
    pipeline.wait_for_predictions(20, epoch=2, seconds=120)
    assert bytes_of(pipeline, 2) == bytes_of(alone, 1)
    pipeline.stop_all()
    check_promises(pipeline, all_scored=False)
    assert engine.left() == []


def test_a_job_that_fails_is_tried_again_and_then_the_old_model_rules_on_loudly(pipeline):
    pipeline.train_once("first.csv", plane(1))
    broken = pipeline.folder / "broken"
    broken.write_text(ALWAYS_FAIL)
    broken.chmod(0o755)
    engine = Engine(pipeline, "local[2]", broken)
    trainer = pipeline.start("train", **engine.variables)
    pipeline.drop("second.csv", plane(2))
    resume = pipeline.wait_for_resume(2, seconds=180)
    assert (resume["outcome"], resume["version"]) == ("failed", 1)
    assert "a cluster without any room" in resume["reason"]
    assert len(engine.pids(trainer)) == 3
    trainer.wait_for_stderr("training failed")
    pipeline.stop_all()
    check_promises(pipeline)
    assert engine.left() == []


def test_a_data_set_that_a_worker_cannot_read_for_its_own_fault_is_refused_at_once(pipeline):
    pipeline.train_once("first.csv", plane(1))
    broken = pipeline.folder / "broken"
    broken.write_text(OTHER_BYTES)
    broken.chmod(0o755)
    engine = Engine(pipeline, "local[2]", broken)
    trainer = pipeline.start("train", **engine.variables)
    pipeline.drop("second.csv", plane(2))
    resume = pipeline.wait_for_resume(2, seconds=180)
    assert (resume["outcome"], resume["version"]) == ("refused", 1)
    path = f"{pipeline.dataset_path}/second.csv"
    assert resume["reason"].startswith("while training on hdfs://"), resume["reason"]
    assert resume["reason"].endswith(
        f"{path}: while reading split 0 of 1: the file has only 7 bytes"), resume["reason"]
    assert len(engine.pids(trainer)) == 1
    trainer.wait_for_stderr("data set refused")
    pipeline.stop_all()
    check_promises(pipeline)
    assert engine.left() == []


def test_a_job_that_makes_no_headway_is_ended_and_the_old_model_rules_on(pipeline):
    pipeline.train_once("first.csv", plane(1))
    hanging = pipeline.folder / "hanging"
    hanging.write_text("#!/bin/sh\nexec sleep 1000\n")
    hanging.chmod(0o755)
    engine = Engine(pipeline, "local[2]", hanging)
    pipeline.set("spark.stall_max", "10s")
    trainer = pipeline.start("train", **engine.variables)
    pipeline.drop("second.csv", plane(2))
    resume = pipeline.wait_for_resume(2, seconds=90)
    assert (resume["outcome"], resume["version"]) == ("failed", 1)
    assert "spark.stall_max" in resume["reason"]
    assert len(engine.pids(trainer)) == 1
    wait_until(lambda: not engine.left(), lambda: f"nothing is left: {engine.left()}", 20)
    pipeline.stop_all()


def test_a_submitter_that_is_killed_is_followed_by_another_job(pipeline):
    engine, mark = hanging_once(pipeline)
    trainer = pipeline.start("train", **engine.variables)
    pipeline.drop("first.csv", plane(1))
    pipeline.wait_until(mark.exists, "the task hangs", 90)
    os.kill(engine.pids(trainer)[0], signal.SIGKILL)
    assert pipeline.wait_for_resume(1, seconds=120)["outcome"] == "trained"
    assert "was killed by signal 9" in trainer.stderr
    assert len(engine.pids(trainer)) == 2
    pipeline.stop_all()
    check_promises(pipeline)
    wait_until(lambda: not engine.left(), lambda: f"nothing is left: {engine.left()}", 20)


def test_a_trainer_that_is_told_to_end_ends_its_job_and_the_next_one_trains(pipeline):
    engine, mark = hanging_once(pipeline)
    trainer = pipeline.start("train", **engine.variables)
    pipeline.drop("first.csv", plane(1))
    pipeline.wait_until(mark.exists, "the task hangs", 90)
    code, seconds = trainer.stop(signal.SIGTERM)
    assert code == 0 and seconds < 6
    wait_until(lambda: not engine.left(), lambda: f"nothing is left: {engine.left()}", 20)
    assert pipeline.versions() == []
    pipeline.ok("train", "--once", seconds=120, **engine.variables)
    assert pipeline.versions() == [1]


def test_a_job_does_not_outlive_a_trainer_that_is_killed(pipeline):
    engine, mark = hanging_once(pipeline)
    trainer = pipeline.start("train", **engine.variables)
    pipeline.drop("first.csv", plane(1))
    pipeline.wait_until(mark.exists, "the task hangs", 90)
    trainer.kill()

    def processes():
        return [found for found in engine.left() if ":" in found]

    wait_until(lambda: not processes(), lambda: f"no process is left: {processes()}", 20)


def test_a_leader_that_was_deposed_ends_its_job_and_publishes_nothing(pipeline):
    engine, mark = hanging_once(pipeline)
    first = pipeline.start("train", name="first", **engine.variables)
    pipeline.drop("first.csv", plane(1))
    pipeline.wait_until(mark.exists, "the task hangs", 90)
    first.send(signal.SIGSTOP)
    second = pipeline.start("train", name="second", **engine.variables)
    resume = pipeline.wait_for_resume(1, seconds=120)
    assert resume["outcome"] == "trained" and resume["by"].endswith(f":{second.pid}")
    first.send(signal.SIGCONT)
    wait_until(lambda: not engine.left(), lambda: f"nothing is left: {engine.left()}", 30)
    pipeline.stop_all()
    assert pipeline.versions() == [1]
    check_promises(pipeline)
