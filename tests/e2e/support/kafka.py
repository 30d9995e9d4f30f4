"""Kafka as any other client sees it: confluent-kafka, reading only what is committed."""

import time
from dataclasses import dataclass, field

from confluent_kafka import (
    OFFSET_BEGINNING,
    Consumer,
    ConsumerGroupTopicPartitions,
    KafkaError,
    KafkaException,
    Producer,
    TopicPartition,
)
from confluent_kafka.admin import AdminClient, NewTopic

from support.waiting import PATIENCE, wait_until


@dataclass(frozen=True)
class Record:
    topic: str
    partition: int
    offset: int
    key: bytes | None
    value: bytes | None
    timestamp: int  # milliseconds, set by its producer
    headers: list = field(default_factory=list)

    def header(self, name):
        found = [value for key, value in self.headers if key == name]
        assert len(found) == 1, f"header {name}: {found}"
        return found[0].decode()


def client_properties(servers):
    """Of an address, or of the properties of a client as they are."""
    return {"bootstrap.servers": servers} if isinstance(servers, str) else dict(servers)


def _record(message):
    return Record(
        message.topic(),
        message.partition(),
        message.offset(),
        message.key(),
        message.value(),
        message.timestamp()[1],
        message.headers() or [],
    )


class Topic:
    """One topic, read from its beginning on; each call goes on where the last one ended."""

    def __init__(self, servers, name, group=None):
        self.name = name
        self._records = []
        self._consumer = Consumer(
            {
                **client_properties(servers),
                "group.id": group or "weir-e2e-reader",
                "isolation.level": "read_committed",
                "enable.auto.commit": False,
                "enable.partition.eof": True,
                "fetch.wait.max.ms": 20,
                "topic.metadata.refresh.interval.ms": 1000,
                "reconnect.backoff.max.ms": 500,
            }
        )
        self._ends = Consumer(
            {
                **client_properties(servers),
                "group.id": group or "weir-e2e-reader",
                "isolation.level": "read_uncommitted",
                "reconnect.backoff.max.ms": 500,
            }
        )
        self._partitions = self._find_partitions()
        self._passed = {}  # partition -> the offset up to which all has been seen
        self._consumer.assign(
            [TopicPartition(name, number, OFFSET_BEGINNING) for number in self._partitions]
        )

    def _find_partitions(self):
        def look():
            try:
                metadata = self._consumer.list_topics(self.name, timeout=10).topics[self.name]
            except KafkaException:
                return None
            known = metadata.error is None and metadata.partitions
            led = known and all(p.leader >= 0 for p in metadata.partitions.values())
            return sorted(metadata.partitions) if led else None

        return wait_until(look, f"the topic {self.name} is there", 60)

    @property
    def partitions(self):
        return self._partitions

    def _take(self, seconds):
        """The records that are there within that time."""
        taken = []
        for message in self._consumer.consume(1000, seconds):
            error = message.error()
            if error is None:
                taken.append(_record(message))
                self._passed[message.partition()] = message.offset() + 1
            elif error.code() == KafkaError._PARTITION_EOF:
                # Also past what is no record: the marks at the ends of transactions.
                self._passed[message.partition()] = message.offset()
            elif error.fatal():
                raise KafkaException(error)
        return taken

    def poll(self):
        """All that has been read by now, and what is there to read at once."""
        self._records += self._take(0.02)
        return self._records

    def read_to_end(self, seconds=60):
        """All records up to the end that the topic has now; an open transaction hides what follows."""
        for records in self.batches_to_end(seconds):
            self._records += records
        return list(self._records)

    def batches_to_end(self, seconds=60):
        """As read_to_end(), batch by batch; what was handed out is not kept."""
        deadline = time.monotonic() + seconds * PATIENCE
        ends = {number: self._end(number) for number in self._partitions}
        while any(self._passed.get(number, 0) < end for number, end in ends.items()):
            assert time.monotonic() < deadline, (
                f"{self.name}: ends {ends}, read to {self._passed}"
            )
            yield self._take(0.05)

    def _end(self, number):
        # A commit is answered before its marks are written: until then the end that a reader of what
        # is committed is told of lies before the transaction. The end of the whole log does not.
        def look():
            try:
                return self._ends.get_watermark_offsets(
                    TopicPartition(self.name, number), timeout=10
                )
            except KafkaException:
                return None  # a broker that has just come back may not lead yet

        low, high = wait_until(look, f"the end of {self.name} partition {number} is known", 60)
        return high if high > low else 0

    def close(self):
        self._consumer.close()


def log_ends(servers, topic):
    """partition -> the offset after the last record, open transactions included."""
    consumer = Consumer(
        {
            **client_properties(servers),
            "group.id": "weir-e2e-ends",
            "isolation.level": "read_uncommitted",
        }
    )
    try:
        partitions = consumer.list_topics(topic, timeout=30).topics[topic].partitions
        return {
            number: consumer.get_watermark_offsets(TopicPartition(topic, number), timeout=30)[1]
            for number in partitions
        }
    finally:
        consumer.close()


class Admin:
    def __init__(self, servers):
        self._servers = servers
        self._client = AdminClient({**client_properties(servers), "log_level": 0})

    def topics(self):
        return set(self._client.list_topics(timeout=30).topics)

    def create_topic(self, name, partitions, replicas=1, **config):
        new = NewTopic(
            name, num_partitions=partitions, replication_factor=replicas, config=config
        )
        self._client.create_topics([new])[name].result(60)

    def committed(self, group, topic, partitions):
        """partition -> the group's committed offset, 0 where there is none."""
        wanted = ConsumerGroupTopicPartitions(
            group, [TopicPartition(topic, number) for number in partitions]
        )
        try:
            answer = self._client.list_consumer_group_offsets([wanted])[group].result(30)
        except KafkaException as error:
            if error.args[0].code() == KafkaError.GROUP_ID_NOT_FOUND:
                return dict.fromkeys(partitions, 0)
            raise
        return {at.partition: max(at.offset, 0) for at in answer.topic_partitions}

    def static_members(self, group):
        """The names under which a group's members came in (`group.instance.id`)."""
        told = self._client.describe_consumer_groups([group], request_timeout=30)[group].result(30)
        return {member.group_instance_id for member in told.members}

    def delete_pipeline(self, prefix):
        """Topics and groups whose names begin so."""
        topics = [name for name in self.topics() if name.startswith(prefix)]
        futures = list(self._client.delete_topics(topics, operation_timeout=1).values()) if topics else []
        for future in futures:
            future.result(60)


def send_all(servers, topic, records):
    """Produces (key, value) or (key, value, partition) or (…, headers) and waits for all of them."""
    producer = Producer(
        {**client_properties(servers), "linger.ms": 5, "message.max.bytes": 20_000_000}
    )
    errors = []

    def told(error, _):
        if error is not None:
            errors.append(error)

    for key, value, *rest in records:
        options = {}
        if rest and rest[0] is not None:
            options["partition"] = rest[0]
        if len(rest) > 1:
            options["headers"] = rest[1]
        producer.produce(topic, key=key, value=value, on_delivery=told, **options)
        producer.poll(0)
    assert producer.flush(60) == 0 and not errors, errors
