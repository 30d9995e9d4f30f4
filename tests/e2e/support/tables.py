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


def in_parts(csv_bytes, count):
    """Parts of a table whose records are lines, each with its header."""
    header, *lines = csv_bytes.decode().splitlines()
    return [("\n".join([header, *lines[number::count]]) + "\n").encode() for number in range(count)]


def houses(seed, rows=600, gaps=True):
    """Prices that follow from the size, the zone, the year and the logarithm of the tax."""
    generator = random.Random(seed)
    worth = {"north": 0.0, "o'er, \"west\"": 40.0, "südlich": -25.0, "7": 90.0}
    out = io.StringIO(newline="")
    writer = csv.writer(out)
    writer.writerow(["id", "size", "zone", "built", "tax", "price"])
    for number in range(rows):
        size = generator.uniform(20, 200)
        zone = generator.choices(list(worth), weights=[4, 3, 2, 1])[0]
        year = generator.randint(1950, 2020)
        tax = generator.uniform(0.5, 60)
        price = 3 * size + worth[zone] + 0.5 * (year - 1950) - 2 * tax + generator.gauss(0, 1)
        built = f"{year}-{generator.randint(1, 12):02}-{generator.randint(1, 28):02}"
        if number % 3 == 0:
            built += f"T{generator.randint(0, 23):02}:30:15.25+02:00"
        row = [f"house {seed}.{number}", repr(size), zone, built, f"{tax:.3f}", repr(price)]
        if gaps and number % 11 == 0:
            row[1] = generator.choice(["", "NA"])
        if gaps and number % 17 == 0:
            row[2] = ""
        writer.writerow(row)
    return out.getvalue().encode()
