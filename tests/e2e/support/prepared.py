"""What precedes a model: values of messages -> numbers -> terms, as src/record/inputs.h and
src/model/preparation.h document it, written again."""

import datetime
import decimal
import math
import re

_DATE_TIME = re.compile(
    r"(\d{4})-(\d\d)-(\d\d)(?:[Tt ](\d\d):(\d\d)(?::(\d\d)(?:\.(\d{1,9}))?)?([Zz]|[+-]\d\d:?\d\d)?)?"
)
_EPOCH = datetime.datetime(1970, 1, 1)


class Spelt(float):
    """A number of JSON that knows how it was spelt."""

    def __new__(cls, text):
        number = super().__new__(cls, text)
        number.text = text
        return number


def seconds(text):
    found = _DATE_TIME.fullmatch(text)
    assert found, f"{text!r} is no date-time"
    year, month, day, hour, minute, second, fraction, zone = found.groups()
    moment = datetime.datetime(int(year), int(month), int(day), int(hour or 0), int(minute or 0))
    whole = round((moment - _EPOCH).total_seconds()) + int(second or 0)
    if zone and zone not in "Zz":
        offset = int(zone[1:3]) * 3600 + int(zone[-2:]) * 60
        whole -= offset if zone[0] == "+" else -offset
    return whole + int((fraction or "0").ljust(9, "0")) / 1e9


def logarithm(x):
    """The nearest double, by way of fifty digits."""
    with decimal.localcontext(decimal.Context(prec=50)):
        return float(decimal.Decimal(x).ln())


class Preparation:
    """The inputs and terms of a prepared model.json."""

    def __init__(self, model):
        self._inputs = model["inputs"]
        self._missing_words = model["missing_words"]
        self.terms = model["terms"]

    def may_lack(self, place):
        return "fill" in self._inputs[place]

    def number(self, place, value):
        """The number that stands for a value: None, text, a truth value or a Spelt."""
        own = self._inputs[place]
        if isinstance(value, bool):
            value = "true" if value else "false"
        if isinstance(value, Spelt):
            assert own["kind"] != "date-time"
            text = value.text
        else:
            assert value is None or (isinstance(value, str) and own["kind"] != "number")
            text = (value or "").strip(" \t")
        if text == "" or text in self._missing_words:
            assert "fill" in own, "a value is missing"
            return math.nan
        if own["kind"] == "category":
            known = own["categories"]
            return float(known.index(text) if text in known else len(known))
        number = seconds(text) if own["kind"] == "date-time" else float(text)
        assert number > 0 or not own.get("positive")
        return number

    def _factor(self, row, kind, place, category=0):
        x = row[place]
        missing = math.isnan(x)
        if kind == "missing":
            return float(missing)
        if kind == "category":
            return float(x == category)
        if kind == "beyond":
            return float(not missing and x >= category)
        value = float(self._inputs[place]["fill"]) if missing else x
        return logarithm(value) if kind == "log" else value

    def terms_of(self, row):
        out = []
        for term in self.terms:
            value = 1.0
            for factor in term["factors"]:
                value = value * self._factor(row, *factor)
            out.append((value - term.get("shift", 0)) / term.get("scale", 1))
        return out
