"""Data sets for the tests, and readers of those that lie in the project."""

import csv
import io
import random

from support.stack import ROOT

BOSTON = (ROOT / "data/boston.csv").read_bytes()
SHARED = ROOT.parent / "shared/data"


def read_table(data):
    """(names, rows of floats) of CSV bytes."""
    reader = csv.reader(io.StringIO(data.decode("utf-8-sig"), newline=""))
    names = next(reader)
    return names, [[float(cell) for cell in row] for row in reader if row]


def write_table(names, rows):
    lines = [",".join(names)] + [",".join(repr(value) for value in row) for row in rows]
    return ("\n".join(lines) + "\n").encode()


def plane(seed, rows=120, features=3):
    """A table "y = a plane + noise"; another seed is another plane."""
    generator = random.Random(seed)
    slopes = [generator.uniform(-5, 5) for _ in range(features)]
    names = [f"x{number + 1}" for number in range(features)] + ["y"]
    table = []
    for _ in range(rows):
        x = [generator.uniform(-10, 10) for _ in range(features)]
        y = seed + sum(a * b for a, b in zip(slopes, x)) + generator.gauss(0, 0.5)
        table.append([*x, y])
    return write_table(names, table)
