"""A thread that sees what any consumer would see: when predictions come, and what the control log says."""

import json
import threading
import time
from array import array

from confluent_kafka import OFFSET_BEGINNING, Consumer, TopicPartition


class Watch(threading.Thread):
    def __init__(self, servers, pipeline_name, partitions):
        super().__init__(daemon=True, name="watch")
        self._control = f"{pipeline_name}.control"
        self._predictions = f"{pipeline_name}.predictions"
        self._consumer = Consumer(
            {
                "bootstrap.servers": servers,
                "group.id": "weir-torture-watch",
                "isolation.level": "read_committed",
                "enable.auto.commit": False,
                "fetch.wait.max.ms": 20,
                "reconnect.backoff.max.ms": 500,
                "topic.metadata.refresh.interval.ms": 2000,
                "log_level": 0,  # that servers go away is no news here
            }
        )
        self._consumer.assign(
            [TopicPartition(self._control, 0, OFFSET_BEGINNING)]
            + [TopicPartition(self._predictions, n, OFFSET_BEGINNING) for n in range(partitions)]
        )
        self._ending = threading.Event()
        # By time.monotonic(); each list is written by this thread alone and only grows.
        self.arrivals = {n: array("d") for n in range(partitions)}  # by partition of the features
        self.begins = {}  # epoch -> (time, record)
        self.resumes = {}  # epoch -> (time, record)
        self.count = 0

    def run(self):
        while not self._ending.is_set():
            for message in self._consumer.consume(1000, 0.05):
                if message.error() is not None:
                    continue
                now = time.monotonic()
                record = json.loads(message.value())
                if message.topic() == self._predictions:
                    self._arrived(record["partition"], now)
                elif record["type"] == "resume":
                    self.resumes[record["epoch"]] = (now, record)
                else:
                    self.begins[record["epoch"]] = (now, record)
        self._consumer.close()

    def _arrived(self, partition, now):
        self.count += 1
        times = self.arrivals[partition]
        if not times or now - times[-1] > 0.001:
            times.append(now)

    def end(self):
        self._ending.set()
        self.join(30)

    # ---- what it knows by now ----

    def begun(self):
        """Whether an epoch is under way."""
        return len(self.begins) > len(self.resumes)

    def versions(self):
        """The versions that were trained, in order."""
        resumes = sorted(list(self.resumes.items()))
        return [e for e, (_, record) in resumes if record["outcome"] == "trained"]

    def live_version(self):
        resumes = list(self.resumes.values())
        return resumes[-1][1]["version"] if resumes else 0

    def outcomes(self, outcome):
        return sum(r["outcome"] == outcome for _, r in list(self.resumes.values()))

    def halts(self):
        """(begin, end) of each halt that has ended."""
        return [
            (time_of_begin, self.resumes[epoch][0])
            for epoch, (time_of_begin, record) in sorted(self.begins.items())
            if record["type"] == "halt" and epoch in self.resumes
        ]
