"""What may come in the features topic, and what any client reads of the answers."""

import json
import subprocess

import pytest
from support.promises import check_promises
from support.tables import plane, read_table

FEATURES = ["x1", "x2", "x3"]


@pytest.fixture
def trained(pipeline):
    """A pipeline whose first model is in force; nothing else runs."""
    pipeline.train_once("first.csv", plane(1))
    return pipeline


def flat(row):
    return json.dumps(dict(zip(FEATURES, row))).encode()


def pandas_shape(rows, member="sample"):
    """As DataFrame.to_json of the original program: column -> row label -> value."""
    columns = {
        name: {str(100 + label): row[column] for label, row in enumerate(rows)}
        for column, name in enumerate(FEATURES)
    }
    return json.dumps({member: columns}).encode()


def score_all(pipeline):
    pipeline.ok("score", "--until-end", "--quiet", seconds=90)
    return check_promises(pipeline)


def answers_by_key(evidence):
    return {record.key: json.loads(record.value) for record in evidence.predictions}


def test_both_message_shapes_are_scored_one_row_or_many(trained):
    rows = [row[:3] for row in read_table(plane(1))[1][:6]]
    records = [(f"flat-{n}".encode(), flat(row)) for n, row in enumerate(rows)]
    records += [(f"pandas-{n}".encode(), pandas_shape([row])) for n, row in enumerate(rows)]
    records += [(b"many", pandas_shape(rows)), (b"other-name", pandas_shape(rows, "rows"))]
    trained.send(records)
    answers = answers_by_key(score_all(trained))
    assert len(answers) == len(records)
    flat_values = [answers[f"flat-{n}".encode()]["prediction"] for n in range(len(rows))]
    for n, value in enumerate(flat_values):
        # The second shape may hold many rows, so its answer is a list even for one.
        assert answers[f"pandas-{n}".encode()]["prediction"] == [value]
    assert answers[b"many"]["prediction"] == flat_values
    assert answers[b"other-name"]["prediction"] == flat_values


def test_columns_in_any_order_and_other_members_give_the_same_bits(trained):
    row = {"x1": 0.1, "x2": -7.000000000000001, "x3": 1e-7}
    orders = [
        row,
        dict(reversed(row.items())),
        {"x2": row["x2"], "id": "a", "x3": row["x3"], "more": [1, {"x1": 5}], "x1": row["x1"]},
    ]
    trained.send([(str(n).encode(), json.dumps(order).encode()) for n, order in enumerate(orders)])
    answers = answers_by_key(score_all(trained))
    assert len({answer["prediction"].hex() for answer in answers.values()}) == 1
    assert len(answers) == 3


GOOD = b'{"x1": 1, "x2": 2, "x3": 3}'
# value -> the reason's last word in the exception's class name
DEAD = {
    b"tombstone": (None, "tombstone"),
    b"empty": (b"", "tombstone"),
    b"garbage": (b"\x00\xff\xfegarbage", "not_json"),
    b"not-utf8": (b'{"x1": 1, "x2": 2, "x3": 3, "note": "\xff"}', "not_utf8"),
    b"cut": (GOOD[:-3], "not_json"),
    b"trailing": (GOOD + b" x", "not_json"),
    b"array": (b"[1, 2, 3]", "not_an_object"),
    b"missing": (b'{"x1": 1, "x2": 2}', "missing_feature"),
    b"twice": (b'{"x1": 1, "x2": 2, "x3": 3, "x1": 4}', "duplicate_feature"),
    b"quoted": (b'{"x1": "1", "x2": 2, "x3": 3}', "not_a_number"),
    b"null": (b'{"x1": null, "x2": 2, "x3": 3}', "not_a_number"),
    b"nan": (b'{"x1": NaN, "x2": 2, "x3": 3}', "not_json"),
    b"huge-number": (b'{"x1": 1e999, "x2": 2, "x3": 3}', "out_of_range"),
    b"labels": (b'{"sample": {"x1": {"0": 1}, "x2": {"1": 2}, "x3": {"0": 3}}}', "row_labels"),
    b"deep": (b'{"x1": 1, "x2": 2, "x3": 3, "deep": ' + b"[" * 500 + b"]" * 500 + b"}", "too_deep"),
    b"not-finite": (b'{"x1": 1e308, "x2": 1e308, "x3": 1e308}', "prediction_not_finite"),
}


def test_what_cannot_be_scored_becomes_a_dead_letter_with_key_value_headers_and_reason(trained):
    own_headers = [("trace", b"42"), ("trace", b"\x00\xff"), ("empty", b"")]
    records = [(key, value, 1, own_headers) for key, (value, _) in DEAD.items()]
    records.insert(3, (b"good", GOOD, 1))
    records.append((None, GOOD, 1))
    records.append((None, b"no key and no sense", 1))
    trained.send(records)
    evidence = score_all(trained)
    assert sorted(r.key or b"" for r in evidence.predictions) == [b"", b"good"]

    by_key = {record.key: record for record in evidence.dead}
    assert set(by_key) == {*DEAD, None}
    places = {r.key: r for r in evidence.features}
    for key, (value, reason) in DEAD.items():
        letter = by_key[key]
        assert letter.value == value
        assert letter.headers[:3] == own_headers
        found = letter.header("__connect.errors.exception.class.name")
        assert found == f"weir.refusal.{reason}", key
        assert letter.header("__connect.errors.topic") == trained.topic_name("features")
        assert letter.header("__connect.errors.partition") == "1"
        assert letter.header("__connect.errors.offset") == str(places[key].offset)
        assert letter.header("__connect.errors.connector.name") == trained.name
        assert letter.header("__connect.errors.exception.message").isprintable()
    missing = by_key[b"missing"].header("__connect.errors.exception.message")
    assert "x3" in missing


def test_messages_of_any_size_are_answered(pipeline):
    pipeline.admin.create_topic(
        pipeline.topic_name("features"), 1, **{"max.message.bytes": "12000000"}
    )
    pipeline.train_once("first.csv", plane(1))
    wide = b'{"x1": 1, "x2": 2, "note": "' + b"n" * 900_000 + b'", "x3": 3}'
    large = b"garbage" * 100_000
    # Nearly as large as a message may be: with its reasons it no longer fits.
    nearly = b"[" + b"1," * 499_900 + b"1]"
    huge = b'{"x1": 1, "x2": 2, "note": "' + b"n" * 10_000_000 + b'", "x3": 3}'
    pipeline.send(
        [(b"wide", wide), (b"large", large), (b"nearly", nearly), (b"huge", huge)]
        # A key that leaves no room for a prediction, nor for the reasons of a dead letter.
        + [(b"k" * 1_100_000, GOOD), (b"l" * 1_100_000, b"garbage"), (b"last", GOOD)]
    )
    evidence = score_all(pipeline)
    assert sorted(record.key for record in evidence.predictions) == [b"last", b"wide"]
    letters = {record.key: record for record in evidence.dead}
    assert letters[b"large"].value == large
    without_key = [r for r in evidence.dead if r.key is None]
    reasons = sorted(r.header("__connect.errors.exception.class.name") for r in without_key)
    assert reasons == ["weir.refusal.not_json", "weir.refusal.prediction_too_large"]
    assert all(r.header("weir.record.left.out") for r in without_key)
    assert letters[b"nearly"].value in (nearly, None)
    huge_reason = letters[b"huge"].header("__connect.errors.exception.class.name")
    assert huge_reason == "weir.refusal.too_long"


def test_any_client_reads_the_predictions(trained):
    rows = [row[:3] for row in read_table(plane(1))[1][:50]]
    trained.send([(f"k{n}".encode(), flat(row)) for n, row in enumerate(rows)])
    evidence = score_all(trained)
    assert len(evidence.predictions) == len(rows)
    by_confluent = sorted((r.key.decode(), r.value.decode()) for r in evidence.predictions)
    done = subprocess.run(
        ["kcat", "-q", "-C", "-b", trained.stack.kafka, "-t", trained.topic_name("predictions")]
        + ["-X", "isolation.level=read_committed", "-o", "beginning", "-e", "-f", "%k\\t%s\\n"],
        capture_output=True,
        timeout=60,
        check=True,
        text=True,
    )
    by_kcat = sorted(tuple(line.split("\t")) for line in done.stdout.splitlines())
    assert by_kcat == by_confluent
    for key, value in by_kcat:
        answer = json.loads(value)
        assert list(answer) == ["prediction", "model", "epoch", "partition", "offset"], key
        assert (answer["model"], answer["epoch"]) == (1, 1)


def test_equal_keys_of_any_producer_land_in_the_same_partition_of_the_predictions(trained):
    trained.send([(f"user-{n % 20}".encode(), GOOD) for n in range(200)])
    evidence = score_all(trained)
    partitions_of = {}
    for record in evidence.predictions:
        partitions_of.setdefault(record.key, set()).add(record.partition)
    assert all(len(found) == 1 for found in partitions_of.values())
    assert len(set.union(*partitions_of.values())) > 1
