"""Faults planted in a run that kept its promises: the checker must name each."""

import contextlib
import dataclasses
import json


class Change:
    """Nothing is changed; the tamperings below override what they change."""

    name = "nothing"
    expected = ""

    def predictions(self, records):
        return records

    def dead(self, records):
        return records

    def control(self, control):
        return control


def _with(record, **members):
    """A prediction with other members in its value."""
    return dataclasses.replace(
        record, value=json.dumps({**json.loads(record.value), **members}).encode()
    )


class _OnePrediction(Change):
    """The prediction at a place in the stream, replaced by none, one or several others."""

    def __init__(self, name, expected, at, replace):
        self.name, self.expected, self._at, self._replace = name, expected, at, replace

    def predictions(self, records):
        for number, record in enumerate(records):
            if number == self._at:
                yield from self._replace(record)
            else:
                yield record


class _OneDeadLetter(Change):
    def __init__(self, name, expected, replace):
        self.name, self.expected, self._replace = name, expected, replace

    def dead(self, records):
        yield from self._replace(next(records))
        yield from records


class _ForgedResume(Change):
    name = "a forged resume"
    expected = "control log"

    def control(self, control):
        return [*control, control[-1]]


class _EarlierResume(Change):
    """As if a model had been put in force later than its first prediction."""

    name = "a prediction before the resume"
    expected = "before its resume"

    def __init__(self, epoch):
        self._epoch = epoch

    def control(self, control):
        return [
            (time + (600_000 if (r["type"], r["epoch"]) == ("resume", self._epoch) else 0), r)
            for time, r in control
        ]


def _one_row(record):
    return not isinstance(json.loads(record.value)["prediction"], list)


def stream_changes(remains):
    """Tamperings with the topics of this run."""
    predictions = list(remains.stream("predictions"))
    middle = len(predictions) // 2
    at = next(n for n in range(middle, len(predictions)) if _one_row(predictions[n]))
    value = json.loads(predictions[at].value)
    another = next(v for v in remains.models if v != value["model"])
    halts = {record["epoch"] for _, record in remains.control if record["type"] == "halt"}
    scored = {json.loads(record.value)["epoch"] for record in predictions}
    halted = max(halts & scored)
    beyond = max(remains.ends.values()) + 5
    flipped = value["prediction"] * (1 + 2**-52)

    yield _OnePrediction("a prediction taken away", "no answer", at, lambda r: [])
    yield _OnePrediction("a prediction doubled", "more than once", at, lambda r: [r, r])
    yield _OnePrediction(
        "the last bit of a value", "a wrong value", at, lambda r: [_with(r, prediction=flipped)]
    )
    yield _OnePrediction(
        "another version", "not the model of that epoch", at, lambda r: [_with(r, model=another)]
    )
    yield _OnePrediction(
        "another epoch", "epochs fall", len(predictions) - 1, lambda r: [_with(r, epoch=1, model=1)]
    )
    yield _OnePrediction(
        "a phantom", "to no record", at, lambda r: [r, _with(r, offset=beyond)]
    )
    yield _OnePrediction(
        "another key", "key was not kept", at, lambda r: [dataclasses.replace(r, key=b"other")]
    )
    yield _OneDeadLetter("a dead letter taken away", "no answer", lambda r: [])
    yield _OneDeadLetter(
        "a dead letter changed",
        "another value",
        lambda r: [dataclasses.replace(r, value=b"something else")],
    )
    yield _ForgedResume()
    yield _EarlierResume(halted)


@contextlib.contextmanager
def _replaced(hdfs, path, data):
    before = hdfs.read(path)
    hdfs.delete(path)
    hdfs.create(path, data(before))
    try:
        yield
    finally:
        hdfs.delete(path)
        hdfs.create(path, before)


@contextlib.contextmanager
def _added(hdfs, path):
    hdfs.create(path, b"x1,x2,x3,y\n1,2,3,4\n")
    try:
        yield
    finally:
        hdfs.delete(path)


@contextlib.contextmanager
def _renamed(hdfs, path, to):
    hdfs.rename(path, to)
    try:
        yield
    finally:
        hdfs.rename(to, path)


def folder_changes(remains):
    """(name, words of the fault, context in which it is so), in HDFS itself."""
    pipeline, hdfs = remains.pipeline, remains.pipeline.hdfs
    used = f"{pipeline.dataset_path}/used"
    file = f"{used}/{pipeline.used()[-1]}"
    last = max(remains.models)
    model = f"{pipeline.model_path(last)}/model.json"
    yield "a used data set edited", "is not what was trained on", _replaced(hdfs, file, lambda d: d + b"\n")
    yield "a stray file among the used", "never dropped", _added(hdfs, f"{used}/stray.99.csv")
    yield "a used data set moved back", "", _renamed(hdfs, file, f"{pipeline.dataset_path}/b.csv")
    yield "a model truncated", "", _replaced(hdfs, model, lambda d: d[:-7])
    yield (
        "a version that nobody published",
        f"{last + 7:010}",
        _renamed(hdfs, pipeline.model_path(last), pipeline.model_path(last + 7)),
    )
