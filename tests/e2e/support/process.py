"""A weir process: its output goes to files, and only its own id is ever signalled."""

import os
import signal
import subprocess
import time

from support.stack import WEIR
from support.waiting import PATIENCE, wait_until


def clean_environment(stack, **more):
    """The environment without settings that a developer may have, and with the stack's HDFS."""
    environment = {
        name: value
        for name, value in os.environ.items()
        if not name.startswith("WEIR_") and name not in ("NO_COLOR", "HADOOP_USER_NAME")
    }
    environment["HADOOP_CONF_DIR"] = stack.hadoop_conf_dir
    environment.update(more)
    return environment


class Process:
    def __init__(self, name, command, folder, environment, program=WEIR):
        self.name = name
        self._stdout = folder / f"{name}.stdout"
        self._stderr = folder / f"{name}.stderr"
        with open(self._stdout, "wb") as out, open(self._stderr, "wb") as err:
            self._child = subprocess.Popen(
                # It goes with us, however we end.
                ["setpriv", "--pdeathsig", "KILL", program, *command],
                cwd=folder,
                env=environment,
                stdin=subprocess.DEVNULL,
                stdout=out,
                stderr=err,
            )
        self.pid = self._child.pid

    @property
    def stdout(self):
        return self._stdout.read_text(errors="replace")

    @property
    def stderr(self):
        return self._stderr.read_text(errors="replace")

    def running(self):
        return self._child.poll() is None

    def exit_code(self):
        """None while it runs."""
        return self._child.poll()

    def send(self, number):
        assert self.running(), f"{self.name} has ended:\n{self.stderr[-3000:]}"
        if number in (signal.SIGINT, signal.SIGTERM):
            # One that was started a moment ago may not have come to its first line yet.
            deadline = time.monotonic() + 5 * PATIENCE
            while self.running() and not self._heeds(number) and time.monotonic() < deadline:
                time.sleep(0.01)
        self._child.send_signal(number)

    def _heeds(self, number):
        """Whether it does something of its own about a signal: it has it blocked, or caught."""
        try:
            with open(f"/proc/{self.pid}/status") as file:
                masks = dict(line.split(":", 1) for line in file)
        except OSError:
            return True
        mask = int(masks["SigBlk"], 16) | int(masks["SigCgt"], 16)
        return bool(mask >> (number - 1) & 1)

    def wait(self, seconds=60):
        """The exit code; a process that a signal ended has minus its number."""
        try:
            return self._child.wait(seconds * PATIENCE)
        except subprocess.TimeoutExpired:
            raise AssertionError(
                f"{self.name} does not end within {seconds * PATIENCE:.0f} s:\n"
                f"{self.stderr[-3000:]}"
            ) from None

    def kill(self):
        """As a crash: SIGKILL."""
        self.send(signal.SIGKILL)
        assert self.wait(10) == -signal.SIGKILL

    def stop(self, number=signal.SIGINT, seconds=20):
        """Asks it to end; returns the exit code and the seconds that it took."""
        began = time.monotonic()
        self.send(number)
        code = self.wait(seconds)
        return code, time.monotonic() - began

    def end(self):
        """At the end of a test: by force if need be."""
        if self.running():
            self._child.send_signal(signal.SIGCONT)
            self._child.kill()
            self._child.wait(10)

    def wait_for_stderr(self, text, seconds=60):
        wait_until(
            lambda: text in self.stderr,
            lambda: f"{self.name} says '{text}':\n{self.stderr[-3000:]}",
            seconds,
        )
