"""Rounds of weir's job and of Spark ML's LinearRegression in one Spark session, told as lines of JSON.

Started by bench/spark/run, by spark-submit.
"""

import json
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from job import Job  # the one that trainers submit, of spark/
from pyspark.ml.feature import VectorAssembler
from pyspark.ml.regression import LinearRegression
from pyspark.sql import SparkSession
from pyspark.sql.types import DoubleType, StructField, StructType

given = json.loads(sys.argv[1])

spark = SparkSession.builder.appName("bench").getOrCreate()
context = spark.sparkContext
context.setLogLevel("ERROR")


def weir(*arguments, **options):
    done = subprocess.run([given["weir"], *arguments], capture_output=True, **options)
    if done.returncode != 0:
        sys.exit(f"weir {' '.join(arguments)}: {done.stderr.decode()}")
    return done.stdout


def train_weir():
    plan = weir("plan", given["url"], "-c", given["config"]).decode().splitlines()
    state = Job(context, Path(given["shipped"]).name).merged_state(plan, len(plan))
    with tempfile.TemporaryDirectory() as folder:
        weir("fit", "--out", f"{folder}/model", "--quiet", input=state)
        model = json.loads(Path(folder, "model/model.json").read_text())
    return dict(zip(["intercept", *model["features"]], [model["intercept"], *model["coefficients"]]))


def train_spark_ml():
    columns = given["columns"]
    schema = StructType([StructField(name, DoubleType()) for name in columns])
    rows = spark.read.csv(given["url"], header=True, schema=schema)
    features = [name for name in columns if name != given["target"]]
    assembled = VectorAssembler(inputCols=features, outputCol="features").transform(rows)
    model = LinearRegression(featuresCol="features", labelCol=given["target"]).fit(assembled)
    return dict(zip(["intercept", *features], [model.intercept, *model.coefficients]))


contestants = {"weir": train_weir, "spark-ml": train_spark_ml}
for number in range(given["rounds"] + 1):  # the first one warms up, and is not counted
    for name, train in contestants.items():
        began = time.monotonic()
        coefficients = train()
        seconds = time.monotonic() - began
        told = {"round": number, "name": name, "seconds": seconds,
                "coefficients": {key: float(value) for key, value in coefficients.items()}}
        print("told " + json.dumps(told), flush=True)
spark.stop()
