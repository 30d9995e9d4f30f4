"""`weir audit`: finds nothing in what the program did, and names whatever was tampered with."""

import json
import math
from dataclasses import replace

import pytest
from confluent_kafka import Producer

from support.promises import check_promises
from support.tables import plane

GOOD = b'{"x1": 1.5, "x2": -2, "x3": 3}'


def audit(pipeline, *options, config="weir.yaml"):
    """(exit code, report) of `weir audit -o json`."""
    done = pipeline.run("audit", "-c", config, "-o", "json", *options)
    assert done.stdout, done.stderr.decode()
    return done.returncode, json.loads(done.stdout)


def found_in(report):
    """name -> the first offenders, of the checks that found something."""
    return {check["name"]: check["first"] for check in report["checks"] if check["count"]}


@pytest.fixture
def audited(pipeline):
    """A run with everything in it: two models, a refusal, a rollback, dead letters, tables."""
    pipeline.start("run", "--rate", "50")
    for epoch, name in ((1, "first.csv"), (2, "second.csv")):
        pipeline.drop(name, plane(epoch))
        pipeline.wait_for_predictions(20, epoch=epoch)
        pipeline.send([(f"own-{epoch}-{n}".encode(), GOOD) for n in range(20)])
        pipeline.send([(f"bad-{epoch}-{n}".encode(), b"{}", n % 3, [("h", b"1")]) for n in range(6)])
        pipeline.send([(b"table", b'{"s": {"x1": {"7": 1}, "x2": {"7": 2}, "x3": {"7": 3}}}')])
    pipeline.drop("bad.csv", b"x1,x2,x3,y\n1,2,x,4\n")
    assert pipeline.wait_for_resume(3)["outcome"] == "refused"
    pipeline.ok("models", "rollback", "1", seconds=90)
    pipeline.wait_for_predictions(20, epoch=4)
    pipeline.stop_all()
    pipeline.ok("score", "--until-end", "--quiet", seconds=90)
    return pipeline


def test_an_audit_agrees_with_the_independent_checker_and_counts_the_same(audited):
    evidence = check_promises(audited)
    code, report = audit(audited)
    assert found_in(report) == {}
    assert code == 0 and report["breaches"] == 0
    counts = report["counts"]
    assert counts["features"] == len(evidence.features)
    assert counts["predictions"] == len(evidence.predictions)
    assert counts["dead_letters"] == len(evidence.dead) >= 12
    assert counts["compared"] == len(evidence.features)
    assert (counts["waiting"], counts["not_judged"], counts["not_compared"]) == (0, 0, 0)
    assert (counts["epochs"], counts["models"], counts["datasets"]) == (4, 2, 3)
    text = audited.ok("audit")
    assert "BROKEN" not in text and text.count("kept") == 5
    # A window: the last epoch alone.
    since = next(t for t, record in evidence.control if record["epoch"] == 4)
    code, report = audit(audited, "--since", stamp(since))
    assert code == 0, found_in(report)
    assert 0 < report["counts"]["features"] < len(evidence.features)


def stamp(milliseconds):
    import datetime

    moment = datetime.datetime.fromtimestamp(milliseconds / 1000, datetime.timezone.utc)
    return moment.isoformat(timespec="milliseconds").replace("+00:00", "Z")


def test_an_audit_beside_a_pipeline_at_work_accuses_nobody(pipeline):
    pipeline.set("topics.partitions", 2)
    pipeline.start("run", "--rate", "500")
    for epoch in (1, 2, 3):
        pipeline.drop(f"{epoch}.csv", plane(epoch, rows=3000))
        pipeline.wait_for_predictions(50, epoch=epoch)
        code, report = audit(pipeline)
        assert code == 0, found_in(report)
    pipeline.stop_all()


# ---- tampering ----


def edit(key, change):
    """Changes the record with this key."""

    def edited(records):
        found = [record for record in records if record.key == key]
        assert found, key
        return [change(record) if record is found[0] else record for record in records]

    return edited


def drop(key):
    def dropped(records):
        left = [record for record in records if record.key != key]
        assert len(left) == len(records) - 1, key
        return left

    return dropped


def double(key):
    return lambda records: records + [record for record in records if record.key == key]


def with_value(**members):
    return lambda record: replace(
        record, value=json.dumps({**json.loads(record.value), **members}).encode()
    )


def next_number(record):
    value = json.loads(record.value)
    return with_value(prediction=math.nextafter(value["prediction"], math.inf))(record)


def forge_resume(records):
    """Puts version 1 in force again, by another hand than the trainer's."""
    last = json.loads(records[-1].value)
    assert last["type"] == "resume"
    return [*records, replace(records[-1], value=json.dumps({**last, "version": 2}).encode())]


TOPICS = {
    "a prediction is dropped": ("predictions", drop(b"own-1-3"), {"lost"}),
    "a prediction is doubled": ("predictions", double(b"own-1-3"), {"doubled"}),
    "the last bit is changed": ("predictions", edit(b"own-2-3", next_number), {"wrong_value"}),
    "two versions are swapped": (
        "predictions",
        edit(b"own-1-3", with_value(model=2)),
        {"wrong_model", "wrong_value"},
    ),
    "an old epoch is claimed": (
        "predictions",
        edit(b"own-2-19", with_value(epoch=1, model=1)),
        {"wrong_value", "epoch_falls", "swap_not_on_record"},
    ),
    "a dead letter is dropped": ("dead", drop(b"bad-1-0"), {"lost"}),
    "a dead letter is changed": (
        "dead",
        edit(b"bad-1-0", lambda r: replace(r, value=b"{} ")),
        {"dead_letter_changed"},
    ),
    "a resume is forged": ("control", forge_resume, {"control_out_of_order"}),
    "an answer is made up": (
        "predictions",
        lambda records: [*records, with_value(offset=10**9)(records[-1])],
        {"phantom"},
    ),
}


def copy_tampered(pipeline, kind, number, tamper):
    """A settings file under which a topic is a tampered copy of the real one."""
    topic = f"{pipeline.topic_name(kind)}-{number}"
    pipeline.admin.create_topic(topic, len(pipeline.topic(kind).partitions))
    producer = Producer({"bootstrap.servers": pipeline.stack.kafka})
    for record in tamper(sorted(pipeline.topic(kind).read_to_end(), key=lambda r: r.timestamp)):
        producer.produce(
            topic,
            key=record.key,
            value=record.value,
            partition=record.partition,
            timestamp=record.timestamp,
            headers=record.headers,
        )
    assert producer.flush(60) == 0
    settings = f"tampered-{number}.yaml"
    text = (pipeline.folder / "weir.yaml").read_text()
    (pipeline.folder / settings).write_text(text + f'  {kind}: "{topic}"\n')
    return settings


def test_an_audit_names_what_was_tampered_with_in_the_topics(audited):
    # So that a line can be added to that section.
    partitions = audited.settings.pop("topics")
    audited.settings["topics"] = partitions
    audited.write_settings()
    wrong = {}
    for number, (name, (kind, tamper, expected)) in enumerate(TOPICS.items()):
        code, report = audit(audited, config=copy_tampered(audited, kind, number, tamper))
        found = found_in(report)
        if code != 1 or not expected <= set(found) or set(found) - expected - {"out_of_reign"}:
            wrong[name] = (code, found)
    assert not wrong


def put(path, data):
    def change(pipeline):
        full = f"{pipeline.root}/{path}"
        before = pipeline.hdfs.read(full) if pipeline.hdfs.exists(full) else None
        if before is not None:
            pipeline.hdfs.delete(full)
        pipeline.hdfs.create(full, data(before) if callable(data) else data)

        def undo():
            pipeline.hdfs.delete(full)
            if before is not None:
                pipeline.hdfs.create(full, before)

        return undo

    return change


def move(path, to):
    def change(pipeline):
        pipeline.hdfs.rename(f"{pipeline.root}/{path}", f"{pipeline.root}/{to}")
        return lambda: pipeline.hdfs.rename(f"{pipeline.root}/{to}", f"{pipeline.root}/{path}")

    return change


FILES = {
    "a model is truncated": (
        put("models/0000000001/model.json", lambda text: text[:-2]),
        {"model_broken", "unknown_model"},
    ),
    "a model is removed": (
        move("models/0000000002", "away"),
        {"model_missing", "unknown_model"},
    ),
    "a used data set is edited": (
        put("dataset/used/first.1.csv", lambda text: text.replace(b"1", b"2", 1)),
        {"dataset_changed"},
    ),
    "a used data set is moved": (
        move("dataset/used/first.1.csv", "dataset/used/last.1.csv"),
        {"dataset_missing", "stray_data"},
    ),
    "a stray file is added": (put("models/0000000001/notes.txt", b"x"), {"stray_model_file"}),
    "a reason is removed": (
        move("dataset/rejected/bad.3.csv.reason.json", "away.json"),
        {"reason_missing"},
    ),
}


def test_an_audit_names_what_was_tampered_with_in_hdfs(audited):
    wrong = {}
    for name, (change, expected) in FILES.items():
        undo = change(audited)
        code, report = audit(audited)
        undo()
        if code != 1 or set(found_in(report)) != expected:
            wrong[name] = (code, found_in(report))
    assert not wrong
    code, report = audit(audited)
    assert code == 0, found_in(report)


def test_an_audit_says_what_it_cannot_reach_or_read(pipeline):
    pipeline.make_topics()
    nothing = pipeline.run("audit")
    assert nothing.returncode == 0, nothing.stderr
    assert b"0 features" in nothing.stdout
    away = pipeline.run("audit", "-X", "bootstrap.servers=127.0.0.1:1")
    assert away.returncode == 69
    assert b"127.0.0.1:1" in away.stderr
    wrong = pipeline.run("audit", "--since", "yesterday")
    assert wrong.returncode != 0 and b"2026-11-25T10:00:00Z" in wrong.stderr
    missing = pipeline.run("audit", "-s", "topics.dead=no-such-topic")
    assert missing.returncode != 0 and b"no-such-topic" in missing.stderr
