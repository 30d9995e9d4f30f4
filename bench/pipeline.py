"""One pipeline on the bench's stack: its settings, its processes, and what the broker's log says of it."""

import os

from commit_log import PartitionLog
from drain import DATASET, PARTITIONS, SETTINGS
from harness import Trouble, program, run

COUNT_ENDLESS = 10**9
OFFSETS_PARTITIONS = 4  # of __consumer_offsets: stack/servers/kafka.py


class Pipeline:
    """Begins with a first model, of data/boston.csv, in force."""

    def __init__(self, stack, weir, name, **settings):
        self.name = name
        self.stack = stack
        self._weir = weir
        self.env = {
            **stack.env,
            "WEIR_PIPELINE": name,
            "WEIR_DATASET_PATH": f"/bench/{name}/dataset",
            "WEIR_MODEL_PATH": f"/bench/{name}/models",
            # A data set is taken up at once: the time of the watching is no part of a change of model.
            "WEIR_DATASET_WATCH_INTERVAL": "100ms",
            "WEIR_DATASET_SETTLE_TIME": "100ms",
            **settings,
        }
        self.features = self.env.get("WEIR_TOPICS_FEATURES", f"{name}.features")
        self.run("drop", DATASET)
        self.run("train", "--once")
        self.predictions = [PartitionLog(f"{name}.predictions", n) for n in range(PARTITIONS)]
        self.offsets = [PartitionLog("__consumer_offsets", n) for n in range(OFFSETS_PARTITIONS)]
        self.control = PartitionLog(f"{name}.control", 0)
        self.swaps = PartitionLog(f"{name}.swaps", 0)

    def run(self, *arguments):
        return run(self._weir, *arguments, "-c", SETTINGS, env=self.env)

    def start(self, phase, role, *arguments, name, **settings):
        argv = [self._weir, role, *arguments, "-c", SETTINGS]
        return phase.start(f"{self.name}.{name}", argv, {**self.env, **settings})

    def start_flow(self, phase, rate):
        argv = [program("bench_fill"), self.stack.kafka, self.features, COUNT_ENDLESS, DATASET, rate]
        return phase.start(f"{self.name}.fill", argv, dict(os.environ))

    def producers(self):
        """The ids of all whose predictions were committed so far."""
        return {each.producer[0] for log in self.predictions for each in log.read_on()}

    def audit(self):
        """The promises hold in what was measured, or it does not count."""
        try:
            self.run("audit")
        except Trouble as trouble:
            raise Trouble(f"{self.name}: the audit found breaches; {trouble}") from None
