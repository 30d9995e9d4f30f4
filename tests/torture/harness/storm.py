"""The run: a pipeline is started, everything in the schedule is done to it, and it is let end in order."""

import hashlib
import http.client
import random
import sys
import threading
import time

import keyed_producer
from crew import Crew, Failure
from schedule import Deed, draw
from support.process import Process, clean_environment
from support.stack import ROOT, stack_command
from support.tables import plane
from watch import Watch

PARTITIONS = 4
SCORERS = 3
TRAINERS = 2
PRODUCE_RATE = 50
TICK_SECONDS = 0.02
ERRAND_SECONDS_MAX = 120
STOPPED_SECONDS_MAX = 8  # longer than halt_timeout, so that who is stopped is shut out
STOPPED_AFTER_RESUME_SECONDS = 0.7  # so that the others are at work with the new model
SABOTAGED = ROOT / "build/release/tests/torture/weir_sabotaged"
SABOTAGED_ROLES = {"hears-of-halts-late": ["scorer"]}  # else all
DRAIN_SECONDS_MAX = 90


class Errand(threading.Thread):
    """What takes its time, beside the storm's own thread; an error of it is the run's."""

    def __init__(self, name, function):
        super().__init__(daemon=True, name=name)
        self._function = function
        self.error = None
        self.start()

    def run(self):
        try:
            self._function()
        except Exception as error:  # handed on by Storm._look_after_errands
            self.error = error


class Storm:
    def __init__(self, options, pipeline):
        self.options = options
        self.pipeline = pipeline
        self.deeds, self.aimed = draw(options)
        self.dice = random.Random(f"{options.seed} storm")
        self.crew = Crew(random.Random(f"{options.seed} crew"))
        self.sums = {}  # name of each data set that was dropped -> sha256
        self.outages = []  # (begin, end, server)
        self.stops = 0
        self._errands = []
        self._bounce = threading.Lock()  # one server at a time
        self._stopped = None  # (worker, epochs resumed when it was stopped, when)
        self._last_rows = None  # the bytes that the latest good data set holds
        self._halts_seen = 0
        self._pause = threading.Event()

    def log(self, text):
        print(f"{time.monotonic() - self.began:6.1f}  {text}", file=sys.stderr, flush=True)

    # ---- the whole ----

    def run(self):
        self._set_up()
        try:
            self._blow()
            self._drain()
        finally:
            self.watch.end()

    def _set_up(self):
        pipeline, options = self.pipeline, self.options
        self.began = time.monotonic()
        pipeline.set("topics.partitions", PARTITIONS)
        pipeline.set("train.halt_timeout", "3s")
        pipeline.make_topics()
        self.watch = Watch(pipeline.stack.kafka, pipeline.name, PARTITIONS)
        self.watch.start()
        self._drop("first.csv", plane(self._seed(0), 200))
        seconds = options.minutes * 60
        for number in range(TRAINERS):
            self._add(f"trainer-{number}", "trainer", "train")
        for number in range(SCORERS):
            self._add(f"scorer-{number}", "scorer", "score", "--threads", "2" if number == 0 else "1")
        self._wait(lambda: self.watch.resumes, "the first model is in force", 60)
        self.began = time.monotonic()
        self._add("producer", "producer", "produce", "--rate", PRODUCE_RATE)
        began = str(time.time())
        # Done a little before the storm is over, so that all of it may be killed to the end.
        self.keyed = self.crew.add(
            "keyed-producer",
            "producer",
            lambda: self._start_keyed(str(seconds * 0.97), began),
            ends_by_itself=True,
        )

    def _add(self, name, role, *command):
        started = {"name": name}
        if self.options.sabotage and role in SABOTAGED_ROLES.get(self.options.sabotage, [role]):
            started |= {"program": SABOTAGED, "WEIR_SABOTAGE": self.options.sabotage}
        self.crew.add(name, role, lambda: self.pipeline.start(*command, **started))

    def _start_keyed(self, seconds, began):
        pipeline = self.pipeline
        process = Process(
            f"{len(pipeline.processes):02}-keyed-producer",
            [
                "-B",
                keyed_producer.__file__,
                pipeline.stack.kafka,
                pipeline.topic_name("features"),
                str(PARTITIONS),
                str(self.options.records),
                seconds,
                began,
            ],
            pipeline.folder,
            clean_environment(pipeline.stack),
            program=sys.executable,
        )
        pipeline.processes.append(process)
        return process

    def _wait(self, condition, what, seconds):
        """Goes on looking after the crew until `condition` holds."""
        deadline = time.monotonic() + seconds
        while not condition():
            if time.monotonic() > deadline:
                raise Failure(f"not within {seconds} s: {what}\n{self._how_things_stand()}")
            self._tick()

    def _how_things_stand(self):
        last = sorted(self.watch.resumes.items())[-1:]
        begun = sorted(self.watch.begins.items())[-1:]
        return (
            f"last begin {begun}, last resume {last}, {self.watch.count} predictions, "
            f"in the drop folder {self.pipeline.dropped()}\n"
            + self.pipeline.complaints()[-20_000:]
        )

    def _tick(self):
        self.crew.tick()
        self._look_after_errands()
        self._wake_who_was_stopped()
        self._pause.wait(TICK_SECONDS)

    def _blow(self):
        seconds = self.options.minutes * 60
        waiting = list(self.deeds)
        while waiting or self.aimed or time.monotonic() - self.began < seconds:
            now = time.monotonic() - self.began
            self._aim(now, seconds, waiting)
            while waiting and waiting[0].at <= now:
                deed = waiting.pop(0)
                getattr(self, f"_do_{deed.what}")(**deed.detail)
            self._tick()
            if now > seconds + DRAIN_SECONDS_MAX:
                raise Failure(f"the storm does not end\n{self._how_things_stand()}")

    def _aim(self, now, seconds, waiting):
        """Turns a kill that waits for a halt into a deed: at each halt, and at last without one."""
        halts = len(self.watch.begins)
        late = now > 0.85 * seconds
        while self.aimed and (halts > self._halts_seen or late):
            self._halts_seen += 1
            role, delay = self.aimed.pop()
            at = now + delay if not late else now + self.dice.uniform(0, 0.1 * seconds)
            waiting.append(Deed(at, "kill", {"role": role, "aimed": not late}))
            waiting.sort()
        self._halts_seen = max(self._halts_seen, halts)

    def _seed(self, number):
        """Of a data set: no two are the same."""
        return self.options.seed % 1000 * 1000 + number

    # ---- deeds ----

    def _do_kill(self, role, aimed=False):
        if self.crew.kill(role):
            kill = self.crew.kills[-1]
            self.log(f"SIGKILL {kill.name}" + (" (in a change of model)" if aimed else ""))
        else:
            self.aimed.append((role, 0.0))

    def _do_swap(self, number, rows, stop_scorer):
        if stop_scorer and self._stopped is None:
            worker = self.crew.stop_one("scorer")
            if worker:
                self.stops += 1
                self.log(f"SIGSTOP {worker.name}")
                self._stopped = (worker, len(self.watch.resumes), time.monotonic())
        name = f"swap-{number:03}.csv"
        self.log(f"drop {name}, {rows} rows")
        self._drop(name, plane(self._seed(1 + number), rows))

    def _do_refuse(self, number):
        rows = plane(self._seed(500 + number), 300).split(b"\n")
        rows[self.dice.randrange(1, 300)] = b"1,2,three,4"
        self.log(f"drop refused-{number}.csv, with a row that is none")
        self._drop(f"refused-{number}.csv", b"\n".join(rows))

    def _do_duplicate(self):
        self.log("drop twice.csv, the bytes of the last data set again")
        self._drop("twice.csv", self._last_rows)

    def _do_mode(self, while_training):
        self.log(f"while_training: {while_training}, and SIGKILL to both trainers")
        self.pipeline.set("while_training", while_training)
        self.crew.restart("trainer")

    def _do_rollback(self):
        self._errands.append(Errand("rollback", self._roll_back))

    def _do_broker(self):
        node = "kafka"
        if self.options.brokers > 1:
            node = f"kafka-{self.dice.randint(1, self.options.brokers)}"
        away = self.dice.uniform(0, 4)
        self._errands.append(Errand(node, lambda: self._bounce_server(node, away)))

    def _do_datanode(self):
        away = self.dice.uniform(0, 3)
        self._errands.append(Errand("datanode", lambda: self._bounce_server("datanode", away)))

    # ---- errands ----

    def _look_after_errands(self):
        for errand in self._errands:
            if errand.error is not None:
                raise Failure(f"{errand.name}: {errand.error!r}\n{self._how_things_stand()}")
        self._errands = [errand for errand in self._errands if errand.is_alive()]

    def _wake_who_was_stopped(self):
        """Once the next model is in force without it, or when it has been long enough."""
        if self._stopped is None:
            return
        worker, resumes, since = self._stopped
        now = time.monotonic()
        times = sorted(time_of_resume for time_of_resume, _ in list(self.watch.resumes.values()))
        next_rules = len(times) > resumes and now > times[resumes] + STOPPED_AFTER_RESUME_SECONDS
        if next_rules or now - since > STOPPED_SECONDS_MAX:
            self.log(f"SIGCONT {worker.name}, after {time.monotonic() - since:.1f} s")
            self.crew.let_go_on(worker)
            self._stopped = None

    def _drop(self, name, data):
        self.sums[name] = hashlib.sha256(data).hexdigest()
        if name.startswith("swap") or self._last_rows is None:
            self._last_rows = data
        by_weir = self.dice.random() < 0.5
        self._errands.append(Errand(f"drop {name}", lambda: self._drop_until_taken(name, data, by_weir)))

    def _drop_until_taken(self, name, data, by_weir):
        """By weir or by another client; again while the DataNode is away."""
        pipeline = self.pipeline
        if by_weir:
            (pipeline.folder / name).write_bytes(data)
        deadline = time.monotonic() + ERRAND_SECONDS_MAX
        while True:
            try:
                if by_weir:
                    done = pipeline.run("drop", name, seconds=60)
                    if done.returncode == 0:
                        return
                    raise OSError(done.stderr.decode(errors="replace"))
                path = f"{pipeline.dataset_path}/{name}"
                pipeline.hdfs.delete(path + "._COPYING_")
                pipeline.hdfs.put(path, data)
                return
            except (OSError, http.client.HTTPException):
                if time.monotonic() > deadline:
                    raise
                self._pause.wait(0.5)

    def _roll_back(self):
        """Asks until it was heard: a model that comes into force meanwhile makes a request void."""
        deadline = time.monotonic() + ERRAND_SECONDS_MAX
        while True:
            live = self.watch.live_version()
            others = [version for version in self.watch.versions() if version != live]
            if others:
                version = self.dice.choice(others)
                self.log(f"roll back from {live} to {version}")
                done = self.pipeline.run("models", "rollback", version, seconds=90)
                if done.returncode == 0:
                    return
                if time.monotonic() > deadline:
                    raise Failure(f"rollback to {version}: {done.stderr.decode(errors='replace')}")
            self._pause.wait(0.5)

    def _bounce_server(self, server, away):
        directory = self.pipeline.stack.directory
        with self._bounce:
            begin = time.monotonic()
            self.log(f"SIGKILL {server}")
            stack_command("down", directory, "--only", server, "--kill")
            self._pause.wait(away)
            stack_command("up", directory, "--only", server, seconds=200)
            self.outages.append((begin, time.monotonic(), server))
            self.log(f"{server} is up again, after {time.monotonic() - begin:.1f} s")

    # ---- the end ----

    def _drain(self):
        self.log("the storm is over")
        self._wait(lambda: self.keyed.done, "all keyed records are written", DRAIN_SECONDS_MAX)
        self.crew.end("producer")
        self._wait(lambda: not self._errands and not self._stopped, "all is done", DRAIN_SECONDS_MAX)
        self._wait(self._all_trained, "every data set has been taken up", DRAIN_SECONDS_MAX)
        self.log("all data sets are taken up; trainers and scorers are asked to end")
        self.crew.end("trainer", "scorer")
        self.pipeline.ok("score", "--until-end", seconds=DRAIN_SECONDS_MAX)
        self.log("all is scored")

    def _all_trained(self):
        if self.watch.begun():
            return False
        return not [name for name in self.pipeline.dropped() if not name.startswith(".")]
