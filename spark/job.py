"""The splits of a plan, read on a Spark cluster and merged: the state that `weir fit` makes a model of.

    weir plan --dataset NAME > plan
    spark-submit --master MASTER --files build/release/src/cli/weir spark/job.py plan state
    weir fit state --out model

A plan of `weir plan --profile` makes the profile that `weir plan --with-profile` takes, in the same way.

Each task pipes lines of the plan that follow each other through `weir stats`, and the states are
merged by `weir merge`, in groups that become fewer. Who reads which split, how often a task is tried
and which executor is lost makes no difference to the bits of the model: docs/scale.md.

A trainer with `model.engine: spark` submits this very text, and reads what it says of its progress.
"""

import argparse
import os
import re
import shlex
import subprocess
import sys
import threading

from pyspark import SparkConf, SparkContext, SparkFiles

STATES_AT_THE_DRIVER_MAX = 16
PROGRESS_EVERY_SECONDS = 0.5
WORDS_MAX = 2000
# With which `weir stats` ends where it is the data that cannot be read, and then this job, too.
DATA_AT_FAULT = 65
# What workers are given of the driver's environment.
PASSED_ON = ["HADOOP_CONF_DIR", "HADOOP_USER_NAME", "WEIR_HDFS_DIRECT_READS"]


class TaskError(Exception):
    """What the program said, for people."""


def told(arguments, code, words):
    return TaskError(f"'weir {' '.join(arguments)}' ended with {code}: {words.strip()[-WORDS_MAX:]}")


def states_of(said, arguments):
    """The states among the lines of a pipe. The others are the program's words, on its stderr."""
    words = []
    try:
        for line in said:
            if re.fullmatch("[A-Za-z0-9+/=]+", line):
                yield line
            else:
                words.append(line)
    except Exception as error:  # the pipe's own: the code with which the program ended
        code = re.findall(r"-?\d+", str(error))
        raise told(arguments, code[-1] if code else error, "\n".join(words)) from None


class Job:
    def __init__(self, context, program):
        self._context = context
        # A worker finds what --files ships in the folder that it runs in, a thread of the driver
        # where the driver has it.
        local = re.match(r"local(\[|$)", context.master)
        self._program = os.path.join(SparkFiles.getRootDirectory() if local else ".", program)
        self._environment = {name: os.environ[name] for name in PASSED_ON if name in os.environ}

    def _piped(self, lines, *arguments):
        # The pipe carries stdout alone, and the program's words are on stderr.
        command = ["/bin/sh", "-c", 'exec "$0" "$@" 2>&1', self._program, *arguments]
        return lines.pipe(shlex.join(command), env=self._environment, checkCode=True).mapPartitions(
            lambda said: states_of(said, arguments))

    def merged_state(self, plan, tasks):
        states = self._piped(self._context.parallelize(plan, tasks), "stats", "--base64")
        while states.getNumPartitions() > STATES_AT_THE_DRIVER_MAX:
            fewer = -(-states.getNumPartitions() // STATES_AT_THE_DRIVER_MAX)
            states = self._piped(states.repartition(fewer), "merge", "--base64")
        return merged("\n".join(states.collect()).encode(), os.path.basename(self._program))


def merged(states, program):
    done = subprocess.run([SparkFiles.get(program), "merge"], input=states, capture_output=True)
    if done.returncode != 0:
        raise told(["merge"], done.returncode, done.stderr.decode(errors="replace"))
    return done.stdout


def tell_progress(context, tasks, ended):
    """How many tasks have ended, for who started this."""
    seen = {}
    while not ended.wait(PROGRESS_EVERY_SECONDS):
        for stage in context.statusTracker().getActiveStageIds():
            info = context.statusTracker().getStageInfo(stage)
            if info:
                seen[stage] = max(seen.get(stage, 0), info.numCompletedTasks)
        print(f"weir-job: {sum(seen.values())} tasks of {tasks}", flush=True)


def words_of(error):
    """The program's own words out of what Spark makes of them."""
    text = str(error)
    begin = text.rfind("TaskError: ")
    return text[begin:].split("\n\tat ")[0].strip() if begin >= 0 else text.splitlines()[0]


def fault_of_data(words):
    """What a worker said of the data, without its name; nothing where that is not why it ended."""
    found = re.match(rf"TaskError: 'weir stats[^']*' ended with {DATA_AT_FAULT}: (.+)", words, re.DOTALL)
    return found and re.sub("^weir: ", "", found.group(1).splitlines()[-1])


def main():
    options = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    options.add_argument("plan", help="what 'weir plan' wrote")
    options.add_argument("state", help="the file to write")
    options.add_argument("--tasks", type=int, default=0, help="default: four for each core")
    options.add_argument("--program", default="weir", help="the name of what --files ships")
    given = options.parse_args()
    with open(given.plan, encoding="utf-8") as file:
        plan = [line for line in file.read().split("\n") if line]
    if not plan:
        sys.exit(f"{given.plan} holds no split")

    settings = SparkConf().setIfMissing("spark.app.name", "weir stats")
    context = SparkContext(conf=settings)
    ended = threading.Event()
    try:
        tasks = max(1, min(given.tasks or 4 * context.defaultParallelism, len(plan)))
        threading.Thread(target=tell_progress, args=(context, tasks, ended), daemon=True).start()
        state = Job(context, given.program).merged_state(plan, tasks)
    except Exception as error:  # of Spark, or of its Java side
        words = words_of(error)
        if fault := fault_of_data(words):
            print(f"the data is at fault: {fault}", file=sys.stderr)
            sys.exit(DATA_AT_FAULT)
        sys.exit(f"the job failed: {words}")
    finally:
        ended.set()
        context.stop()
    # Whole or not at all.
    with open(given.state + ".tmp", "wb") as file:
        file.write(state)
    os.replace(given.state + ".tmp", given.state)


if __name__ == "__main__":
    main()
