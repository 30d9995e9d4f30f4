"""Spark of .weir/spark: jobs on local threads, and a cluster of two workers on loopback."""

import os
import re
import subprocess
import sys
from pathlib import Path

from support.process import clean_environment
from support.stack import ROOT, WEIR
from support.waiting import PATIENCE, wait_until

JOB = ROOT / "spark/job.py"
OPTIONS = ["spark.executor.memory=512m", "spark.ui.enabled=false", "spark.driver.host=127.0.0.1"]


def _home():
    found = list((ROOT / ".weir/spark").glob("lib/python3*/site-packages/pyspark"))
    assert found, "no Spark in .weir/spark: stack/setup --for test makes it"
    return found[0]


def variables():
    """Spark listens on loopback alone, and takes this Python."""
    return {
        "SPARK_HOME": str(_home()),
        "PYSPARK_PYTHON": str(ROOT / ".weir/spark/bin/python"),
        "SPARK_LOCAL_IP": "127.0.0.1",
        "SPARK_NO_DAEMONIZE": "1",
    }


def environment(stack):
    return clean_environment(stack, **variables())


class Engine:
    """Spark as the engine of a pipeline's trainers, with all that a job leaves on this machine in
    one folder."""

    def __init__(self, pipeline, master, program=WEIR):
        self.folder = pipeline.folder / "jobs"
        self.folder.mkdir(exist_ok=True)
        self.variables = {**variables(), "TMPDIR": str(self.folder)}
        pipeline.set("model.engine", "spark")
        pipeline.set("spark.submit", str(_home() / "bin/spark-submit"))
        pipeline.set("spark.master", master)
        pipeline.set("spark.program", str(program))
        pipeline.set("spark.args", [f"--conf={option}" for option in OPTIONS])

    def left(self):
        """Files and processes of jobs that are there."""
        mark = str(self.folder).encode()
        found = [entry.name for entry in self.folder.iterdir() if entry.name.startswith("weir-spark")]
        for process in Path("/proc").glob("[0-9]*"):
            try:
                command = (process / "cmdline").read_bytes()
                if mark in command or (b"weir" not in command.split(b"\0")[0]
                                       and mark in (process / "environ").read_bytes()):
                    found.append(f"{process.name}: {command.decode(errors='replace')}")
            except OSError:
                pass  # it has ended, or is another user's
        return found

    @staticmethod
    def pids(process):
        """Of the jobs that a trainer has submitted, as it tells of them."""
        return [int(pid) for pid in re.findall(r"submitted to Spark.* process=(\d+)", process.stderr)]


def submit(pipeline, master, plan, state, program=WEIR, tasks=8):
    """A job of its own, until it has ended; gives what subprocess.run does, all words in stdout.

    spark-submit sends what the job says on stderr to stdout, its own log to stderr.
    """
    (pipeline.folder / "plan").write_text("\n".join(plan) + "\n")
    return subprocess.run(
        [_home() / "bin/spark-submit", "--master", master, "--files", program,
         *(word for option in OPTIONS for word in ("--conf", option)),
         JOB, "plan", state, "--tasks", str(tasks)],
        cwd=pipeline.folder, env=environment(pipeline.stack),
        stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, timeout=120 * PATIENCE)


class Cluster:
    """A master and two workers of one core each, on ports that are free."""

    def __init__(self, stack, folder):
        self._environment = environment(stack)
        self._folder = folder
        self._children = []
        self.url = self._start("master", "Master", "--port", "0", "--webui-port", "0",
                               says=r"Starting Spark master at (spark://\S+)")
        for number in (1, 2):
            self._start(f"worker-{number}", "Worker", "--port", "0", "--webui-port", "0",
                        "-c", "1", "-m", "600m", "-d", folder / f"work-{number}", self.url,
                        says=r"Successfully registered with master (\S+)")

    def _start(self, name, role, *arguments, says):
        log = self._folder / f"{name}.log"
        with open(log, "wb") as out:
            self._children.append(subprocess.Popen(
                [_home() / "bin/spark-class", f"org.apache.spark.deploy.{role.lower()}.{role}",
                 "--host", "127.0.0.1", *map(str, arguments)],
                env=self._environment, stdin=subprocess.DEVNULL, stdout=out, stderr=out,
                cwd=self._folder))
        wait_until(lambda: re.search(says, log.read_text()),
                   lambda: f"{name} is up:\n{log.read_text()[-2000:]}", 60)
        return re.search(says, log.read_text()).group(1)

    def close(self):
        for child in reversed(self._children):
            child.terminate()
        for child in self._children:
            try:
                child.wait(20)
            except subprocess.TimeoutExpired:
                child.kill()
                child.wait(20)


# What is shipped in the place of the program: it does something once, on whichever worker it runs
# first, and is the program from then on.
_ONCE = f"""#!{sys.executable}
import os, signal, sys
try:
    os.mkdir({{mark!r}})
except FileExistsError:
    os.execv({str(WEIR)!r}, ["weir", *sys.argv[1:]])
{{body}}
"""
FAIL = "sys.exit('a worker that has no room left')"
ALWAYS_FAIL = """#!/bin/sh
echo "weir: a cluster without any room" >&2
exit 74
"""
# As a worker ends that finds other bytes in HDFS than there were.
OTHER_BYTES = f"""#!/bin/sh
if [ "$1" = stats ]; then
    echo "weir: while reading split 0 of 1: the file has only 7 bytes" >&2
    exit 65
fi
exec {WEIR} "$@"
"""
HANG = "signal.pause()"
KILL_THE_EXECUTOR = """
pid = os.getpid()
while True:
    with open(f"/proc/{pid}/cmdline", "rb") as file:
        if b"CoarseGrainedExecutorBackend" in file.read():
            break
    with open(f"/proc/{pid}/stat") as file:
        pid = int(file.read().rsplit(")", 1)[1].split()[1])
    assert pid > 1, "no executor above this task"
os.kill(pid, signal.SIGKILL)
"""


def once(folder, body):
    """(the program to ship, the mark that it leaves when it has done what it does once)."""
    program, mark = folder / "shipped" / "weir", folder / "done"
    program.parent.mkdir(exist_ok=True)
    program.write_text(_ONCE.format(mark=str(mark), body=body))
    os.chmod(program, 0o755)
    return program, mark
