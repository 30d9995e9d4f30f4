"""What is left of a run, judged; and the judge, proved on the same run with something changed in it."""

import json
from collections import Counter
from contextlib import closing

import keyed_producer
import tampering
from support.judge import Faults, Judge, epochs_of
from support.kafka import Topic, log_ends
from support.promises import check_datasets, check_models, check_places

# Up to so many records a run is kept in memory, and judged again with each tampering.
KEPT_RECORDS_MAX = 300_000
READ_SECONDS_MAX = 300


class Remains:
    """Topics, models and folders as the run has left them. Streams are read anew each time."""

    def __init__(self, pipeline, records, sums):
        self.pipeline = pipeline
        self.records = records  # of the keyed producer
        self.sums = sums
        self.committed = pipeline.committed()
        self.ends = log_ends(pipeline.stack.kafka, pipeline.topic_name("features"))
        self.control = self._log("control")
        self.members = self._log("members")
        self.models = {version: pipeline.model(version) for version in pipeline.versions()}
        self._kept = {}

    def _log(self, kind):
        return [(record.timestamp, json.loads(record.value)) for record in self._read(kind)]

    def _read(self, kind):
        topic = Topic(self.pipeline.stack.kafka, self.pipeline.topic_name(kind))
        with closing(topic):
            for records in topic.batches_to_end(READ_SECONDS_MAX):
                yield from records

    def keep(self):
        """Holds the streams in memory from now on."""
        self._kept = {kind: list(self._read(kind)) for kind in ("predictions", "dead", "features")}

    def stream(self, kind):
        return iter(self._kept[kind]) if self._kept else self._read(kind)


def judge_streams(remains, change=None):
    """(faults of promises 1 to 3, the judge). `change` is a tampering.Change, or none."""
    change = change or tampering.Change()
    control = change.control(remains.control)
    try:
        epochs = epochs_of(control)
    except AssertionError as error:
        faults = Faults()
        faults.add("control log", str(error))
        return faults, None
    judge = Judge(epochs, remains.models, remains.ends, remains.committed)
    for record in change.predictions(remains.stream("predictions")):
        judge.prediction(record)
    for record in change.dead(remains.stream("dead")):
        judge.dead_letter(record)
    keys = Keys(remains.records)
    for record in remains.stream("features"):
        judge.feature(record)
        keys.see(record.key)
    faults = judge.faults(all_scored=True)
    for found in (judge.silence_faults(remains.members), keys.faults()):
        faults.counts.update(found.counts)
        faults.shown.update(found.shown)
    return faults, judge


class Keys:
    """The keyed producer's records: each key is there once."""

    def __init__(self, records):
        self._seen = bytearray(records)

    def see(self, key):
        if key and key[:1] == b"k":
            number = int(key[1:])
            self._seen[number] = min(self._seen[number] + 1, 255)

    def faults(self):
        faults = Faults()
        for count, times in Counter(self._seen).items():
            if count != 1:
                first = keyed_producer.key(self._seen.index(count))
                faults.add(f"keys that are {count} times in the features", (times, first))
        return faults


def folder_faults(remains):
    """Promises 4 and 5, from HDFS."""
    try:
        check_datasets(remains.pipeline, remains.control, remains.models)
        check_places(remains.pipeline, remains.sums)
        check_models(remains.pipeline, remains.control, remains.models)
    except AssertionError as error:
        return str(error) or repr(error)
    return None


def audit(pipeline):
    """What `weir audit` says against the run; None where it says nothing, or there is no audit."""
    if "\n  audit " not in pipeline.ok("--help"):
        return None
    done = pipeline.run("audit", "-o", "json", seconds=300)
    if done.returncode == 0:
        return None
    return f"weir audit: exit code {done.returncode}\n{done.stdout.decode()[-4000:]}" + (
        done.stderr.decode(errors="replace")[-2000:]
    )


def unnoticed(remains):
    """The tamperings that the checker did not name: there must be none. (all, unnoticed)"""
    tried, missed = [], []
    remains.keep()
    for change in tampering.stream_changes(remains):
        tried.append(change.name)
        faults, _ = judge_streams(remains, change)
        if not any(change.expected in kind for kind in faults.counts):
            missed.append(f"{change.name}: found {faults}")
    for name, expected, tampered in tampering.folder_changes(remains):
        tried.append(name)
        with tampered:
            found = folder_faults(remains)
        if found is None or expected not in found:
            missed.append(f"{name}: found {found}")
    found = folder_faults(remains)
    if found is not None:
        missed.append(f"what was tampered with was not put back: {found}")
    return tried, missed
