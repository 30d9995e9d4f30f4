"""Training in pieces: plan, stats, merge and fit, as a scheduler would run them, on real HDFS."""

import json

import pytest

from support.tables import plane


@pytest.fixture
def planned(pipeline):
    """A folder of four parts that has been trained on by the trainer, and its plan."""
    lines = plane(11, rows=400).decode().splitlines()
    header, rows = lines[0], lines[1:]
    folder = f"{pipeline.dataset_path}/spark"
    for number in range(4):
        part = "\n".join([header, *rows[number::4]]) + "\n"
        pipeline.hdfs.create(f"{folder}/part-0000{number}.csv", part.encode())
    pipeline.hdfs.create(f"{folder}/_SUCCESS", b"")
    plan = pipeline.ok("plan", "--dataset", "spark").splitlines()
    assert len(plan) == 4
    return pipeline, plan


def fit(pipeline, states, folder):
    pipeline.ok("fit", "--out", folder, "--quiet", stdin=states)
    out = pipeline.folder / folder
    return (out / "model.json").read_bytes(), (out / "test.csv").read_bytes()


def test_states_of_splits_make_the_model_that_the_trainer_makes_bit_for_bit(planned):
    pipeline, plan = planned
    states = []
    for line in reversed(plan):
        done = pipeline.run("stats", "--base64", stdin=line.encode())
        assert done.returncode == 0, done.stderr
        states.append(done.stdout)
    merged = pipeline.run("merge", stdin=b"".join(states))
    assert merged.returncode == 0, merged.stderr
    at_once = pipeline.run("stats", stdin="\n".join(plan).encode())
    assert at_once.stdout == merged.stdout, "grouping makes no difference"
    model, sample = fit(pipeline, merged.stdout, "out")

    pipeline.ok("train", "--once")
    assert model == pipeline.hdfs.read(f"{pipeline.model_path(1)}/model.json")
    assert sample == pipeline.hdfs.read(f"{pipeline.model_path(1)}/test.csv")
    assert [path.name for path in pipeline.folder.glob("out*")] == ["out"]
    again = pipeline.run("fit", "--out", "out/", stdin=merged.stdout)
    assert again.returncode != 0 and b"out is there already" in again.stderr
    assert (pipeline.folder / "out/model.json").read_bytes() == model
    manifest = json.loads((pipeline.folder / "out/manifest.json").read_text())
    trained = pipeline.model(1).manifest
    for name in ("held_out", "fit", "schema", "split", "training"):
        assert manifest[name] == trained[name], name
    for name in ("rows", "rows_trained", "rows_held_out", "split_bytes"):
        assert manifest["dataset"][name] == trained["dataset"][name], name


def test_a_plan_by_the_address_of_the_web_server_needs_no_hadoop_configuration(planned):
    pipeline, _ = planned
    address = f"webhdfs://{pipeline.stack.namenode_http}{pipeline.dataset_path}/spark"
    plan = pipeline.ok("plan", address)
    states = pipeline.run("stats", stdin=plan.encode(), HADOOP_CONF_DIR="")
    assert states.returncode == 0, states.stderr
    assert states.stdout.startswith(b"weirstat")


def test_what_is_missing_twice_there_or_of_another_plan_is_refused_by_name(planned):
    pipeline, plan = planned

    def refusal(*command, stdin):
        done = pipeline.run(*command, stdin=stdin)
        assert done.returncode == 65, (done.returncode, done.stderr)
        return done.stderr.decode()

    state = [pipeline.run("stats", stdin=line.encode()).stdout for line in plan]
    assert "split 1, split 3" in refusal("fit", "--out", "x", stdin=state[2] + state[0])
    assert not (pipeline.folder / "x").exists()
    assert "split 2 came twice" in refusal("merge", stdin=state[2] + state[1] + state[2])
    pipeline.set("dataset.seed", 5)
    other = pipeline.ok("plan", "--dataset", "spark").splitlines()
    mixed = state[0] + pipeline.run("stats", stdin=other[1].encode()).stdout
    assert "options.seed: 1 and 5" in refusal("merge", stdin=mixed)
    damaged = bytearray(state[0])
    damaged[len(damaged) // 2] ^= 4
    done = pipeline.run("merge", stdin=bytes(damaged))
    assert done.returncode != 0 and b"sha256 differs" in done.stderr


def test_a_task_that_runs_twice_changes_nothing(planned):
    pipeline, plan = planned
    once = pipeline.run("stats", stdin="\n".join(plan).encode()).stdout
    again = pipeline.run("stats", stdin="\n".join(plan).encode()).stdout
    assert once == again
    merged = pipeline.run("merge", "--ignore-duplicates", stdin=once + again)
    assert merged.returncode == 0 and merged.stdout == once


def test_a_worker_says_which_split_it_could_not_read_and_why(planned):
    pipeline, plan = planned
    pipeline.hdfs.delete(f"{pipeline.dataset_path}/spark/part-00002.csv")
    done = pipeline.run("stats", stdin=plan[2].encode())
    assert done.returncode != 0 and done.stdout == b""
    assert b"split 2 of 4" in done.stderr and b"part-00002.csv" in done.stderr


def test_a_line_that_a_worker_cannot_take_is_not_called_the_fault_of_the_data(planned):
    pipeline, plan = planned
    other = json.loads(plan[1])
    other["weir_split"] += 1
    for line, words in [(plan[1][:-40], b"not a line of 'weir plan'"),
                        (json.dumps(other), b"of another version of the program")]:
        done = pipeline.run("stats", stdin=line.encode())
        assert done.returncode == 2 and words in done.stderr, (done.returncode, done.stderr)
