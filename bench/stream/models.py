"""The models of bench/stream/matrix, and the data sets that they are trained on. The same each time."""

import math
import random

from drain import DATASET, Model
from harness import DATA_DIR

WIDE_ROWS_OF_COLUMN = 4
TREES_ROWS = 20_000
TREES_DEPTH = 6  # as bench/trees
TARGET = "medv"  # as weir.yaml says


def write(path, header, rows):
    path.parent.mkdir(exist_ok=True)
    path.write_text("\n".join(",".join(map(str, row)) for row in [header, *rows]) + "\n")
    return path


def wide(path, columns):
    """Independent columns, a linear target with noise."""
    chance = random.Random(1)
    weights = [chance.uniform(-1, 1) for _ in range(columns)]
    rows = []
    for _ in range(columns * WIDE_ROWS_OF_COLUMN):
        row = [round(chance.uniform(1, 100), 4) for _ in weights]
        target = math.fsum(weight * value for weight, value in zip(weights, row)) + chance.gauss(0, 1)
        rows.append([*row, round(target, 4)])
    return write(path, [*(f"f{j:03}" for j in range(columns)), TARGET], rows)


def bent(path):
    """Rows of Boston's, moved by up to 5 % as bench_fill moves them, with a target that no plane fits, so that trees grow to
    their full depth and more of them tell more."""
    chance = random.Random(1)
    header, *lines = DATASET.read_text().split()
    names = header.split(",")
    rows = []
    for index in range(TREES_ROWS):
        row = dict(zip(names, map(float, lines[index % len(lines)].split(","))))
        for name in row:
            if name not in ("chas", "rad", "tax"):
                row[name] = round(row[name] * chance.uniform(0.95, 1.05), 6)
        row[TARGET] += 5 * math.sin(row["lstat"]) + 3 * math.sin(row["age"] * row["rm"] / 20) + chance.gauss(0, 1)
        rows.append([row[name] for name in names])
    return write(path, names, rows)


def linear_13():
    return Model()


def linear(columns):
    return Model(f"bench-linear-{columns}", wide(DATA_DIR / f"wide-{columns}.csv", columns))


def boosted(trees):
    settings = {
        "WEIR_MODEL_ALGORITHM": "boosted",
        "WEIR_MODEL_BOOSTED_TREES": str(trees),
        "WEIR_MODEL_BOOSTED_DEPTH": str(TREES_DEPTH),
    }
    return Model(f"bench-trees-{trees}", bent(DATA_DIR / "bent.csv"), settings, linear=False)
