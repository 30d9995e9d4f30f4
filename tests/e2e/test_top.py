"""weir top: at a terminal that is none (a pseudo-terminal), and into a pipe."""

import fcntl
import json
import os
import pty
import re
import select
import signal
import struct
import subprocess
import termios
import time

import pytest

from support.process import clean_environment
from support.stack import WEIR
from support.tables import BOSTON
from support.waiting import PATIENCE

ENTER, LEAVE = "\x1b[?1049h", "\x1b[?1049l"


class Screen:
    """`weir top` on a pseudo-terminal, and what it has drawn so far."""

    def __init__(self, pipeline, *options, rows=60, columns=100):
        self.master, slave = pty.openpty()
        self.resize(rows, columns)
        self.before = termios.tcgetattr(slave)
        self.slave = slave
        self.said = ""
        self.process = subprocess.Popen(
            [WEIR, "top", *options],
            cwd=pipeline.folder,
            env=clean_environment(pipeline.stack),
            stdin=slave,
            stdout=slave,
            stderr=subprocess.PIPE,
            start_new_session=True,
            preexec_fn=lambda: fcntl.ioctl(0, termios.TIOCSCTTY, 0),
        )

    def resize(self, rows, columns):
        fcntl.ioctl(self.master, termios.TIOCSWINSZ, struct.pack("HHHH", rows, columns, 0, 0))

    def read(self):
        while select.select([self.master], [], [], 0.05)[0]:
            self.said += os.read(self.master, 65536).decode(errors="replace")

    def frames(self):
        """The pages drawn so far, without colours and wiping."""
        self.read()
        pages = self.said.split("\x1b[H")[1:]
        return [re.sub(r"\x1b\[[\d;?]*[A-Za-z]", "", page).replace("\r", "") for page in pages]

    def wait_for(self, pattern, seconds=40):
        """The first page from now on that has it."""
        seen = len(self.frames())
        until = time.monotonic() + seconds * PATIENCE
        while time.monotonic() < until:
            for page in self.frames()[max(0, seen - 1) : -1]:  # the last one may be cut off
                if re.search(pattern, page, re.S):
                    return page
        raise AssertionError(f"no page has {pattern!r}; the last:\n{self.said[-3000:]}")

    def end(self):
        """Waits for its end; gives the exit code, having seen that the terminal is as it was."""
        code = self.process.wait(15 * PATIENCE)
        self.read()
        after = termios.tcgetattr(self.slave)
        assert after == self.before, "the terminal was not given back as it was"
        assert self.said.count(ENTER) == self.said.count(LEAVE) == 1
        assert self.said.rindex("\x1b[?25h") > self.said.rindex("\x1b[?25l"), "the cursor is gone"
        errors = self.process.stderr.read()
        self.process.stderr.close()
        os.close(self.master)
        os.close(self.slave)
        assert not errors, errors
        return code


@pytest.fixture
def boston(make_pipeline):
    pipeline = make_pipeline("medv")
    pipeline.start("run", "--no-serve", name="run")
    pipeline.drop("boston.csv", BOSTON)
    pipeline.wait_for_predictions(100)
    return pipeline


def test_at_a_terminal_it_draws_in_place_and_gives_it_back(boston):
    screen = Screen(boston)
    page = screen.wait_for(r"● open since .*model 1, epoch 1.*arriving [345]\d\.\d\d/s   scored [345]\d\.\d\d/s")
    assert re.search(r"half within \d+ ms", page) and re.search(r"ALARMS\n  none\n", page), page
    assert re.search(r"scorer-\S+\s+scorer", page) and re.search(r"●     1 +4\.433", page), page
    lines = BOSTON.splitlines(True)
    boston.drop("spring.csv", b"".join(lines[:1] + lines[1::2]))
    screen.wait_for(r"model 2, epoch 2.*●     2 .*spring\.csv.*used: last spring\.2\.csv")
    screen.resize(20, 80)
    page = screen.wait_for("a taller terminal shows more")
    assert page.count("\n") == 19 and max(map(len, page.split("\n"))) <= 80
    os.write(screen.master, b"\x1b[A")  # an arrow ends nothing
    screen.wait_for("model 2")
    os.write(screen.master, b"q")
    assert screen.end() == 0
    boston.stop_all()


@pytest.mark.parametrize("how", ["key", "term"])
def test_ctrl_c_and_sigterm_give_the_terminal_back(boston, how):
    screen = Screen(boston, "--interval", "200ms")
    screen.wait_for("pipeline ")
    if how == "key":
        os.write(screen.master, b"\x03")
    else:
        screen.process.send_signal(signal.SIGTERM)
    assert screen.end() == 0
    boston.stop_all()


def test_into_a_pipe_it_prints_one_snapshot_or_one_each_time(boston):
    text = boston.ok("top")
    assert text.count("pipeline ") == 1 and "\x1b" not in text
    assert re.search(r"● open since .*, model 1, epoch 1\n", text), text
    assert re.search(r"scored [1-9]\d*\.\d\d/s", text) and "waiting: none" in text, text
    told = json.loads(boston.ok("top", "-o", "json"))
    assert told["status"]["model"] == 1 and told["alerts"] == []
    assert told["flow"]["per_second"]["predicted"] > 10 and told["models"][0]["version"] == 1
    several = boston.start("top", "--interval", "200ms", name="top")
    boston.wait_until(lambda: several.stdout.count("pipeline ") >= 3, "three snapshots")
    refused = boston.run("top", "--interval", "soon")
    assert refused.returncode == 2 and b"--interval" in refused.stderr, refused
    boston.stop_all()
