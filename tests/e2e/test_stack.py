"""The servers of stack/: three brokers, of which each goes up and down by itself."""

import re
import subprocess
import sys

import pytest

from support.kafka import Admin, Topic, send_all
from support.stack import ROOT, stack_command, stack_in
from support.waiting import wait_until

sys.path.insert(0, str(ROOT / "stack" / "servers"))
from host import PidFile  # noqa: E402


@pytest.fixture
def three_brokers(stack):
    # At a known place, so that what a run that was killed left behind is found.
    directory = stack.directory / "three"
    if directory.exists():
        stack_command("down", directory, "--kill", "--wipe")
    up = ("up", directory, "--only", "kafka", "--brokers", "3", "--ports", "auto")
    stack_command(*up, seconds=300)
    yield stack_in(directory)
    stack_command("down", directory, "--kill", "--wipe")


FIRST_THREAD_ENDS = """
import ctypes, threading, time
threading.Thread(target=time.sleep, args=(600,)).start()
ctypes.CDLL(None).pthread_exit(None)
"""


def test_a_server_is_gone_when_its_last_thread_is(tmp_path):
    # A killed server of many threads: the first is gone, the others still hold its ports.
    process = subprocess.Popen([sys.executable, "-c", FIRST_THREAD_ENDS])
    try:
        pid_file = PidFile(str(tmp_path / "pid"))
        pid_file.write(process.pid)
        stat = f"/proc/{process.pid}/stat"
        wait_until(lambda: ") Z " in open(stat).read(), "its first thread has ended")
        assert pid_file.live_pid() == process.pid
        assert pid_file.stop(30, at_once=True) == "killed"
        assert pid_file.live_pid() is None
    finally:
        process.kill()
        process.wait()


def told(command, directory, *arguments):
    """(exit code, stdout and stderr) of a command that may fail."""
    done = subprocess.run(
        [ROOT / "stack" / command, "--dir", directory, *arguments],
        capture_output=True,
        text=True,
        timeout=300,
    )
    return done.returncode, done.stdout + done.stderr


def states(directory):
    """server -> (pid, state)"""
    _, table = told("status", directory, "--only", "kafka")
    return {
        name: (pid, state)
        for name, pid, state in re.findall(r"^(kafka-\d) +\S+ +(\S+) +(\w+)$", table, re.M)
    }


@pytest.mark.long
@pytest.mark.xdist_group("own stack")
def test_of_three_brokers_one_may_be_away_and_comes_back_by_itself(three_brokers):
    directory = three_brokers.directory
    before = states(directory)
    assert {name: state for name, (_, state) in before.items()} == {
        "kafka-1": "up",
        "kafka-2": "up",
        "kafka-3": "up",
    }
    assert len(three_brokers.kafka.split(",")) == 3

    stack_command("down", directory, "--only", "kafka-2", "--kill")
    meanwhile = states(directory)
    assert meanwhile["kafka-2"] == ("-", "down")
    assert {n: meanwhile[n] for n in ("kafka-1", "kafka-3")} == {
        n: before[n] for n in ("kafka-1", "kafka-3")
    }, "another node was touched"

    stack_command("up", directory, "--only", "kafka")
    after = states(directory)
    assert {state for _, state in after.values()} == {"up"}
    assert after["kafka-1"] == before["kafka-1"] and after["kafka-2"] != before["kafka-2"]
    # Without a number of replicas a topic has one on each node, and two are enough to write.
    Admin(three_brokers.kafka).create_topic("kept", 1, replicas=-1)
    stack_command("down", directory, "--only", "kafka-1", "--kill")
    send_all(three_brokers.kafka, "kept", [(b"k", b"v")])
    topic = Topic(three_brokers.kafka, "kept")
    assert [record.value for record in topic.read_to_end()] == [b"v"]
    topic.close()


@pytest.mark.xdist_group("own stack")
def test_a_cluster_with_data_keeps_its_number_of_brokers(three_brokers):
    directory = three_brokers.directory
    before = states(directory)
    code, text = told("up", directory, "--only", "kafka", "--brokers", "1")
    assert code == 1 and "--only kafka --wipe" in text, text
    code, text = told("up", directory, "--only", "kafka-4")
    assert code == 1 and "kafka-1, kafka-2, kafka-3" in text, text
    code, text = told("up", directory, "--only", "kafka", "--proxies")
    assert code == 1 and "only one broker" in text, text
    code, text = told("up", directory, "--only", "kafka")
    assert code == 0 and text.startswith("already up: kafka-1"), text
    assert states(directory) == before
    # What was wiped may be made anew, of another number.
    stack_command("down", directory, "--only", "kafka", "--kill", "--wipe")
    stack_command("up", directory, "--only", "kafka", "--brokers", "1", seconds=300)
    assert len(stack_in(directory).kafka.split(",")) == 1
    code, text = told("up", directory, "--only", "kafka", "--proxies")
    assert code == 1 and "--only kafka" in text, text
