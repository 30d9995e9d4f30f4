"""Quix Streams, exactly once, with a commit each 100 ms.

`processing_guarantee` and `commit_interval` are what its documentation names for this ("Processing Guarantees", "Checkpointing");
the batch settings of its producer are Confluent's advice for throughput, as for the others on librdkafka.
"""

import sys
from pathlib import Path

import orjson
from quixstreams import Application
from quixstreams.context import message_context

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))
from linear import task


def main():
    job = task()
    application = Application(
        broker_address=job.brokers,
        consumer_group=job.group,
        auto_offset_reset="earliest",
        processing_guarantee="exactly-once",
        commit_interval=0.1,
        state_dir=job.state,
        auto_create_topics=False,
        loglevel="WARNING",
        producer_extra_config={
            "compression.type": "lz4",
            "linger.ms": 50,
            "batch.size": 200_000,
            "queue.buffering.max.messages": 1_000_000,
        },
        consumer_extra_config={"fetch.min.bytes": 100_000},
    )
    source = application.topic(job.input, value_deserializer="bytes", key_deserializer="bytes")
    output = application.topic(job.output, value_serializer="bytes", key_serializer="bytes")

    def score(value):
        place = message_context()
        return job.words(job.predict(orjson.loads(value)), place.partition, place.offset)

    application.dataframe(source).apply(score).to_topic(output)
    application.run(count=job.records, collect=False)


main()
