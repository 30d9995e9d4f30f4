"""Promises 1 to 3 of a stream, judged record by record.

The records pass by once and are not kept: what stays of an answer is some 35 bytes in arrays, so that
millions are judged in little memory. Shares nothing with the program but the formats, and the
documented order of its arithmetic.

    judge = Judge(epochs, models, ends, committed)
    for record in predictions: judge.prediction(record)
    for record in dead_letters: judge.dead_letter(record)
    for record in features: judge.feature(record)
    faults = judge.faults(all_scored=True)
"""

import json
from collections import defaultdict

import numpy

from support.prepared import Spelt

SHOWN_MAX = 5  # of each kind of fault
MEMBER_SILENCE_MS = 15_000

_DEAD = -1  # in the place of a version


class Faults:
    """What is wrong, by kind; of each kind the count and the first few."""

    def __init__(self):
        self.counts = defaultdict(int)
        self.shown = defaultdict(list)

    def add(self, kind, what):
        self.counts[kind] += 1
        if len(self.shown[kind]) < SHOWN_MAX:
            self.shown[kind].append(what)

    def __bool__(self):
        return bool(self.counts)

    def __str__(self):
        return "\n".join(
            f"{kind}: {count}, such as {self.shown[kind]}" for kind, count in self.counts.items()
        )


class _Answers:
    """What was answered to the records of one partition, by their offset."""

    def __init__(self, end):
        self.count = numpy.zeros(end, numpy.uint8)
        self.version = numpy.zeros(end, numpy.int32)
        self.epoch = numpy.zeros(end, numpy.int32)
        self.value = numpy.zeros(end, numpy.float64)
        self.key = numpy.zeros(end, numpy.int64)
        self.seen = numpy.zeros(end, numpy.bool_)  # there is such a record


def epochs_of(control):
    """epoch -> (begin, resume) as (timestamp, record) pairs; a resume that is not there is None."""
    epochs = {}
    for timestamp, record in control:
        if record["type"] == "resume":
            assert record["epoch"] in epochs, f"a resume of nothing: {record}"
            begin, resume = epochs[record["epoch"]]
            assert resume is None, f"a second resume: {record}"
            epochs[record["epoch"]] = (begin, (timestamp, record))
        else:
            assert all(resume for _, resume in epochs.values()), f"an epoch within another: {record}"
            assert record["epoch"] == len(epochs) + 1, f"epochs do not rise by one: {record}"
            epochs[record["epoch"]] = ((timestamp, record), None)
    return epochs


def rows_of(message, model):
    """(rows, many): the rows that a message holds, in the order that weir documents."""
    document = json.loads(message, parse_int=Spelt, parse_float=Spelt)

    def row_of(value_of):
        return [model.number(place, value_of(place, name)) for place, name in enumerate(model.features)]

    def one(place, name):
        return document.get(name) if model.may_lack(place) else document[name]

    if len(document) == 1 and isinstance(next(iter(document.values())), dict):
        columns = next(iter(document.values()))
        labels = list(columns[model.features[0]])
        return [row_of(lambda _, name: columns[name][label]) for label in labels], True
    return [row_of(one)], False


def place_of_prediction(record):
    value = json.loads(record.value)
    return value["partition"], value["offset"]


def place_of_dead_letter(record):
    return (
        int(record.header("__connect.errors.partition")),
        int(record.header("__connect.errors.offset")),
    )


def tells_only_the_place(letter):
    """A dead letter whose record has a key or headers that no broker takes with the reasons."""
    told = any(name == "weir.record.left.out" for name, _ in letter.headers)
    assert not told or letter.key is letter.value is None
    return told


class Judge:
    def __init__(self, epochs, models, ends, committed):
        """`epochs` as epochs_of() gives; `models` by version; `ends` and `committed` by partition."""
        self._epochs = epochs
        self._models = models
        self._committed = committed
        self._faults = Faults()
        self._answers = {partition: _Answers(end) for partition, end in ends.items()}
        self._lists = {}  # place -> values, of predictions for several rows
        self._letters = {}  # place -> dead letter
        self._last_epoch = {}  # output partition -> the highest epoch of its predictions so far
        self._halts = [e for e, (begin, _) in epochs.items() if begin[1]["type"] == "halt"]
        self._times = {}  # epoch -> [first, last] timestamp of its predictions
        self._left = Faults()
        self.predictions = self.dead_letters = self.features = 0

    # ---- answers ----

    def _answered(self, place, version, key):
        """The partition's answers, with this one counted; None where there can be no such record."""
        partition, offset = place
        answers = self._answers.get(partition)
        if answers is None or not 0 <= offset < len(answers.count):
            self._faults.add("an answer to no record", place)
            return None
        if answers.count[offset] < 255:
            answers.count[offset] += 1
        answers.version[offset] = version
        answers.key[offset] = hash(key)
        return answers

    def prediction(self, record):
        self.predictions += 1
        answer = json.loads(record.value)
        if list(answer) != ["prediction", "model", "epoch", "partition", "offset"]:
            self._faults.add("a prediction of another shape", record.value)
            return
        place = (answer["partition"], answer["offset"])
        epoch, version = answer["epoch"], answer["model"]
        _, resume = self._epochs.get(epoch, (None, None))
        if not resume:
            self._faults.add("a prediction of an epoch that has not ended its training", answer)
        elif resume[1]["version"] != version:
            self._faults.add("not the model of that epoch", answer)
        last = self._last_epoch.get(record.partition, 0)
        # Without a halt between them, another scorer's last transaction may still come after.
        if epoch < last and any(epoch < halt <= last for halt in self._halts):
            self._faults.add("epochs fall along a partition of predictions", answer)
        self._last_epoch[record.partition] = max(epoch, last)
        times = self._times.setdefault(epoch, [record.timestamp, record.timestamp])
        times[0] = min(times[0], record.timestamp)
        times[1] = max(times[1], record.timestamp)
        answers = self._answered(place, version, record.key)
        if answers is None:
            return
        answers.epoch[place[1]] = epoch
        if isinstance(answer["prediction"], list):
            self._lists[place] = [float(value) for value in answer["prediction"]]
        else:
            answers.value[place[1]] = answer["prediction"]
            self._lists.pop(place, None)

    def dead_letter(self, record):
        self.dead_letters += 1
        place = place_of_dead_letter(record)
        if self._answered(place, _DEAD, record.key) is not None:
            self._letters[place] = record

    # ---- records ----

    def feature(self, record):
        self.features += 1
        place = (record.partition, record.offset)
        answers = self._answers[record.partition]
        if record.offset >= len(answers.count):
            return  # younger than what is judged
        answers.seen[record.offset] = True
        if answers.count[record.offset] == 0:
            if record.offset < self._committed[record.partition]:
                self._faults.add("below the committed offset, and no answer", place)
            self._left.add("never scored", place)
            return
        version = int(answers.version[record.offset])
        if version == _DEAD and tells_only_the_place(self._letters[place]):
            return
        if answers.key[record.offset] != hash(record.key):
            self._faults.add("the key was not kept", (place, record.key))
        if version == _DEAD:
            self._compare_letter(record, self._letters[place])
        elif version in self._models:
            self._compare_value(record, self._models[version], answers)
        else:
            self._faults.add("a prediction of a model that is not there", (place, version))

    def _compare_letter(self, record, letter):
        left_out = any(name == "weir.value.left.out" for name, _ in letter.headers)
        if not left_out and letter.value != record.value:
            self._faults.add("a dead letter with another value", (record.key, letter.value))
        if letter.headers[: len(record.headers)] != record.headers:
            self._faults.add("a dead letter with other headers", (record.key, letter.headers))

    def _compare_value(self, record, model, answers):
        place = (record.partition, record.offset)
        try:
            rows, many = rows_of(record.value, model)
        except (ValueError, KeyError, TypeError, AttributeError, AssertionError) as error:
            self._faults.add("a prediction of what cannot be scored", (place, repr(error)))
            return
        expected = [model.predict(row) for row in rows]
        given = self._lists.get(place)
        if many != (given is not None):
            self._faults.add("one for many, or many for one", place)
            return
        given = given if many else [float(answers.value[record.offset])]
        # Equal bits: no number here is not a number, and hex() tells -0 from 0.
        if [value.hex() for value in given] != [value.hex() for value in expected]:
            self._faults.add("a wrong value", (place, given, expected))

    # ---- the whole ----

    def faults(self, all_scored):
        """What is wrong with promises 1 and 2, and with the order of epochs."""
        for partition, answers in self._answers.items():
            for offset in numpy.flatnonzero(answers.count > 1):
                self._faults.add("answered more than once", (partition, int(offset)))
            for offset in numpy.flatnonzero((answers.count > 0) & ~answers.seen):
                self._faults.add("an answer to no record", (partition, int(offset)))
            predicted = numpy.flatnonzero(answers.version > 0)
            fallen = numpy.flatnonzero(numpy.diff(answers.epoch[predicted]) < 0)
            for at in fallen:
                offset = int(predicted[at + 1])
                self._faults.add("epochs fall along a partition of features", (partition, offset))
        # What was read at or above the committed offsets may have been answered since: not judged.
        if all_scored:
            for kind, count in self._left.counts.items():
                self._faults.counts[kind] += count
                self._faults.shown[kind] += self._left.shown[kind]
        return self._faults

    def silence_faults(self, members):
        """Promise 3: nothing is committed between the last acknowledgement and the resume.

        By the clocks of the writers, which here are one machine's: every prediction of an epoch is
        younger than its resume, and older than the next epoch's resume and last acknowledgement.
        """
        faults = Faults()
        for epoch, (begin, resume) in self._epochs.items():
            if begin[1]["type"] != "halt" or not resume:
                continue
            silence = last_acknowledgement(members, epoch, begin[0], resume[0])
            for other, (first, last) in self._times.items():
                if other >= epoch:
                    if first < resume[0]:
                        faults.add("before its resume", (other, first, resume))
                elif last > resume[0]:
                    faults.add("of an old epoch, after the resume", (other, last, resume))
                elif silence is not None and last > silence:
                    faults.add("after the last acknowledgement", (other, last, silence, epoch))
        return faults


def last_acknowledgement(members, epoch, begin, resume):
    """When the last member said that it has halted.

    None where one that was live did not say so: it was shut out, and when is told nowhere.
    """
    first_of_each = {}
    live = set()
    for timestamp, member in members:
        name = member["member"]
        if timestamp < begin:
            if member["type"] == "left":
                live.discard(name)
            elif member["type"] in ("alive", "halted") and timestamp >= begin - MEMBER_SILENCE_MS:
                live.add(name)
        elif timestamp <= resume:
            if member["type"] == "halted" and member["epoch"] == epoch:
                first_of_each.setdefault(name, timestamp)
            elif member["type"] == "left":
                live.discard(name)
    if live - first_of_each.keys():
        return None
    return max(first_of_each.values(), default=None)
