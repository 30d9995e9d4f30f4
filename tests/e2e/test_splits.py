"""Training in pieces: plan, stats, merge and fit, as a scheduler would run them, on real HDFS."""

import json

import pytest

from support.tables import houses, in_parts, plane


@pytest.fixture
def planned(pipeline):
    """A folder of four parts that has been trained on by the trainer, and its plan."""
    put_parts(pipeline, in_parts(plane(11, rows=400), 4))
    plan = pipeline.ok("plan", "--dataset", "spark").splitlines()
    assert len(plan) == 4
    return pipeline, plan


def put_parts(pipeline, parts):
    folder = f"{pipeline.dataset_path}/spark"
    for number, part in enumerate(parts):
        pipeline.hdfs.create(f"{folder}/part-0000{number}.csv", part)
    pipeline.hdfs.create(f"{folder}/_SUCCESS", b"")


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


def test_workers_look_through_all_rows_for_the_plan_that_would_do_so_itself(make_pipeline):
    pipeline = make_pipeline(target="price")
    pipeline.set("features.missing", "mean")
    pipeline.set("features.standardise", True)
    parts = [part.replace(b"o'er, ", b"o'er,\n") for part in in_parts(houses(3), 4)]
    put_parts(pipeline, parts)

    def states_of(plan):
        states = []
        for line in reversed(plan.splitlines()):
            done = pipeline.run("stats", "--base64", stdin=line.encode())
            assert done.returncode == 0, done.stderr
            states.append(done.stdout)
        return b"".join(states)

    for cut in ([], ["--split-bytes", 500]):
        of_profile = pipeline.ok("plan", "--dataset", "spark", "--profile", *cut)
        assert len(of_profile.splitlines()) == (4 if not cut else sum(-(-len(p) // 500) for p in parts))
        merged = pipeline.run("merge", "--base64", stdin=states_of(of_profile))
        assert merged.returncode == 0, merged.stderr
        (pipeline.folder / "profile").write_bytes(merged.stdout)
        plan = pipeline.ok("plan", "--dataset", "spark", *cut, "--with-profile", "profile")
        assert plan == pipeline.ok("plan", "--dataset", "spark", *cut)
        if not cut:
            model, sample = fit(pipeline, states_of(plan), "out")
    pipeline.ok("train", "--once")
    assert model == pipeline.hdfs.read(f"{pipeline.model_path(1)}/model.json")
    assert sample == pipeline.hdfs.read(f"{pipeline.model_path(1)}/test.csv")


def test_a_profile_serves_no_other_plan_and_makes_no_model(make_pipeline):
    pipeline = make_pipeline(target="price")
    put_parts(pipeline, in_parts(houses(3), 2))
    lines = pipeline.ok("plan", "--dataset", "spark", "--profile").splitlines()
    one, two = (pipeline.run("stats", stdin=line.encode()).stdout for line in lines)

    def refusal(*command, stdin):
        done = pipeline.run(*command, stdin=stdin)
        assert done.returncode == 65, (done.returncode, done.stderr)
        return done.stderr.decode()

    with_profile = ["plan", "--dataset", "spark", "--with-profile", "-"]
    assert "some are missing: split 1" in refusal(*with_profile, stdin=one)
    assert "split 0 came twice" in refusal(*with_profile, stdin=one + two + one)
    assert "'weir plan --with-profile'" in refusal("fit", "--out", "x", stdin=one + two)
    plan = pipeline.run(*with_profile, stdin=two + one)
    assert plan.returncode == 0, plan.stderr
    twice = pipeline.run(*with_profile, "--ignore-duplicates", stdin=two + one + two)
    assert twice.stdout == plan.stdout, twice.stderr
    model = pipeline.run("stats", stdin=plan.stdout)
    assert "which 'weir fit' makes of them" in refusal(*with_profile, stdin=model.stdout)
    assert "makes:" in refusal("merge", stdin=one + model.stdout)
    pipeline.set("dataset.seed", 5)
    assert "options.seed: 5 and 1" in refusal(*with_profile, stdin=one + two)
    neither = pipeline.run(*with_profile, "--profile", stdin=one + two)
    assert neither.returncode == 2, neither.stderr


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
