"""Training on Spark: the same bits as on one machine, whatever becomes of tasks and executors."""

import pytest

from support.spark import FAIL, KILL_THE_EXECUTOR, Cluster, once, submit
from support.tables import plane

SPLITS = 20  # more than states are merged at the driver at a time


@pytest.fixture
def planned(pipeline):
    """A data set of twenty splits on HDFS, its plan, and the state that one machine makes of it."""
    pipeline.drop("table.csv", plane(12, rows=2000))
    length = len(pipeline.hdfs.read(f"{pipeline.dataset_path}/table.csv"))
    plan = pipeline.ok("plan", "--dataset", "table.csv",
                       "--split-bytes", length // (SPLITS - 1)).splitlines()
    assert len(plan) == SPLITS
    alone = pipeline.run("stats", stdin="\n".join(plan).encode())
    assert alone.returncode == 0, alone.stderr
    return pipeline, plan, alone.stdout


@pytest.fixture
def cluster(stack, tmp_path):
    made = Cluster(stack, tmp_path)
    yield made
    made.close()


def state_of(pipeline, done):
    assert done.returncode == 0, done.stdout.decode()[-4000:]
    return (pipeline.folder / "state").read_bytes()


def test_local_threads_come_to_the_state_of_one_machine(planned):
    pipeline, plan, alone = planned
    state = state_of(pipeline, submit(pipeline, "local[2]", plan, "state", tasks=SPLITS))
    assert state == alone
    pipeline.ok("fit", "state", "--out", "out")


def test_a_job_whose_data_went_away_says_so_in_words(planned):
    pipeline, plan, _ = planned
    pipeline.hdfs.delete(f"{pipeline.dataset_path}/table.csv")
    done = submit(pipeline, "local[2]", plan, "state")
    assert done.returncode == 1
    assert not (pipeline.folder / "state").exists()
    assert b"the job failed: TaskError: 'weir stats --base64' ended with" in done.stdout
    assert b"table.csv" in done.stdout.rsplit(b"the job failed", 1)[1]


def test_a_cluster_comes_to_the_state_of_one_machine_though_a_task_fails_and_an_executor_is_killed(
    planned, cluster
):
    pipeline, plan, alone = planned
    program, mark = once(pipeline.folder, FAIL)
    done = submit(pipeline, cluster.url, plan, "state", program)
    assert mark.exists() and b"a worker that has no room left" in done.stdout
    assert state_of(pipeline, done) == alone

    mark.rmdir()
    program, mark = once(pipeline.folder, KILL_THE_EXECUTOR)
    done = submit(pipeline, cluster.url, plan, "state", program)
    assert mark.exists() and b"Lost executor" in done.stdout
    assert state_of(pipeline, done) == alone
