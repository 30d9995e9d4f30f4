"""What a change of model costs: the longest gap between two commits of the scorer around it.

One scorer, so that its transactions are the batches: each leaves one mark along the group's offsets,
and the time between two of them is a gap. A swap lasts from the commit of the record that begins the
epoch (halt, or train where scoring goes on) to the commit in which the last partition is answered by
the new model for the first time, as the control and swaps topics say.
"""

import random
import statistics
import time
from dataclasses import dataclass, field

from commit_log import quantile
from drain import DATASET, INPUT, PARTITIONS
from harness import DATA_DIR, say, wait_until
from pipeline import Pipeline

STEADY_RATE = 2_000
STEADY_PAUSE = (4.0, 6.0)  # seconds between two swaps
LOADED_PAUSE = (0.5, 1.0)
WARMING_MS = 1_000  # after the first commit; no usual gaps yet
EPOCH_RECORDS = 2  # in the control log: begun, resumed
HELD = "/bench/held"


@dataclass
class Swap:
    gap: float  # the longest, in ms
    to_resume: float  # from the beginning of the epoch
    after_resume: float  # to the new model's first answers in all partitions


@dataclass
class Gaps:
    """Of one kind of run, perhaps of several runs. In ms."""

    usual: list = field(default_factory=list)
    swaps: list = field(default_factory=list)

    def usual_p999(self):
        return quantile(self.usual, 0.999)

    def worst(self):
        return max(each.gap for each in self.swaps)

    def row(self):
        gaps = [each.gap for each in self.swaps]
        usual = [
            str(len(self.usual)),
            f"{statistics.median(self.usual):.0f} ms",
            f"{self.usual_p999():.0f} ms",
            f"{max(self.usual):.0f} ms",
        ]
        if not gaps:  # the backlog was too short for any
            return [*usual, "0", *["–"] * (len(HEADER) - len(usual) - 1)]
        return [
            *usual,
            str(len(gaps)),
            f"{statistics.median(gaps):.0f} ms",
            f"{self.worst():.0f} ms",
            f"{self.worst() / self.usual_p999():.2f}",
            f"{statistics.median(each.to_resume for each in self.swaps):.0f} ms",
            f"{statistics.median(each.after_resume for each in self.swaps):.0f} ms",
        ]


HEADER = ["usual gaps", "median", "p99.9", "longest", "swaps", "longest gap: median", "worst"]
HEADER += ["worst / p99.9", "begun to resume", "resume to all answered"]


class DataSets:
    """Files in HDFS that differ, to be moved into drop folders: a move costs next to nothing."""

    def __init__(self, stack, count):
        self._stack = stack
        self._left = [f"{HELD}/{i}.csv" for i in range(count)]
        lines = DATASET.read_text().splitlines(keepends=True)
        file = DATA_DIR / "held.csv"
        DATA_DIR.mkdir(parents=True, exist_ok=True)
        for i, path in enumerate(self._left):
            file.write_text("".join(lines[: 1 + i] + lines[2 + i :]))
            stack.upload(file, path)

    def drop(self, pipeline):
        path = self._left.pop()
        folder = pipeline.env["WEIR_DATASET_PATH"]
        self._stack.move(path, f"{folder}/{path.rpartition('/')[2]}")


class SwapBench:
    def __init__(self, stack, weir, data_sets, mode):
        self._stack = stack
        self._weir = weir
        self._data_sets = data_sets
        self._mode = mode
        self._pipelines = []

    def steady(self, phase, gaps, count):
        """At a steady rate, which the producer keeps through halts."""
        pipeline = self._pipeline("steady")
        trainer = pipeline.start(phase, "train", name="train")
        scorer = pipeline.start(phase, "score", name="score")
        flow = pipeline.start_flow(phase, STEADY_RATE)
        (scorer_id,) = wait_until(pipeline.producers, "the scorer has committed")
        for _ in range(count):
            time.sleep(random.uniform(*STEADY_PAUSE))
            self._swap(pipeline, lambda: False)
        time.sleep(STEADY_PAUSE[1])
        self._judge(pipeline, scorer_id, gaps)
        for process in (flow, scorer, trainer):
            phase.end(process)

    def loaded(self, phase, gaps, count_max, seconds_max=120):
        """Through a backlog that is being drained, as often as it goes."""
        pipeline = self._pipeline(f"loaded-{len(self._pipelines)}", WEIR_TOPICS_FEATURES=INPUT)
        trainer = pipeline.start(phase, "train", name="train")
        # It leads once its group has settled; the backlog is too short to wait for that in it.
        time.sleep(2)
        scorer = pipeline.start(phase, "score", "--until-end", name="score")
        (scorer_id,) = wait_until(pipeline.producers, "the scorer has committed")
        time.sleep(WARMING_MS / 1000)
        for _ in range(count_max):
            if phase.has_ended(scorer):
                break
            self._swap(pipeline, lambda: phase.has_ended(scorer))
            time.sleep(random.uniform(*LOADED_PAUSE))
        phase.wait(scorer, seconds_max)
        self._judge(pipeline, scorer_id, gaps)
        phase.end(trainer)

    def audit(self):
        for pipeline in self._pipelines:
            pipeline.audit()

    def _pipeline(self, name, **settings):
        name = f"swap-{self._mode}-{name}"
        settings["WEIR_WHILE_TRAINING"] = self._mode
        self._pipelines.append(Pipeline(self._stack, self._weir, name, **settings))
        return self._pipelines[-1]

    def _swap(self, pipeline, is_over):
        answered = noted(pipeline)
        self._data_sets.drop(pipeline)
        wait_until(
            lambda: noted(pipeline) >= answered + PARTITIONS or is_over(),
            f"all partitions of {pipeline.name} are answered by the next model",
        )

    def _judge(self, pipeline, scorer_id, gaps):
        commits = commit_times(pipeline, scorer_id)
        pairs = list(zip(commits, commits[1:]))
        windows = swap_windows(pipeline)
        found = []
        for begun, resumed, answered in windows:
            longest = max(b - a for a, b in pairs if b > begun and a < answered)
            found.append(Swap(longest, resumed - begun, answered - resumed))
        usual = [
            b - a
            for a, b in pairs
            if a > commits[0] + WARMING_MS
            and not any(b > begun and a < answered for begun, _, answered in windows)
        ]
        gaps.swaps += found
        gaps.usual += usual
        of_swaps = ", ".join(f"{each.gap:.0f}" for each in found)
        say(f"{pipeline.name}: longest gaps at swaps {of_swaps} ms, usually up to {max(usual, default=0)} ms")


def noted(pipeline):
    return sum(each.records for each in pipeline.swaps.read_on())


def commit_times(pipeline, scorer_id):
    commits = [each for log in pipeline.offsets for each in log.read_on()]
    return sorted(each.at for each in commits if each.producer[0] == scorer_id)


def swap_windows(pipeline):
    """(begun, resumed, answered everywhere) of each epoch but the first, whose end is on record."""
    control = [each.at for each in pipeline.control.read_on()]
    epochs = list(zip(control[0::EPOCH_RECORDS], control[1::EPOCH_RECORDS]))
    answered = []
    notes = 0
    for each in pipeline.swaps.read_on():
        notes += each.records
        while notes >= PARTITIONS * (len(answered) + 1):
            answered.append(each.at)
    return [(*epoch, at) for epoch, at in list(zip(epochs, answered))[1:]]
