"""A client of its own: writes records k0, k1, … up to a number, each once, whatever becomes of it.

    keyed_producer.py SERVERS TOPIC PARTITIONS RECORDS SECONDS BEGAN

In transactions that hold the place where it stands as well, as the offset of a group of its own, so that
the one that is started after a kill goes on where the last one's work counts. Some transactions are
aborted on purpose: their records must never be answered. Imports nothing of the project.
"""

import hashlib
import json
import sys
import time

from confluent_kafka import Consumer, KafkaException, Producer, TopicPartition

BATCH_RECORDS_MAX = 2000
BATCH_SECONDS = 0.1
ABORT_EVERY = 37  # batches


def record(number):
    """(value, headers) of a key. What cannot be scored: about one in forty."""
    digest = hashlib.blake2b(str(number).encode(), digest_size=12).digest()
    x = [int.from_bytes(digest[i : i + 4], "big") / 2**31 * 10 - 10 for i in (0, 4, 8)]
    row = {"x1": x[0], "x2": x[1], "x3": x[2]}
    headers = [("number", str(number).encode())] if number % 3 == 0 else []
    kind = number % 200
    if kind == 7:
        return b"poison \xff\x00 " + digest, headers
    if kind == 47:
        return json.dumps({"x1": x[0], "x3": x[2]}).encode(), headers
    if kind == 87:
        return None, headers
    if kind == 127:
        return json.dumps({**row, "x2": "NaN"}).encode(), headers
    if kind == 167:
        return (json.dumps(row) + "}").encode(), headers
    if number % 10 == 3:  # two rows, as pandas writes them
        other = {"x1": x[1], "x2": x[2], "x3": x[0]}
        sample = {name: {"0": row[name], "1": other[name]} for name in row}
        return json.dumps({"sample": sample}).encode(), headers
    if number % 10 == 5:  # columns in another order, and one more
        return json.dumps({"x3": x[2], "note": "é", "x1": x[0], "x2": x[1]}).encode(), headers
    return json.dumps(row).encode(), headers


def key(number):
    return f"k{number}".encode()


def main():
    servers, topic, partitions, records, seconds, began = sys.argv[1:]
    records, seconds, began = int(records), float(seconds), float(began)
    group = f"{topic}.keyed"
    producer = Producer(
        {
            "bootstrap.servers": servers,
            "transactional.id": group,
            "transaction.timeout.ms": 20_000,
            "linger.ms": 5,
            "reconnect.backoff.max.ms": 500,
        }
    )
    # First the place is taken, which ends what a predecessor left open; then it is read.
    producer.init_transactions(60)
    consumer = Consumer(
        {
            "bootstrap.servers": servers,
            "group.id": group,
            "enable.auto.commit": False,
            "isolation.level": "read_committed",
            "reconnect.backoff.max.ms": 500,
        }
    )
    at = consumer.committed([TopicPartition(topic, 0)], timeout=60)[0].offset
    at = max(at, 0)
    batch = 0
    while at < records:
        wall = time.time() - began
        due = min(records, int(records * wall / seconds) + 1)
        if due <= at:
            time.sleep(BATCH_SECONDS / 2)
            continue
        end = min(due, at + BATCH_RECORDS_MAX)
        producer.begin_transaction()
        for number in range(at, end):
            value, headers = record(number)
            producer.produce(
                topic, value, key(number), partition=number % int(partitions), headers=headers
            )
            producer.poll(0)
        batch += 1
        if batch % ABORT_EVERY == 0:
            producer.flush(30)
            producer.abort_transaction(60)
            continue
        place = [TopicPartition(topic, 0, end)]
        producer.send_offsets_to_transaction(place, consumer.consumer_group_metadata(), 60)
        producer.commit_transaction(60)
        behind = end - at == BATCH_RECORDS_MAX
        at = end
        if not behind:
            time.sleep(BATCH_SECONDS)
    consumer.close()


if __name__ == "__main__":
    try:
        main()
    except KafkaException as error:
        # Whatever it was: the next life finds out what counts.
        print(error, file=sys.stderr)
        sys.exit(69)
