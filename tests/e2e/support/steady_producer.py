"""A producer that sends feature records at a steady rate until it is told to stop."""

import json
import random
import threading
import time

from confluent_kafka import Producer


class SteadyProducer:
    """As a context. `times` are the wall-clock milliseconds of its records."""

    def __init__(self, pipeline, rate, names=("x1", "x2", "x3")):
        self._producer = Producer({**pipeline.stack.kafka_client(), "linger.ms": 5})
        self._topic = pipeline.topic_name("features")
        self._rate = rate
        self._names = names
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._run, daemon=True)
        self.times = []

    def __enter__(self):
        self._thread.start()
        return self

    def __exit__(self, *_):
        self._stop.set()
        self._thread.join(30)
        assert not self._thread.is_alive()
        assert self._producer.flush(60) == 0

    def _run(self):
        generator = random.Random(1)
        began = time.monotonic()
        while not self._stop.wait(0.002):
            due = int((time.monotonic() - began) * self._rate) - len(self.times)
            for _ in range(due):
                row = {name: generator.uniform(-10, 10) for name in self._names}
                now = int(time.time() * 1000)
                self._producer.produce(
                    self._topic, key=str(len(self.times)), value=json.dumps(row), timestamp=now
                )
                self.times.append(now)
            self._producer.poll(0)


def longest_gap(times):
    """Of milliseconds, in any order."""
    times = sorted(times)
    return max((b - a for a, b in zip(times, times[1:])), default=0)
