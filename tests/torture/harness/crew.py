"""The processes of the pipeline, each under a supervisor that starts it again when it was killed."""

import signal
import time
from dataclasses import dataclass

# What weir says when a server is away (README.md, "Commands"): to be started again, as by any supervisor.
SERVER_AWAY = (69, 74)


class Failure(AssertionError):
    """The run has shown a fault."""


@dataclass
class Kill:
    at: float  # time.monotonic()
    role: str
    name: str


class Worker:
    def __init__(self, name, role, start, ends_by_itself):
        self.name = name
        self.role = role
        self.start = start
        self.ends_by_itself = ends_by_itself
        self.process = start()
        self.start_at = None  # where it is down: when it comes back
        self.done = False
        self.stopped = False  # by SIGSTOP

    def can_be_killed(self):
        return self.start_at is None and not self.done and not self.stopped


class Crew:
    def __init__(self, dice):
        self._dice = dice
        self.workers = []
        self.kills = []
        self.ends = []  # (name, exit code) of those that ended by themselves, as a server was away

    def add(self, name, role, start, ends_by_itself=False):
        self.workers.append(Worker(name, role, start, ends_by_itself))
        return self.workers[-1]

    def tick(self):
        """Notices who has ended, and starts again whose time has come. Called by one thread only."""
        for worker in self.workers:
            if worker.done:
                continue
            if worker.start_at is not None:
                if time.monotonic() >= worker.start_at:
                    worker.process = worker.start()
                    worker.start_at = None
                continue
            code = worker.process.exit_code()
            if code is None:
                continue
            if code == 0 and worker.ends_by_itself:
                worker.done = True
            elif code in SERVER_AWAY:
                self.ends.append((worker.name, code))
                worker.start_at = time.monotonic() + 0.5
            else:
                raise Failure(
                    f"{worker.name} ended with {code}:\n{worker.process.stderr[-4000:]}"
                )

    def kill(self, role):
        """SIGKILL to one of that role, or of another where none can be hit. False if nobody can."""
        able = [worker for worker in self.workers if worker.can_be_killed()]
        able = [worker for worker in able if worker.role == role] or able
        able = [worker for worker in able if worker.process.running()]
        if not able:
            return False
        worker = self._dice.choice(able)
        self.kills.append(Kill(time.monotonic(), worker.role, worker.name))
        worker.process.kill()
        worker.start_at = time.monotonic() + self._dice.uniform(0.05, 1.5)
        return True

    def restart(self, role):
        """As kill(), of all of a role, so that they read their settings anew; not counted."""
        for worker in self.workers:
            if worker.role == role and worker.can_be_killed() and worker.process.running():
                worker.process.kill()
                worker.start_at = time.monotonic()

    def stop_one(self, role):
        """SIGSTOP to one; None where there is none to stop."""
        able = [w for w in self.workers if w.role == role and w.can_be_killed()]
        able = [worker for worker in able if worker.process.running()]
        if not able:
            return None
        worker = self._dice.choice(able)
        worker.process.send(signal.SIGSTOP)
        worker.stopped = True
        return worker

    @staticmethod
    def let_go_on(worker):
        worker.process.send(signal.SIGCONT)
        worker.stopped = False

    def end(self, *roles, seconds=30):
        """Asks those of the roles to end; each must end well, and in time."""
        running = []
        for worker in self.workers:
            if worker.role not in roles or worker.done:
                continue
            worker.done = True
            if worker.start_at is None and worker.process.running():
                worker.process.send(signal.SIGINT)
                running.append(worker)
        for worker in running:
            code = worker.process.wait(seconds)
            if code != 0:
                raise Failure(
                    f"{worker.name} was asked to end, and ended with {code}:\n"
                    f"{worker.process.stderr[-4000:]}"
                )
