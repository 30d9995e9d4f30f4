"""As fast as one Python process comes to it: batches of confluent-kafka, orjson, one NumPy expression a batch, exactly once.

The same client settings as weir's where they exist: lz4, acks=all, a transaction each 100 ms. librdkafka fetches, compresses and
sends on threads of its own, outside of Python's lock.
"""

import sys
import time
from pathlib import Path

import numpy as np
import orjson
from confluent_kafka import Consumer, Producer, TopicPartition

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))
from linear import task

COMMIT_SECONDS = 0.1
BATCH = 10_000


def main():
    job = task()
    consumer = Consumer(
        {
            "bootstrap.servers": job.brokers,
            "group.id": job.group,
            "auto.offset.reset": "earliest",
            "enable.auto.commit": False,
            "isolation.level": "read_committed",
            # Confluent's advice for throughput, "Optimize Confluent Cloud Clients for Throughput": larger fetches.
            "fetch.min.bytes": 100_000,
            "queued.max.messages.kbytes": 65_536,
        }
    )
    producer = Producer(
        {
            "bootstrap.servers": job.brokers,
            "transactional.id": job.group,
            "compression.type": "lz4",
            # The same page: batch.size 100,000 to 200,000, linger.ms 10 to 100.
            "linger.ms": 50,
            "batch.size": 200_000,
            "queue.buffering.max.messages": 1_000_000,
        }
    )
    producer.init_transactions(30)
    consumer.subscribe([job.input])
    coefficients = job.coefficients
    features = job.features
    done, open_since, following = 0, None, {}
    while done < job.records or open_since is not None:
        messages = consumer.consume(BATCH, 0.02)
        if messages:
            if open_since is None:
                producer.begin_transaction()
                open_since = time.monotonic()
            records = []
            for message in messages:
                if message.error():
                    raise SystemExit(f"consuming: {message.error()}")
                records.append(orjson.loads(message.value()))
            rows = np.array([[record[name] for name in features] for record in records])
            predictions = np.full(len(rows), job.intercept)
            for column, coefficient in enumerate(coefficients):  # the same order of sums as weir's
                predictions += coefficient * rows[:, column]
            for message, prediction in zip(messages, predictions.tolist()):
                partition, offset = message.partition(), message.offset()
                words = job.words(prediction, partition, offset)
                while True:
                    try:
                        producer.produce(job.output, words, message.key())
                        break
                    except BufferError:
                        producer.poll(0.001)
                following[partition] = offset + 1
            done += len(messages)
            producer.poll(0)
        over = done >= job.records
        if open_since is not None and (over or time.monotonic() - open_since >= COMMIT_SECONDS):
            offsets = [TopicPartition(job.input, partition, offset) for partition, offset in following.items()]
            producer.send_offsets_to_transaction(offsets, consumer.consumer_group_metadata(), 30)
            producer.commit_transaction(30)
            open_since = None
    consumer.close()


main()
