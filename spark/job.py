"""The splits of a plan, read on a Spark cluster and merged: the state that `weir fit` makes a model of.

    weir plan --dataset NAME > plan
    spark-submit --master MASTER --files build/release/src/cli/weir spark/job.py plan state
    weir fit state --out model

Each task runs `weir stats` on lines of the plan that follow each other, and the states are merged by
`weir merge`, in groups that become fewer. Who reads which split, how often a task is tried and which
executor is lost makes no difference to the bits of the model: docs/scale.md.

Not rdd.pipe: it starts programs in a folder that differs between kinds of cluster, and a task that
fails says nothing of what the program said.
"""

import argparse
import os
import subprocess
import sys

from pyspark import SparkConf, SparkContext, SparkFiles

PROGRAM = "weir"  # the name under which --files ships it
STATES_AT_THE_DRIVER_MAX = 16
# A task whose data is at fault fails the same way each time; the program's other errors may pass.
WORDS_MAX = 2000


class TaskError(Exception):
    """What the program said, for people."""


def run(program, arguments, given):
    done = subprocess.run([program, *arguments], input=given, capture_output=True)
    if done.returncode != 0:
        said = done.stderr.decode(errors="replace").strip()[-WORDS_MAX:]
        raise TaskError(f"'weir {' '.join(arguments)}' ended with {done.returncode}: {said}")
    return done.stdout


def on_worker(*arguments):
    """A function from the lines of a partition to the lines that the program makes of them."""

    def task(lines):
        given = "\n".join(lines).encode()
        if not given:
            return []
        return run(SparkFiles.get(PROGRAM), arguments, given).decode().splitlines()

    return task


def merged_state(context, plan, tasks):
    lines = context.parallelize(plan, tasks)
    states = lines.mapPartitions(on_worker("stats", "--base64"))
    while states.getNumPartitions() > STATES_AT_THE_DRIVER_MAX:
        fewer = -(-states.getNumPartitions() // STATES_AT_THE_DRIVER_MAX)
        states = states.repartition(fewer).mapPartitions(on_worker("merge", "--base64"))
    return run(SparkFiles.get(PROGRAM), ["merge"], "\n".join(states.collect()).encode())


def words_of(error):
    """The program's own words out of what Spark makes of them."""
    text = str(error)
    begin = text.rfind("TaskError: ")
    return text[begin:].split("\n\tat ")[0].strip() if begin >= 0 else text.splitlines()[0]


def main():
    options = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    options.add_argument("plan", help="what 'weir plan' wrote")
    options.add_argument("state", help="the file to write")
    options.add_argument("--tasks", type=int, default=0, help="default: four for each core")
    given = options.parse_args()
    with open(given.plan, encoding="utf-8") as file:
        plan = [line for line in file.read().split("\n") if line]
    if not plan:
        sys.exit(f"{given.plan} holds no split")

    settings = SparkConf().setIfMissing("spark.app.name", "weir stats")
    if "HADOOP_CONF_DIR" in os.environ:
        settings.setExecutorEnv("HADOOP_CONF_DIR", os.environ["HADOOP_CONF_DIR"])
    context = SparkContext(conf=settings)
    try:
        tasks = given.tasks or 4 * context.defaultParallelism
        state = merged_state(context, plan, max(1, min(tasks, len(plan))))
    except Exception as error:  # of Spark, or of its Java side
        sys.exit(f"the job failed: {words_of(error)}")
    finally:
        context.stop()
    # Whole or not at all.
    with open(given.state + ".tmp", "wb") as file:
        file.write(state)
    os.replace(given.state + ".tmp", given.state)


if __name__ == "__main__":
    main()
