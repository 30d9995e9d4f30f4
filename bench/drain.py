"""Drains of one filled topic by one contestant or another, each counted only if its output is right."""

import json
import statistics
from dataclasses import dataclass
from pathlib import Path
from typing import Callable

import harness
from harness import DATA_DIR, ROOT, Trouble, measure, program, run, say, spread

PARTITIONS = 4
COMMIT_MS = 100
INPUT = "bench.features"
SETTINGS = Path(__file__).resolve().parent / "stream" / "weir.yaml"
DATASET = ROOT / "data" / "boston.csv"


@dataclass
class Contestant:
    command: Callable  # from the field and the name of its group and output topic
    copies: bool = False  # its outputs are the inputs, and not predictions
    note: Callable = lambda measured: ""  # what it says of itself


def passthrough(mode):
    def command(field, name):
        return [program("bench_passthrough"), field.stack.kafka, INPUT, name, name, COMMIT_MS, mode]

    def note(measured):
        said = json.loads(measured.stdout)
        return (
            f"{said['commits']} commits, one took {said['commit_ms_median']} ms (median), "
            f"{said['commit_ms_p99']} (p99), {said['commit_ms_max']} (max)"
        )

    return Contestant(command, copies=True, note=note)


def weir():
    def command(field, _):
        return [field.weir, "score", "--until-end", "-o", "json", "-c", SETTINGS]

    def note(measured):
        for line in measured.stderr.splitlines():
            if "scorer ended" in line:
                return line[line.find("scorer ended") :]
        return ""

    return Contestant(command, note=note)


class Field:
    """A filled topic, and what its outputs have to be."""

    def __init__(self, stack, weir_path, records):
        self.stack = stack
        self.weir = weir_path
        self.records = records
        self.model_file = DATA_DIR / "model.json"
        self.value_bytes = 0
        self._expected = None
        self._broker = [stack.pids["kafka"]]

    def weir_run(self, *arguments):
        return run(self.weir, *arguments, "-c", SETTINGS, env=self.stack.env)

    def train(self):
        say(f"training on {DATASET.relative_to(ROOT)}")
        self.weir_run("drop", DATASET)
        self.weir_run("train", "--once")
        shown = json.loads(self.weir_run("models", "show", "1", "-o", "json"))
        DATA_DIR.mkdir(exist_ok=True)
        self.model_file.write_text(json.dumps({**shown["model"], "version": 1}))

    def fill(self):
        say(f"filling {INPUT} with {self.records:,} records")
        run(program("bench_topics"), self.stack.kafka, PARTITIONS, INPUT)
        filled = run(program("bench_fill"), self.stack.kafka, INPUT, self.records, DATASET)
        self._expected = self._digest(INPUT, "features", self.model_file)
        if self._expected["count"] != self.records:
            raise Trouble(f"the topic holds {self._expected['count']} records")
        self.value_bytes = json.loads(filled)["value_bytes"] / self.records

    def fill_more(self, records):
        """For what is measured after the last drain: the expected outputs are those of before."""
        say(f"filling {INPUT} with {records:,} records more")
        run(program("bench_fill"), self.stack.kafka, INPUT, records, DATASET)

    def drain(self, contestant, name):
        run(program("bench_topics"), self.stack.kafka, PARTITIONS, name)
        env = {
            **self.stack.env,
            "WEIR_TOPICS_FEATURES": INPUT,
            "WEIR_TOPICS_PREDICTIONS": name,
            "WEIR_TOPICS_DEAD": f"{name}.dead",
            "WEIR_SCORE_GROUP": name,
        }
        measured = measure(name, contestant.command(self, name), self._broker, env=env)
        copied = contestant.copies
        found = self._digest(name, "records" if copied else "predictions")
        sums = [each["sum" if copied else "predictions_sum"] for each in (self._expected, found)]
        if found["count"] != self.records or sums[0] != sums[1]:
            raise Trouble(
                f"{name} wrote {found['count']} records with the sum {sums[1]}, not "
                f"{self.records} with {sums[0]}"
            )
        return Drain(measured, found["appended"], self.records, contestant.note(measured))

    def warm_up(self):
        say("warming the broker up: a passthrough that is not counted")
        self.drain(passthrough("exactly-once"), "bench.warm-up")

    def round(self, number, contestants):
        drains = {}
        for name, contestant in contestants.items():
            drain = self.drain(contestant, f"bench.{name}.{number}")
            say(f"round {number}, {name}: {drain.rate:,.0f} records/s. {drain.note}")
            drains[name] = drain
        return drains

    def conditions(self):
        settings = (harness.STACK_DIR / "kafka" / "server.properties").read_text().splitlines()
        wanted = ("process.roles", "default.replication", "transaction.state", "offsets.topic", "group.")
        broker = [line for line in settings if line.startswith(wanted)]
        return [
            f"{self.records:,} records of {self.value_bytes:.0f} bytes (JSON, 13 numbers) with keys, "
            f"lz4, {PARTITIONS} partitions; every contestant commits each {COMMIT_MS} ms",
            "broker: Apache Kafka 4.1.0, one node, -Xmx1g, log.message.timestamp.type=LogAppendTime, "
            + ", ".join(broker),
        ]

    def _digest(self, topic, mode, *arguments):
        return json.loads(run(program("bench_digest"), self.stack.kafka, topic, mode, *arguments))


class Drain:
    """One contestant's run, by the broker's times of append: of the whole, and of its later half."""

    def __init__(self, measured, appended, records, note):
        self.measured = measured
        first, last = appended[0][0], appended[-1][0]
        self.to_first = first / 1000 - measured.started
        self.after_last = measured.started + measured.wall - last / 1000
        self.rate = rate(appended, first, last)
        taken = 0
        for half, count in appended:
            taken += count
            if taken >= records / 2:
                break
        self.warm_rate = rate(appended, half, last)
        self.longest_gap = max((b[0] - a[0] for a, b in zip(appended, appended[1:])), default=0)
        self.cpu_per_million = measured.cpu / records * 1e6
        self.broker_per_million = measured.server_cpu / records * 1e6
        self.note = note


def rate(appended, begin, end):
    """Records a second after the moment `begin`, whose own came in before."""
    count = sum(each for at, each in appended if begin < at <= end)
    return count / max(0.001, (end - begin) / 1000)


def ratio_row(rounds, mine, other, figure, words):
    """A row of a table: the ratio of the medians, and the ratios within the rounds."""
    pairs = [[getattr(drains[name], figure) for name in (mine, other)] for drains in rounds]
    medians = [statistics.median(values) for values in zip(*pairs)]
    within = [one / two for one, two in pairs]
    return [f"{mine} / {other}, {words}", f"{medians[0] / medians[1]:.2f}", spread(within)]


RATIO_HEADER = ["ratio", "of the medians", "within a round: median (lowest–highest)"]
