"""Replays: what the stream held is scored again with a model of one's choice, and nobody notices."""

import json
import shlex
import signal
from collections import Counter
from datetime import datetime, timezone

import pytest
from support.kafka import Topic
from support.promises import check_promises
from support.tables import plane, read_table

FEATURES = ["x1", "x2", "x3"]
# Whatever else is on the stream: these are the live pipeline's own.
KINDS = ("features", "predictions", "dead", "control", "members", "swaps")


def records(count, seed=5):
    rows = read_table(plane(seed, rows=count))[1]
    return [
        (f"{seed}-{number}".encode(), json.dumps(dict(zip(FEATURES, row))).encode())
        for number, row in enumerate(rows)
    ]


@pytest.fixture
def scored(pipeline):
    """A stream of which the first part was scored by model 1 and the rest by model 2."""
    pipeline.train_once("first.csv", plane(1))
    pipeline.send(records(150) + [(b"bad", b"no json", 1, [("kept", b"yes")])])
    pipeline.ok("score", "--until-end", "--quiet", seconds=90)
    pipeline.train_once("second.csv", plane(2))
    pipeline.send(records(50, seed=6))
    pipeline.ok("score", "--until-end", "--quiet", seconds=90)
    return pipeline


def read(pipeline, name):
    topic = Topic(pipeline.stack.kafka, name)
    try:
        return topic.read_to_end()
    finally:
        topic.close()


def place(record):
    answer = json.loads(record.value)
    return answer["partition"], answer["offset"]


def check_answers(pipeline, answers, wanted, version):
    """One answer for each of `wanted`: the model applied to that record, bit for bit."""
    model = pipeline.model(version)
    origins = {(r.partition, r.offset): r for r in wanted}
    assert Counter(map(place, answers)) == Counter(list(origins))
    for record in answers:
        answer = json.loads(record.value)
        origin = origins[place(record)]
        row = json.loads(origin.value)
        expected = model.predict([row[n] for n in model.features])
        assert answer["prediction"].hex() == expected.hex(), answer
        assert (answer["model"], answer["epoch"]) == (version, version)
        assert record.key == origin.key


def test_a_replay_with_an_older_model_is_right_and_leaves_the_live_pipeline_as_it_was(scored):
    before = {kind: scored.topic(kind).read_to_end() for kind in KINDS}
    offsets = scored.committed()
    to = f"{scored.name}.again"

    told = scored.ok("score", "--from", "earliest", "--model", "1", "--to", to, "-o", "json")
    summary = json.loads(told)
    assert summary["complete"] and summary["continue_from"] is None
    assert (summary["scored"], summary["dead_lettered"]) == (200, 1)

    good = [r for r in before["features"] if r.key != b"bad"]
    answers = read(scored, to)
    check_answers(scored, answers, good, version=1)
    # What model 1 scored live when it ruled first has the very same bytes.
    live = {place(r): r.value for r in before["predictions"]}
    same = [r for r in answers if json.loads(live[place(r)])["model"] == 1]
    assert len(same) == 150
    assert all(r.value == live[place(r)] for r in same)
    (dead,) = read(scored, f"{to}.dead")
    (live_dead,) = before["dead"]
    assert (dead.key, dead.value, dead.headers[0]) == (b"bad", b"no json", ("kept", b"yes"))
    reason = "__connect.errors.exception.message"
    assert dead.header(reason) == live_dead.header(reason)

    assert {kind: scored.topic(kind).read_to_end() for kind in KINDS} == before
    assert scored.committed() == offsets
    check_promises(scored)

    # A second one would mix with the first.
    done = scored.run("score", "--from", "earliest", "--model", "2", "--to", to)
    assert done.returncode == 2 and b"not empty" in done.stderr and b"--append" in done.stderr
    assert len(read(scored, to)) == 200


def test_a_replay_begins_at_offsets_or_at_a_time(scored):
    features = scored.topic("features").read_to_end()
    good = [r for r in features if r.key != b"bad"]
    ends = {p: 1 + max(r.offset for r in features if r.partition == p) for p in (0, 1, 2)}
    begin = {0: ends[0] - 3, 2: ends[2]}
    to = f"{scored.name}.offsets"
    start = ",".join(f"{partition}:{offset}" for partition, offset in begin.items())
    scored.ok("score", "--from", start, "--model", "2", "--to", to)
    wanted = [r for r in good if r.offset >= begin.get(r.partition, 0)]
    check_answers(scored, read(scored, to), wanted, version=2)

    # The records of the second part are younger than the training between the two.
    first = min(r.timestamp for r in good if r.key.startswith(b"6-"))
    time = datetime.fromtimestamp(first / 1000, timezone.utc).isoformat(timespec="milliseconds")
    to = f"{scored.name}.since"
    told = scored.ok("score", "--from", time, "--model", "1", "--to", to)
    assert "50 predictions" in told
    check_answers(scored, read(scored, to), [r for r in good if r.timestamp >= first], version=1)
    to = f"{scored.name}.hours"
    scored.ok("score", "--from", "2h", "--model", "1", "--to", to)
    check_answers(scored, read(scored, to), good, version=1)


def test_a_replay_that_is_interrupted_tells_how_to_go_on_and_each_record_is_answered_once(scored):
    scored.send(records(100_000, seed=7))
    # It takes a moment only: some may be through before the signal comes.
    for attempt in range(20):
        to = f"{scored.name}.parts-{attempt}"
        replay = scored.start("score", "--from", "earliest", "--model", "2", "--to", to)
        scored.wait_until(lambda: f"{to}.dead" in scored.admin.topics(), "topics are made", every=0)
        code = replay.stop(signal.SIGINT)[0] if replay.running() else replay.exit_code()
        scored.processes.remove(replay)
        if code != 0:
            break
    assert code == 1, replay.stderr
    (told,) = [line for line in replay.stdout.splitlines() if line.startswith("go on with: ")]
    rest = shlex.split(told.removeprefix("go on with: "))
    assert rest[0] == "weir" and rest[-1] == "--append"
    scored.ok(*rest[1:], seconds=90)
    features = scored.topic("features").read_to_end()
    check_answers(scored, read(scored, to), [r for r in features if r.key != b"bad"], version=2)


def test_what_is_no_replay_is_refused_and_says_why(scored):
    def refusal(*arguments):
        done = scored.run("score", *arguments)
        return done.returncode, done.stderr.decode()

    own = scored.topic_name("predictions")
    swaps = scored.topic_name("swaps")
    for arguments, code, words in [
        (["--from", "earliest"], 2, "--model and --to"),
        (["--from", "earliest", "--model", "1"], 2, "--to"),
        (["--model", "1", "--to", "x"], 2, "--from"),
        (["--from", "yesterday", "--model", "1", "--to", "x"], 2, "0:100,1:250"),
        (["--from", "9:0", "--model", "1", "--to", "x"], 2, "no partition 9"),
        (["--from", "earliest", "--model", "1", "--to", own], 2, own),
        (["--from", "earliest", "--model", "1", "--to", swaps], 2, swaps),
        (["--from", "earliest", "--model", "1", "--to", scored.name], 2, f"{scored.name}.dead"),
        (["--from", "earliest", "--model", "7", "--to", "x"], 74, "no model version 7 in"),
    ]:
        found, told = refusal(*arguments)
        assert found == code and words in told, (arguments, found, told)
    assert "x" not in scored.admin.topics()
