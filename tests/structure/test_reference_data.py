"""NIST's reference sets: the files and the certified values hold each other to 14 digits and more."""

import sys
from fractions import Fraction

import pytest

from tree import ROOT

sys.path.insert(0, str(ROOT / "bench/accuracy"))
import exact

CERTIFIED = exact.certified()


def test_all_eleven_sets_are_there():
    assert len(CERTIFIED) == 11
    assert {path.stem for path in exact.FOLDER.glob("*.csv")} == set(CERTIFIED)


@pytest.mark.parametrize("name", CERTIFIED)
def test_exact_arithmetic_gives_the_certified_values(name):
    values = CERTIFIED[name]
    found = exact.fit(*exact.design(name, values), values["intercept"])
    for figure, digits in exact.compare(found, values).items():
        assert digits > 14.3, figure  # 15 digits, rounded


def test_a_datum_that_is_off_by_its_last_digit_is_seen():
    values = CERTIFIED["norris"]
    table, targets = exact.design("norris", values)
    targets[7] += Fraction(1, 10)
    found = exact.fit(table, targets, values["intercept"])
    assert exact.compare(found, values)["coefficients"] < 5
