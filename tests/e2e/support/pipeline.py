"""One pipeline of a test's own: its settings file, topics, folders and processes."""

import json
import math
import signal
import subprocess
from dataclasses import dataclass

from support.hdfs import Hdfs
from support.kafka import Admin, Topic, log_ends, send_all
from support.prepared import Preparation
from support.process import Process, clean_environment
from support.regression import Trees, predict
from support.stack import WEIR
from support.waiting import PATIENCE, wait_until


@dataclass(frozen=True)
class Model:
    version: int
    intercept: float
    features: list
    coefficients: list
    manifest: dict
    trees: Trees | None = None  # of a boosted model, which has neither intercept nor coefficients
    preparation: Preparation | None = None

    def number(self, place, value):
        """What the value of a message's member is in a row, at the feature's place."""
        return self.preparation.number(place, value) if self.preparation else float(value)

    def may_lack(self, place):
        return bool(self.preparation) and self.preparation.may_lack(place)

    def predict(self, row):
        """What the program has to answer, bit for bit."""
        if self.preparation:
            row = self.preparation.terms_of(row)
        if self.trees:
            return self.trees.predict(row)
        return predict(self.intercept, self.coefficients, row)


def _yaml(settings, indent=""):
    lines = []
    for name, value in settings.items():
        if isinstance(value, dict):
            lines += [f"{indent}{name}:", *_yaml(value, indent + "  ")]
        else:
            lines.append(f"{indent}{name}: {json.dumps(value)}")
    return lines


class Pipeline:
    def __init__(self, name, stack, folder, target="y"):
        self.name = name
        self.stack = stack
        self.folder = folder
        self.root = f"/e2e/{name}"
        self.dataset_path = f"{self.root}/dataset"
        self.models_path = f"{self.root}/models"
        self.target = target
        self.hdfs = Hdfs(stack.namenode_http)
        self.admin = Admin(stack.kafka_client())
        self.processes = []
        self._topics = {}
        self.settings = {
            "pipeline": name,
            "dataset": {
                "path": self.dataset_path,
                "target": target,
                "watch_interval": "100ms",
                "settle_time": "100ms",
            },
            "model": {"path": self.models_path},
            # The shortest that brokers allow by default: how long a killed process blocks others.
            "kafka": {"bootstrap.servers": stack.kafka, "session.timeout.ms": 6000},
            "topics": {"partitions": 3},
            "produce": {"rate": 50},
            "score": {"commit_interval": "50ms"},
            "serve": {"port": 0},
        }
        self.write_settings()

    # ---- settings and processes ----

    def set(self, name, value):
        section, _, rest = name.partition(".")
        if rest:
            self.settings.setdefault(section, {})[rest] = value
        else:
            self.settings[section] = value
        self.write_settings()

    def write_settings(self):
        (self.folder / "weir.yaml").write_text("\n".join(_yaml(self.settings)) + "\n")

    def start(self, *command, name=None, program=WEIR, **variables):
        """A command that goes on: run, train, score, produce."""
        number = len(self.processes)
        process = Process(
            f"{number:02}-{name or command[0]}",
            [str(part) for part in command],
            self.folder,
            clean_environment(self.stack, **variables),
            program,
        )
        self.processes.append(process)
        return process

    def run(self, *command, seconds=60, stdin=None, **variables):
        """A command that ends by itself; gives what subprocess.run does."""
        return subprocess.run(
            [WEIR, *(str(part) for part in command)],
            cwd=self.folder,
            env=clean_environment(self.stack, **variables),
            input=stdin,
            stdin=subprocess.DEVNULL if stdin is None else None,
            capture_output=True,
            timeout=seconds * PATIENCE,
        )

    def ok(self, *command, **options):
        """As run(), for commands that must succeed; gives stdout as text."""
        done = self.run(*command, **options)
        assert done.returncode == 0, (done.returncode, done.stdout[-2000:], done.stderr[-2000:])
        return done.stdout.decode()

    def stop_all(self):
        """Asks every process to end; all must end well."""
        running = [process for process in self.processes if process.running()]
        for process in running:
            process.send(signal.SIGINT)
        for process in running:
            assert process.wait(20) == 0, f"{process.name}: {process.stderr[-3000:]}"

    # ---- data sets ----

    def drop(self, name, data):
        path = f"{self.dataset_path}/{name}"
        self.hdfs.put(path, data)
        return path

    def train_once(self, name, data):
        """Drops a data set and has it trained by a `weir train --once`."""
        self.drop(name, data)
        self.ok("train", "--once", "--quiet", seconds=90)

    def dropped(self):
        """What lies in the drop folder itself."""
        return [n for n in self.hdfs.names(self.dataset_path) if n not in ("used", "rejected")]

    def used(self):
        return self.hdfs.names(f"{self.dataset_path}/used")

    def rejected(self):
        return self.hdfs.names(f"{self.dataset_path}/rejected")

    def reason(self, name):
        return self.hdfs.read_json(f"{self.dataset_path}/rejected/{name}.reason.json")

    # ---- models ----

    def versions(self):
        return [int(name) for name in self.hdfs.names(self.models_path) if name.isdigit()]

    def model_path(self, version):
        return f"{self.models_path}/{version:010}"

    def model(self, version):
        path = self.model_path(version)
        model = self.hdfs.read_json(f"{path}/model.json")
        manifest = self.hdfs.read_json(f"{path}/manifest.json")
        features, preparation = model["features"], None
        if model["algorithm"] == "prepared":
            preparation = Preparation(model)
            model = model["model"]
        assert model["algorithm"] == manifest["algorithm"]
        if model["algorithm"] == "boosted":
            return Model(version, 0.0, features, [], manifest, Trees(model), preparation)
        numbers = [model["intercept"], *model["coefficients"]]
        assert all(math.isfinite(number) for number in numbers)
        return Model(
            version,
            float(model["intercept"]),
            features,
            [float(number) for number in model["coefficients"]],
            manifest,
            None,
            preparation,
        )

    # ---- topics ----

    def topic_name(self, kind):
        return f"{self.name}.{kind}"

    def topic(self, kind):
        if kind not in self._topics:
            self._topics[kind] = Topic(self.stack.kafka_client(), self.topic_name(kind))
        return self._topics[kind]

    def make_topics(self):
        """So that a client may write before weir was ever started: any command makes them."""
        self.ok("doctor", "--quiet")

    def send(self, records):
        send_all(self.stack.kafka_client(), self.topic_name("features"), records)

    def wait_until(self, condition, what, seconds=60, every=0.05):
        """As waiting.wait_until; ends early where a process has failed, and tells what they said."""

        def look():
            answer = condition()
            if not answer:
                self.check_processes()
            return answer

        return wait_until(look, lambda: f"{what}\n{self.complaints()}", seconds, every)

    def _wait(self, kind, condition, what, seconds):
        topic = self.topic(kind)
        return self.wait_until(lambda: condition(topic.poll()), what, seconds, every=0.01)

    def wait_for(self, kind, condition, what, seconds=60):
        """Reads a topic on until `condition` of all its records so far is truthy."""
        return self._wait(kind, condition, what, seconds)

    def check_processes(self):
        """None may have failed. To be killed is no failure of its own."""
        for process in self.processes:
            code = process.exit_code()
            assert code in (None, 0, -signal.SIGKILL), f"exit code {code}\n{self.complaints()}"

    def control(self):
        """The control log as it is now."""
        return [json.loads(record.value) for record in self.topic("control").read_to_end()]

    def wait_for_resume(self, epoch, seconds=90):
        """The resume of an epoch, once it is there."""

        def find(records):
            for record in map(lambda r: json.loads(r.value), records):
                if record["type"] == "resume" and record["epoch"] == epoch:
                    return record
            return None

        return self._wait("control", find, f"epoch {epoch} has ended", seconds)

    def wait_for_begin(self, epoch, seconds=60):
        """The halt or train record of an epoch."""

        def find(records):
            for record in map(lambda r: json.loads(r.value), records):
                if record["type"] in ("halt", "train") and record["epoch"] == epoch:
                    return record
            return None

        return self._wait("control", find, f"epoch {epoch} has begun", seconds)

    def wait_for_predictions(self, count, epoch=None, seconds=90):
        """Waits for so many committed predictions, of one epoch or of any."""

        def enough(records):
            if epoch is None:
                return len(records) >= count
            return sum(json.loads(r.value)["epoch"] == epoch for r in records) >= count

        self._wait("predictions", enough, f"{count} predictions of epoch {epoch}", seconds)

    def committed(self):
        return self.admin.committed(
            f"{self.name}.scorer", self.topic_name("features"), self.topic("features").partitions
        )

    def wait_until_all_scored(self, seconds=90):
        """The group's committed offsets have reached the end of the features topic."""

        def scored():
            ends = log_ends(self.stack.kafka_client(), self.topic_name("features"))
            return all(self.committed()[number] >= end for number, end in ends.items())

        self.wait_until(scored, "all features are scored", seconds, every=0.2)

    def complaints(self):
        """The ends of what the processes said, for a failed test."""
        told = []
        for process in self.processes:
            state = "runs" if process.running() else "has ended"
            told.append(f"--- {process.name} {state}\n{process.stderr[-2500:]}")
        return "\n".join(told)

    def close(self):
        for process in self.processes:
            process.end()
        for topic in self._topics.values():
            topic.close()

    def remove(self):
        self.hdfs.delete(self.root)
        self.admin.delete_pipeline(self.name + ".")
