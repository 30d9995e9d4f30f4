"""Bytewax: its Kafka source and sink, two workers in one process; at least once, as its sink knows no transactions.

`batch_size` of the source is its own setting for "higher throughput dataflows" (the source's documentation). Its snapshots
(recovery) are left out, which makes it faster than it could be used.
"""

import sys
from pathlib import Path

import bytewax.operators as op
import orjson
from bytewax.connectors.kafka import KafkaSinkMessage
from bytewax.connectors.kafka import operators as kafka
from bytewax.dataflow import Dataflow
from bytewax.run import cli_main

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))
from linear import task

job = task()


def score(message):
    prediction = job.predict(orjson.loads(message.value))
    return KafkaSinkMessage(message.key, job.words(prediction, message.partition, message.offset))


flow = Dataflow("score")
read = kafka.input(
    "read", flow, brokers=[job.brokers], topics=[job.input], tail=False, batch_size=10_000
)
scored = op.map("score", read.oks, score)
kafka.output(
    "write",
    scored,
    brokers=[job.brokers],
    topic=job.output,
    add_config={
        "compression.type": "lz4",
        "linger.ms": "50",
        "batch.size": "200000",
        "queue.buffering.max.messages": "1000000",
    },
)
cli_main(flow, workers_per_process=2)
