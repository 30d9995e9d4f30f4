"""The checker: weir's promises, judged from the topics and from HDFS alone.

Shares nothing with the program but the formats. Each failed promise is an AssertionError that names
the record.
"""

import hashlib
import json
from collections import Counter, defaultdict

from support.regression import predict


class Evidence:
    """Everything that a pipeline left behind, read once."""

    def __init__(self, pipeline):
        self.pipeline = pipeline
        self.features = pipeline.topic("features").read_to_end()
        # Committed offsets first: what is below them must be found in the outputs, read later.
        self.committed = pipeline.committed()
        self.control = [
            (record.timestamp, json.loads(record.value))
            for record in pipeline.topic("control").read_to_end()
        ]
        self.predictions = pipeline.topic("predictions").read_to_end()
        self.dead = pipeline.topic("dead").read_to_end()
        # After the answers: a note is there as soon as its answer is.
        self.swaps = [json.loads(record.value) for record in pipeline.topic("swaps").read_to_end()]
        self.members = [
            (record.timestamp, json.loads(record.value))
            for record in pipeline.topic("members").read_to_end()
        ]
        self.models = {version: pipeline.model(version) for version in pipeline.versions()}


def check_promises(pipeline, all_scored=True, while_training="halt"):
    """Promises 1 to 5. `all_scored`: nothing of the features topic may be left over."""
    evidence = Evidence(pipeline)
    check_each_record_once(evidence, all_scored)
    check_values(evidence)
    check_epochs(evidence)
    check_swaps(evidence)
    check_output_ends(evidence)
    if while_training == "halt":
        check_silence_while_halted(evidence)
    check_datasets(evidence)
    check_models(evidence)
    # And the program's own judge, who must come to the same.
    pipeline.ok("audit", "--quiet", seconds=90)
    return evidence


def _place_of_prediction(record):
    value = json.loads(record.value)
    return value["partition"], value["offset"]


def _place_of_dead_letter(record):
    return (
        int(record.header("__connect.errors.partition")),
        int(record.header("__connect.errors.offset")),
    )


def _tells_only_the_place(record):
    """A dead letter whose record has a key or headers that no broker takes with the reasons."""
    told = any(name == "weir.record.left.out" for name, _ in record.headers)
    assert not told or record.key is record.value is None
    return told


def check_each_record_once(evidence, all_scored):
    """Promise 1: one committed answer for each record below the group's offset, no other answer."""
    answers = Counter(map(_place_of_prediction, evidence.predictions))
    answers.update(map(_place_of_dead_letter, evidence.dead))
    twice = [place for place, count in answers.items() if count > 1]
    assert not twice, f"answered more than once: {twice[:10]}"

    features = {(r.partition, r.offset): r for r in evidence.features}
    strange = [place for place in answers if place not in features]
    assert not strange, f"answers to no record: {strange[:10]}"
    lost = [
        place
        for place in features
        if place[1] < evidence.committed[place[0]] and place not in answers
    ]
    assert not lost, f"below the committed offset, and no answer: {lost[:10]}"
    # What was read at or above the committed offsets may have been answered since: not judged.
    if all_scored:
        left = [place for place in features if place not in answers]
        assert not left, f"never scored: {len(left)} records, {left[:10]}"

    for record, place_of in [(r, _place_of_prediction) for r in evidence.predictions] + [
        (r, _place_of_dead_letter) for r in evidence.dead
    ]:
        if not _tells_only_the_place(record):
            origin = features[place_of(record)]
            assert record.key == origin.key, f"{place_of(record)}: the key was not kept"
    for record in evidence.dead:
        if _tells_only_the_place(record):
            continue
        origin = features[_place_of_dead_letter(record)]
        left_out = any(name == "weir.value.left.out" for name, _ in record.headers)
        assert left_out or record.value == origin.value, (
            f"the dead letter of {record.key} holds {record.value!r:.80}, not {origin.value!r:.80}"
        )
        assert record.headers[: len(origin.headers)] == origin.headers


def rows_of(message, features):
    """(rows, many): the rows that a message holds, in the order that weir documents."""
    document = json.loads(message)
    if len(document) == 1 and isinstance(next(iter(document.values())), dict):
        columns = next(iter(document.values()))
        labels = list(columns[features[0]])
        return [[float(columns[name][label]) for name in features] for label in labels], True
    return [[float(document[name]) for name in features]], False


def check_values(evidence):
    """Promise 2: a prediction is the named version applied to that record, bit for bit."""
    features = {(r.partition, r.offset): r for r in evidence.features}
    for record in evidence.predictions:
        answer = json.loads(record.value)
        assert list(answer) == ["prediction", "model", "epoch", "partition", "offset"]
        model = evidence.models[answer["model"]]
        rows, many = rows_of(features[_place_of_prediction(record)].value, model.features)
        expected = [predict(model.intercept, model.coefficients, row).hex() for row in rows]
        given = answer["prediction"] if many else [answer["prediction"]]
        found = [float(value).hex() for value in given]
        assert found == expected, f"{answer}: expected {expected}"


def epochs_of(evidence):
    """epoch -> (begin, resume) as (timestamp, record) pairs; a resume that is not there is None."""
    epochs = {}
    for timestamp, record in evidence.control:
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


def check_epochs(evidence):
    """Promise 3: epochs never fall along a partition, and each names the model that ruled."""
    epochs = epochs_of(evidence)
    by_origin = defaultdict(list)
    by_output = defaultdict(list)
    for record in evidence.predictions:
        answer = json.loads(record.value)
        _, resume = epochs[answer["epoch"]]
        assert resume, f"a prediction of an epoch that has not ended its training: {answer}"
        assert resume[1]["version"] == answer["model"], f"not the model of that epoch: {answer}"
        by_origin[answer["partition"]].append((answer["offset"], answer["epoch"]))
        by_output[record.partition].append((record.offset, answer["epoch"]))
    for name, along in [("features", by_origin), ("predictions", by_output)]:
        for partition, entries in along.items():
            in_order = [epoch for _, epoch in sorted(entries)]
            assert in_order == sorted(in_order), f"epochs fall along {name} {partition}"


def check_swaps(evidence):
    """Along each partition, an epoch's lowest note is the first record that it answered.

    A dead letter names no epoch: between the note and the epoch's first prediction there may be
    others of the dead, but nothing that was answered in another way.
    """
    epochs = epochs_of(evidence)
    noted = {}
    for note in evidence.swaps:
        assert list(note) == ["type", "epoch", "version", "partition", "offset", "member"], note
        assert note["type"] == "swap", note
        _, resume = epochs[note["epoch"]]
        assert resume and resume[1]["version"] == note["version"], f"not the model of it: {note}"
        place = (note["epoch"], note["partition"])
        noted[place] = min(noted.get(place, note["offset"]), note["offset"])

    dead = set(map(_place_of_dead_letter, evidence.dead))
    epoch_at = {}
    first = {}
    for record in evidence.predictions:
        answer = json.loads(record.value)
        epoch_at[answer["partition"], answer["offset"]] = answer["epoch"]
        place = (answer["epoch"], answer["partition"])
        first[place] = min(first.get(place, answer["offset"]), answer["offset"])

    for (epoch, partition), offset in first.items():
        assert (epoch, partition) in noted, f"no note of epoch {epoch} along partition {partition}"
        begins = noted[epoch, partition]
        assert begins <= offset, f"epoch {epoch}, partition {partition}: {offset}, noted {begins}"
        between = [at for at in range(begins, offset) if (partition, at) not in dead]
        # Marks of transactions take up offsets, too: what is no record has no answer either.
        strange = [at for at in between if (partition, at) in epoch_at]
        assert not strange, f"noted {begins}, and in between: {strange[:10]}"
    for (epoch, partition), offset in noted.items():
        if offset >= evidence.committed[partition]:
            continue  # its answer may have come after the answers were read
        answered = (partition, offset) in dead or epoch_at.get((partition, offset)) == epoch
        assert answered, f"epoch {epoch}, partition {partition}: noted {offset}, no answer there"


def check_output_ends(evidence):
    """Promise 3, free of clocks: the ends that a resume tells of separate its epoch from the earlier.

    Where nothing was halted the earlier ones may go on for a while.
    """
    for epoch, (begin, resume) in epochs_of(evidence).items():
        if not resume:
            continue
        ends = {int(number): end for number, end in resume[1]["predictions"].items()}
        assert sorted(ends) == evidence.pipeline.topic("predictions").partitions, resume
        assert sorted(map(int, resume[1]["dead"])) == evidence.pipeline.topic("dead").partitions
        for record in evidence.predictions:
            answer = json.loads(record.value)
            if answer["epoch"] >= epoch:
                assert record.offset >= ends[record.partition], f"below its resume: {answer}"
            elif begin[1]["type"] == "halt":
                assert record.offset < ends[record.partition], f"old, above the resume: {answer}"


def check_silence_while_halted(evidence):
    """Promise 3: nothing is committed between the last acknowledgement and the resume.

    By the clocks of the writers, which here are one machine's: every prediction of an epoch is
    younger than its resume, and older than the next epoch's resume and last acknowledgement.
    """
    epochs = epochs_of(evidence)
    for epoch, (begin, resume) in epochs.items():
        if begin[1]["type"] != "halt" or not resume:
            continue
        acknowledged = [
            (timestamp, member["member"])
            for timestamp, member in evidence.members
            if member["type"] == "halted"
            and member["epoch"] == epoch
            and begin[0] <= timestamp <= resume[0]
        ]
        first_of_each = {}
        for timestamp, member in acknowledged:
            first_of_each.setdefault(member, timestamp)
        silence = max(first_of_each.values(), default=None)
        for record in evidence.predictions:
            answer = json.loads(record.value)
            if answer["epoch"] >= epoch:
                assert record.timestamp >= resume[0], f"before its resume: {answer}"
            else:
                assert record.timestamp <= resume[0], f"of an old epoch, after the resume: {answer}"
                if silence is not None:
                    assert record.timestamp <= silence, f"after the last acknowledgement: {answer}"


def check_datasets(evidence):
    """Promise 4: each data set that was taken up is in one place, unchanged, with one model at most."""
    pipeline = evidence.pipeline
    models_of = Counter()
    for _, record in evidence.control:
        if record["type"] == "resume" and record["outcome"] == "trained":
            models_of[record["version"]] += 1
    assert set(models_of.values()) <= {1}, f"a version published twice: {models_of}"
    for epoch, (begin, resume) in epochs_of(evidence).items():
        dataset = begin[1].get("dataset")
        if not dataset or not resume:
            continue
        name = dataset["path"].rsplit("/", 1)[1]
        stem, dot, ending = name.rpartition(".")
        moved = f"{stem}.{epoch}.{ending}" if stem else f"{name}.{epoch}"
        places = {
            "dropped": name in pipeline.dropped(),
            "used": moved in pipeline.used(),
            "rejected": moved in pipeline.rejected(),
        }
        if resume[1]["outcome"] == "trained":
            assert places["used"] and not places["rejected"], f"epoch {epoch}, {name}: {places}"
            manifest = evidence.models[epoch].manifest
            assert manifest["dataset"]["path"] == dataset["path"]
            counts = manifest["dataset"]
            assert counts["rows"] == (
                counts["rows_trained"] + counts["rows_held_out"] + counts["rows_refused"]
            ), counts
            assert sum(counts["refused_by_reason"].values()) == counts["rows_refused"]
            path = f"{pipeline.dataset_path}/used/{moved}"
            if pipeline.hdfs.status(path)["type"] == "FILE":
                found = hashlib.sha256(pipeline.hdfs.read(path)).hexdigest()
                assert found == counts["sha256"], f"{path} is not the file that was trained on"
        else:
            assert places["rejected"] and not places["used"], f"epoch {epoch}, {name}: {places}"


def check_models(evidence):
    """Promise 5: only whole, verified versions, each of them named by the control log."""
    pipeline = evidence.pipeline
    published = {
        record["version"]: record["sha256"]
        for _, record in evidence.control
        if record["type"] == "resume" and record["outcome"] == "trained"
    }
    names = pipeline.hdfs.names(pipeline.models_path)
    assert names == [f"{version:010}" for version in sorted(published)], names
    for version, sha256 in published.items():
        path = pipeline.model_path(version)
        assert pipeline.hdfs.names(path) == ["manifest.json", "model.json", "test.csv"]
        found = hashlib.sha256(pipeline.hdfs.read(f"{path}/model.json")).hexdigest()
        assert found == sha256 == evidence.models[version].manifest["model_sha256"]
