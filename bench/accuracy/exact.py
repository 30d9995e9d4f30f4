"""Least squares in exact arithmetic, and NIST's reference sets for linear regression.

Rational numbers throughout, and 60 digits for the square roots at the end: slow, short, and sharing
nothing with what it judges.
"""

import csv
import json
from decimal import Decimal, localcontext
from fractions import Fraction
from pathlib import Path

FOLDER = Path(__file__).resolve().parents[2] / "src/model/testdata/strd"
DIGITS = 60


def certified():
    """Set -> degree, intercept and the certified values as Decimal."""
    text = (FOLDER / "certified.json").read_text()
    return json.loads(text, parse_float=Decimal, parse_int=int)


def rows(name, number):
    with open(FOLDER / f"{name}.csv", newline="") as file:
        lines = list(csv.reader(file))[1:]
    return [[number(cell) for cell in line] for line in lines]


def design(name, values, number=Fraction):
    """The columns as a program is given them (x expanded to its powers), and the target."""
    table, targets = [], []
    for target, *x in rows(name, number):
        for _ in range(2, values["degree"] + 1):
            x.append(x[-1] * x[0])
        table.append(([number(1)] if values["intercept"] else []) + x)
        targets.append(target)
    return table, targets


def root(fraction):
    with localcontext() as context:
        context.prec = DIGITS
        return (Decimal(fraction.numerator) / Decimal(fraction.denominator)).sqrt()


def decimal(fraction):
    with localcontext() as context:
        context.prec = DIGITS
        return Decimal(fraction.numerator) / Decimal(fraction.denominator)


def fit(table, targets, intercept):
    """By the normal equations, which lose nothing here."""
    table = [[Fraction(value) for value in row] for row in table]
    targets = [Fraction(value) for value in targets]
    size = len(table[0])
    lines = []
    for a in range(size):
        line = [sum(row[a] * row[b] for row in table) for b in range(size)]
        line.append(sum(row[a] * target for row, target in zip(table, targets)))
        lines.append(line + [Fraction(int(a == b)) for b in range(size)])
    for pivot in range(size):
        lines[pivot] = [value / lines[pivot][pivot] for value in lines[pivot]]
        for other in range(size):
            factor = lines[other][pivot]
            if other != pivot and factor != 0:
                lines[other] = [u - factor * v for u, v in zip(lines[other], lines[pivot])]
    b = [line[size] for line in lines]
    squares = sum(
        (target - sum(x * c for x, c in zip(row, b))) ** 2 for row, target in zip(table, targets)
    )
    middle = sum(targets) / len(targets) if intercept else 0
    variation = sum((target - middle) ** 2 for target in targets)
    variance = squares / (len(table) - size)
    return {
        "coefficients": [decimal(value) for value in b],
        "standard_errors": [root(variance * lines[i][size + 1 + i]) for i in range(size)],
        "residual_standard_deviation": root(variance),
        "r_squared": decimal(1 - squares / variation),
    }


def digits(found, expected):
    """How many digits agree, at most 15: -log10 of the relative error (absolute, where 0 is right)."""
    found, expected = Decimal(found), Decimal(expected)
    if found.is_nan():
        return 0.0
    error = abs(found) if expected == 0 else abs((found - expected) / expected)
    return 15.0 if error == 0 else max(0.0, min(15.0, float(-error.log10())))


FIGURES = ["coefficients", "standard_errors", "residual_standard_deviation", "r_squared"]


def compare(found, expected):
    """Figure -> digits of the worst of its values."""
    result = {}
    for figure in FIGURES:
        pairs = found[figure], expected[figure]
        if not isinstance(pairs[0], list):
            pairs = [pairs[0]], [pairs[1]]
        assert len(pairs[0]) == len(pairs[1])
        result[figure] = min(digits(*pair) for pair in zip(*pairs))
    return result
