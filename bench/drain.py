"""Drains of one filled topic by one contestant or another, each counted only if its output is right."""

import datetime
import json
import math
import statistics
import urllib.request
from dataclasses import dataclass, field
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
class Model:
    """What weir trains, in a pipeline of its own."""

    name: str = "bench"  # of the pipeline
    dataset: Path = DATASET
    settings: dict = field(default_factory=dict)
    linear: bool = True  # digest.cc predicts by it, too

    @property
    def env(self):
        folder = f"/bench/{self.name}"
        places = {"WEIR_DATASET_PATH": f"{folder}/dataset", "WEIR_MODEL_PATH": f"{folder}/models"}
        return {"WEIR_PIPELINE": self.name, **places, **self.settings}


@dataclass
class Contestant:
    command: Callable  # from the field and the name of its group and output topic
    endless: Callable | None = None  # the same, until it is told to end
    copies: bool = False  # its outputs are the inputs, and not predictions
    processes: int = 1
    close: bool = False  # its predictions may differ in the last bits
    note: Callable = lambda measured: ""  # what it says of itself
    assigned: Callable = lambda measured: None  # when it was first given partitions, seconds since 1970


def passthrough(mode, commit_ms=COMMIT_MS):
    def command(field, name):
        places = [field.stack.kafka, field.input, name, name]
        return [program("bench_passthrough"), *places, commit_ms, mode]

    def endless(field, name):
        return [*command(field, name), "forever"]

    def note(measured):
        said = json.loads(measured.stdout)
        return (
            f"{said['commits']} commits, one took {said['commit_ms_median']} ms (median), "
            f"{said['commit_ms_p99']} (p99), {said['commit_ms_max']} (max)"
        )

    return Contestant(command, endless, copies=True, note=note)


def first_assignment(measured):
    for line in measured.stderr.splitlines():
        if '"partitions assigned"' in line:
            return datetime.datetime.fromisoformat(json.loads(line)["time"]).timestamp()
    return None


def weir(processes=1, threads=1):
    """With -v it tells when partitions were assigned."""

    def command(field, name):
        return [*endless(field, name), "--until-end"]

    def endless(field, _):
        return [field.weir, "score", "-o", "json", "-c", SETTINGS, "--threads", threads, "-v"]

    def note(measured):
        said = [line[line.find("scorer ended") :] for line in measured.stderr.splitlines() if "scorer ended" in line]
        return "; ".join(said)

    return Contestant(command, endless, processes=processes, note=note, assigned=first_assignment)


class Field:
    """A filled topic, and what its outputs have to be."""

    def __init__(self, stack, weir_path, records, input=INPUT, *, model=None, partitions=PARTITIONS, shape="flat"):
        self.stack = stack
        self.weir = weir_path
        self.records = records
        self.input = input
        self.model = model or Model()
        self.partitions = partitions
        self.shape = shape
        self.model_file = DATA_DIR / f"{self.model.name}.model.json"
        self.stored_model_file = DATA_DIR / f"{self.model.name}.stored-model.json"  # to the byte: its sum is in it
        self.value_bytes = 0
        self._expected = None
        self._broker = [stack.pids["kafka"]]

    def weir_run(self, *arguments):
        return run(self.weir, *arguments, "-c", SETTINGS, env={**self.stack.env, **self.model.env})

    def train(self):
        say(f"training {self.model.name} on {self.model.dataset.relative_to(ROOT)}")
        self.weir_run("drop", self.model.dataset)
        self.weir_run("train", "--once")
        shown = json.loads(self.weir_run("models", "show", "1", "-o", "json"))
        DATA_DIR.mkdir(exist_ok=True)
        self.model_file.write_text(json.dumps({**shown["model"], "version": 1}))
        path = f"{self.model.env['WEIR_MODEL_PATH']}/0000000001/model.json"
        url = f"http://{self.stack.namenode}/webhdfs/v1{path}?op=OPEN"
        with urllib.request.urlopen(url) as stored:
            self.stored_model_file.write_bytes(stored.read())

    def make_topics(self, *names):
        run(program("bench_topics"), self.stack.kafka, self.partitions, *names)

    def fill(self):
        say(f"filling {self.input} with {self.records:,} records")
        self.make_topics(self.input)
        rows = DATA_DIR / f"{self.input}.csv"
        how = (self.records, self.model.dataset, 0, self.shape, rows)
        filled = run(program("bench_fill"), self.stack.kafka, self.input, *how)
        self.value_bytes = json.loads(filled)["value_bytes"] / self.records
        self.expect(rows)

    def expect(self, rows=None):
        """What has to come out, from what is in the topic: by digest.cc; where the model is not linear, by `weir predict`
        of the same rows in CSV, which is another way through weir."""
        if self.model.linear:
            self._expected = self._digest(self.input, "features", self.model_file)
        else:
            values = rows.with_suffix(".predictions")
            said = self.weir_run("predict", "--model", "1", "-o", "json", rows).splitlines()
            values.write_text("".join(f"{json.loads(line)['prediction']!r}\n" for line in said))
            self._expected = self._digest(self.input, "known", values, 1)
        if self._expected["count"] != self.records:
            raise Trouble(f"{self.input} holds {self._expected['count']} records, not {self.records}")

    def fill_more(self, records):
        """For what is measured after the last drain: the expected outputs are those of before."""
        say(f"filling {self.input} with {records:,} records more")
        run(program("bench_fill"), self.stack.kafka, self.input, records, self.model.dataset)

    def env(self, name):
        """Of a contestant whose group and output topic have this name."""
        return {
            **self.stack.env,
            **self.model.env,
            "WEIR_TOPICS_FEATURES": self.input,
            "WEIR_TOPICS_PREDICTIONS": name,
            "WEIR_TOPICS_DEAD": f"{name}.dead",
            "WEIR_SCORE_GROUP": name,
        }

    def drain(self, contestant, name):
        self.make_topics(name)
        command = [*self.stack.on_its_core, *contestant.command(self, name)]
        measured = measure(name, command, self._broker, env=self.env(name), copies=contestant.processes)
        found = self.check(contestant, name)
        assigned = contestant.assigned(measured)
        return Drain(measured, found["appended"], self.records, contestant.note(measured), assigned)

    def check(self, contestant, name):
        """What is in the output topic, if that is what has to be."""
        found = self._digest(name, "records" if contestant.copies else "predictions")
        self._check(name, contestant, found)
        return found

    def _check(self, name, contestant, found):
        figure = "sum" if contestant.copies else "places_sum" if contestant.close else "predictions_sum"
        sums = [each[figure] for each in (self._expected, found)]
        if found["count"] != self.records or sums[0] != sums[1]:
            raise Trouble(
                f"{name} wrote {found['count']} records with the sum {sums[1]}, not "
                f"{self.records} with {sums[0]}"
            )
        totals = [each["predictions_total"] for each in (self._expected, found)]
        if contestant.close and not math.isclose(*totals, rel_tol=1e-9):
            raise Trouble(f"the predictions of {name} add up to {totals[1]}, not {totals[0]}")

    def consume(self, name):
        """Records a second of reading alone, by the reader's own clock."""
        return self._rate_of(name, "bench_consume")

    def score_only(self, name):
        """Records a second of reading and scoring, by weir's own code, where nothing is written."""
        return self._rate_of(name, "bench_null_sink", self.stored_model_file)

    def _rate_of(self, name, reader, *arguments):
        command = [*self.stack.on_its_core, program(reader)]
        said = json.loads(run(*command, self.stack.kafka, self.input, name, *arguments))
        if said["records"] != self.records:
            raise Trouble(f"{name} read {said['records']} records, not {self.records}")
        return said["records"] / said["seconds"]

    def warm_up(self):
        say("warming the broker up: a passthrough that is not counted")
        self.drain(passthrough("exactly-once"), "bench.warm-up")

    def round(self, number, contestants):
        drains = {}
        for name, contestant in in_turn(number, contestants):
            drain = self.drain(contestant, f"bench.{name}.{number}")
            say(f"round {number}, {name}: {drain.rate:,.0f} records/s. {drain.note}")
            drains[name] = drain
        return drains

    def conditions(self):
        return [
            f"{self.records:,} records of {self.value_bytes:.0f} bytes (JSON, 13 numbers) with keys, "
            f"lz4, {self.partitions} partitions; every contestant commits each {COMMIT_MS} ms",
            self.broker(),
        ]

    def broker(self):
        settings = (harness.STACK_DIR / "kafka" / "server.properties").read_text().splitlines()
        wanted = ("process.roles", "default.replication", "transaction.state", "offsets.topic", "group.")
        said = [line for line in settings if line.startswith(wanted)]
        return "broker: Apache Kafka 4.1.0, one node, -Xmx1g, log.message.timestamp.type=LogAppendTime, " + ", ".join(said)

    def _digest(self, topic, mode, *arguments):
        return json.loads(run(program("bench_digest"), self.stack.kafka, topic, mode, *arguments))


class Drain:
    """One contestant's run, by the broker's times of append: of the whole, and of its later half."""

    def __init__(self, measured, appended, records, note, assigned):
        self.measured = measured
        self.records = records
        first, last = appended[0][0], appended[-1][0]
        self.to_first = first / 1000 - measured.started
        self.from_assigned = first / 1000 - assigned if assigned else None
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


def in_turn(number, contestants):
    """Backwards in each second round, so that who comes first is not always the same."""
    return list(contestants.items())[:: 1 if number % 2 else -1]


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
