"""Runs of run.sh that share servers: the last one that leaves stops them, if a run started them."""

import subprocess

import pytest

from tree import ROOT

# As run.sh does it, with a line of its input for each thing that a run waits for.
RUN = """
set -euo pipefail
WEIR_SCRIPT=run
. stack/lib.sh
use_stack "$1"
if [ "$2" = starts ]; then own_stack "$1"; fi
if [ "$2" = keeps ]; then disown_stack "$1"; fi
leave() {
  if last_of_stack "$1"; then echo stops; else echo leaves; fi
  read -r _
}
trap 'leave "$1"' EXIT
echo uses
read -r _
"""


class Run:
    def __init__(self, directory, how):
        self._child = subprocess.Popen(["bash", "-c", RUN, "run", directory, how], cwd=ROOT, text=True,
                                       stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.PIPE)

    def says(self):
        return self._child.stdout.readline().strip()

    def complains(self):
        return self._child.stderr.readline().strip()

    def go_on(self):
        self._child.stdin.write("\n")
        self._child.stdin.flush()

    def leave(self):
        """Whether it stops the servers when it leaves."""
        self.go_on()
        said = self.says()
        self.go_on()
        assert self._child.wait(30) == 0
        return said == "stops"

    def kill(self):
        self._child.kill()
        self._child.wait(30)


@pytest.fixture
def servers(tmp_path):
    (tmp_path / "stack/pids").mkdir(parents=True)
    (tmp_path / "stack/pids/kafka").write_text("1")
    return tmp_path / "stack"


@pytest.fixture
def begin(servers):
    made = []

    def begin_run(how, waits=False):
        made.append(Run(servers, how))
        assert waits or made[-1].says() == "uses"
        return made[-1]

    yield begin_run
    for run in made:
        run.kill()


def test_the_last_run_stops_what_the_first_has_started(begin):
    first, second, third = begin("starts"), begin("joins"), begin("joins")
    assert not first.leave()
    assert not third.leave()
    assert second.leave()


def test_a_run_stops_nothing_that_it_found_running_or_is_to_keep(begin):
    assert not begin("joins").leave()
    first, second = begin("starts"), begin("keeps")
    assert not second.leave()
    assert not first.leave()


def test_a_run_stops_nothing_that_somebody_has_started_anew(begin, servers):
    run = begin("starts")
    (servers / "pids/kafka").write_text("2")
    assert not run.leave()


def test_a_run_that_was_killed_keeps_nobody_from_stopping(begin):
    first, second = begin("starts"), begin("joins")
    first.kill()
    assert second.leave()


def test_a_run_that_begins_while_the_servers_are_stopped_waits_until_they_are(begin):
    first = begin("starts")
    first.go_on()
    assert first.says() == "stops"
    second = begin("joins", waits=True)
    assert "waiting for it to end" in second.complains()
    first.go_on()
    assert second.says() == "uses"
