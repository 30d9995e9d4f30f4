"""The checker: weir's promises, judged from the topics and from HDFS alone.

Shares nothing with the program but the formats. Each failed promise is an AssertionError that names
the record.
"""

import hashlib
import json
import re
from collections import Counter

from support.judge import Judge, epochs_of, place_of_dead_letter


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
    check_stream(evidence, all_scored, while_training)
    check_datasets(pipeline, evidence.control, evidence.models)
    check_models(pipeline, evidence.control, evidence.models)
    check_swaps(evidence)
    check_output_ends(evidence)
    # And the program's own judge, who must come to the same.
    pipeline.ok("audit", "--quiet", seconds=90)
    return evidence


def check_stream(evidence, all_scored, while_training):
    """Promises 1 to 3."""
    ends = {partition: 0 for partition in evidence.committed}
    for record in evidence.features:
        ends[record.partition] = max(ends[record.partition], record.offset + 1)
    judge = Judge(epochs_of(evidence.control), evidence.models, ends, evidence.committed)
    for record in evidence.predictions:
        judge.prediction(record)
    for record in evidence.dead:
        judge.dead_letter(record)
    for record in evidence.features:
        judge.feature(record)
    faults = judge.faults(all_scored)
    assert not faults, str(faults)
    if while_training == "halt":
        faults = judge.silence_faults(evidence.members)
        assert not faults, str(faults)


def check_swaps(evidence):
    """Along each partition, an epoch's lowest note is the first record that it answered.

    A dead letter names no epoch: between the note and the epoch's first prediction there may be
    others of the dead, but nothing that was answered in another way.
    """
    epochs = epochs_of(evidence.control)
    noted = {}
    for note in evidence.swaps:
        assert list(note) == ["type", "epoch", "version", "partition", "offset", "member"], note
        assert note["type"] == "swap", note
        _, resume = epochs[note["epoch"]]
        assert resume and resume[1]["version"] == note["version"], f"not the model of it: {note}"
        place = (note["epoch"], note["partition"])
        noted[place] = min(noted.get(place, note["offset"]), note["offset"])

    dead = set(map(place_of_dead_letter, evidence.dead))
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
    for epoch, (begin, resume) in epochs_of(evidence.control).items():
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


def check_datasets(pipeline, control, models):
    """Promise 4: each data set that was taken up is in one place, unchanged, with one model at most."""
    models_of = Counter()
    for _, record in control:
        if record["type"] == "resume" and record["outcome"] == "trained":
            models_of[record["version"]] += 1
    assert set(models_of.values()) <= {1}, f"a version published twice: {models_of}"
    dropped, used, rejected = pipeline.dropped(), pipeline.used(), pipeline.rejected()
    for epoch, (begin, resume) in epochs_of(control).items():
        dataset = begin[1].get("dataset")
        if not dataset or not resume:
            continue
        name = dataset["path"].rsplit("/", 1)[1]
        stem, dot, ending = name.rpartition(".")
        moved = f"{stem}.{epoch}.{ending}" if stem else f"{name}.{epoch}"
        places = {
            "dropped": name in dropped,
            "used": moved in used,
            "rejected": moved in rejected,
        }
        if resume[1]["outcome"] == "trained":
            assert places["used"] and not places["rejected"], f"epoch {epoch}, {name}: {places}"
            manifest = models[epoch].manifest
            assert manifest["dataset"]["path"] == dataset["path"]
            counts = manifest["dataset"]
            assert counts["rows"] == (
                counts["rows_trained"] + counts["rows_held_out"] + counts["rows_refused"]
            ), counts
            assert sum(counts["refused_by_reason"].values()) == counts["rows_refused"]
            path = f"{pipeline.dataset_path}/used/{moved}"
            check_bytes(pipeline.hdfs, path, counts)
        else:
            assert places["rejected"] and not places["used"], f"epoch {epoch}, {name}: {places}"


def check_bytes(hdfs, path, dataset):
    """Promise 4: the bytes are those that the manifest tells of, by either digest."""
    if hdfs.status(path)["type"] == "FILE":
        parts = [hdfs.read(path)]
    else:
        names = [name for name in sorted(hdfs.names(path)) if name[0] not in "._"]
        parts = [hdfs.read(f"{path}/{name}") for name in names]
    assert dataset["sha256"] or dataset.get("splits_sha256"), f"no digest of {path}"
    if dataset["sha256"]:
        found = hashlib.sha256(b"".join(parts)).hexdigest()
        assert found == dataset["sha256"], f"{path} is not what was trained on"
    if dataset.get("splits_sha256"):
        found = splits_sha256(parts, dataset["split_bytes"])
        assert found == dataset["splits_sha256"], f"the splits of {path} are not those trained on"


def splits_sha256(parts, split_bytes):
    """As docs/decisions/splits.md has it, with all splits at hand."""
    level = [
        hashlib.sha256(part[at : at + split_bytes]).hexdigest()
        for part in parts
        for at in range(0, max(len(part), 1), split_bytes)
    ]

    def both(left, right):
        return hashlib.sha256((left + right).encode()).hexdigest()

    left_over = []  # of the levels so far, the rightmost node where it has no sibling
    while len(level) > 1:
        if len(level) % 2:
            left_over.append(level.pop())
        level = [both(*level[at : at + 2]) for at in range(0, len(level), 2)]
    total = level[0]
    for digest in reversed(left_over):
        total = both(total, digest)
    return total


def check_places(pipeline, sums):
    """Promise 4, of all data sets that were ever dropped: name -> sha256 of its bytes.

    Each is in one place and unchanged, and nothing else is there.
    """
    places = Counter()
    for folder, names in [
        ("", pipeline.dropped()),
        ("/used", pipeline.used()),
        ("/rejected", pipeline.rejected()),
    ]:
        for moved in names:
            half_upload = not folder and (moved[0] == "." or moved.endswith("._COPYING_"))
            if half_upload or moved.endswith(".reason.json"):
                continue
            path = f"{pipeline.dataset_path}{folder}/{moved}"
            name = re.sub(r"\.\d+(\.duplicate-\d+)?(?=\.csv$)", "", moved) if folder else moved
            assert name in sums, f"{path} was never dropped"
            places[name] += 1
            found = hashlib.sha256(pipeline.hdfs.read(path)).hexdigest()
            assert found == sums[name], f"{path} is not what was dropped"
    wrong = {name: places[name] for name in sums if places[name] != 1}
    assert not wrong, f"data sets that are not in exactly one place: {wrong}"


def check_models(pipeline, control, models):
    """Promise 5: only whole, verified versions, each of them named by the control log."""
    published = {
        record["version"]: record["sha256"]
        for _, record in control
        if record["type"] == "resume" and record["outcome"] == "trained"
    }
    names = pipeline.hdfs.names(pipeline.models_path)
    assert names == [f"{version:010}" for version in sorted(published)], names
    for version, sha256 in published.items():
        path = pipeline.model_path(version)
        assert pipeline.hdfs.names(path) == ["manifest.json", "model.json", "test.csv"]
        found = hashlib.sha256(pipeline.hdfs.read(f"{path}/model.json")).hexdigest()
        assert found == sha256 == models[version].manifest["model_sha256"]
