"""Pathway: its Kafka reader and writer; at least once, as its free edition has no exactly once.

The rows come as bytes, since its JSON reader wants keys to be JSON, too, and are scored by one function a row.
`autocommit_duration_ms` is its setting for how often new rows are handed on.
"""

import sys
from pathlib import Path

import orjson
import pathway as pw

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))
from linear import task

job = task()
settings = {"bootstrap.servers": job.brokers, "group.id": job.group, "auto.offset.reset": "earliest"}
rows = pw.io.kafka.read(
    settings, job.input, format="raw", mode="static", autocommit_duration_ms=100, with_metadata=True
)


def score(data, partition, offset):
    return job.words(job.predict(orjson.loads(data)), partition, offset)


place = rows._metadata
scored = rows.select(
    key=pw.this.key,
    words=pw.apply_with_type(
        score, bytes, pw.this.data, place["partition"].as_int(), place["offset"].as_int()
    ),
)
pw.io.kafka.write(
    scored,
    {"bootstrap.servers": job.brokers, "compression.type": "lz4", "linger.ms": "50"},
    job.output,
    format="raw",
    key=scored.key,
    value=scored.words,
)
pw.run(monitoring_level=pw.MonitoringLevel.NONE)
