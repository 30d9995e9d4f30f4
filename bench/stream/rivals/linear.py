"""The model, and the words of a prediction, as all rivals in Python share them.

Each is called as `score.py BROKERS GROUP INPUT OUTPUT MODEL.json RECORDS STATE_DIR` and ends by itself, cleanly, once RECORDS
records have been answered and committed.
"""

import json
import sys
from dataclasses import dataclass
from pathlib import Path


@dataclass
class Task:
    brokers: str
    group: str
    input: str
    output: str
    features: list
    coefficients: list
    intercept: float
    version: int
    records: int
    state: Path

    def predict(self, record):
        """By name, in the order of the model: the same sum as everybody's, to the bit."""
        if len(record) != len(self.features):
            raise ValueError(f"{len(record)} members, not {len(self.features)}")
        total = self.intercept
        for name, coefficient in zip(self.features, self.coefficients):
            total += coefficient * record[name]
        return total

    def words(self, prediction, partition, offset):
        """Python's repr of a float is the shortest that reads back the same, as weir writes it."""
        version = self.version
        return (
            f'{{"prediction": {prediction!r}, "model": {version}, "epoch": {version}, '
            f'"partition": {partition}, "offset": {offset}}}'
        ).encode()


def task():
    brokers, group, source, output, model, records, state = sys.argv[1:]
    model = json.loads(Path(model).read_text())
    state = Path(state)
    state.mkdir(parents=True, exist_ok=True)
    return Task(
        brokers,
        group,
        source,
        output,
        model["features"],
        model["coefficients"],
        model["intercept"],
        model["version"],
        int(records),
        state,
    )
