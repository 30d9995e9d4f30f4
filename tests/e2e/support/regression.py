"""The arithmetic that weir documents, written again: src/model/split.h, linear_model.h, boosted_model.h."""

import math

import numpy

_MASK = 2**64 - 1
_GOLDEN = 0x9E3779B97F4A7C15


def _mix(z):
    z = (z ^ (z >> 30)) * 0xBF58476D1CE4E5B9 & _MASK
    z = (z ^ (z >> 27)) * 0x94D049BB133111EB & _MASK
    return z ^ (z >> 31)


def is_held_out(seed, row, fraction):
    start = _mix((seed + _GOLDEN) & _MASK)
    return _mix((start + (row + 1) * _GOLDEN) & _MASK) < math.floor(fraction * 2**64)


def split(rows, seed, fraction):
    """(rows to train on, rows held out)."""
    trained, held_out = [], []
    for number, row in enumerate(rows):
        (held_out if is_held_out(seed, number, fraction) else trained).append(row)
    return trained, held_out


def predict(intercept, coefficients, row):
    """Left to right, each operation rounded: bit for bit what the program answers."""
    p = intercept
    for coefficient, value in zip(coefficients, row, strict=True):
        p = p + coefficient * value
    return p


class Trees:
    """The trees of a model.json; every number and every sum is of one format, binary32 or binary64."""

    def __init__(self, model):
        self._number = {"binary64": numpy.float64, "binary32": numpy.float32}[
            model.get("arithmetic", "binary32")]
        self._base = self._number(model["base"])
        self.trees = []
        for tree in model["trees"]:
            children, dealt = {}, 1
            for node, feature in enumerate(tree["feature"]):
                if feature >= 0:
                    children[node] = (dealt, dealt + 1)
                    dealt += 2
            assert dealt == len(tree["feature"]) == len(tree["value"])
            values = [self._number(value) for value in tree["value"]]
            self.trees.append((tree["feature"], values, children))

    def predict(self, row):
        with numpy.errstate(over="ignore"):  # what is too large becomes infinite
            row = [self._number(value) for value in row]
        total = self._base
        for feature, value, children in self.trees:
            node = 0
            while node in children:
                left, right = children[node]
                node = left if row[feature[node]] < value[node] else right
            total = self._number(total + value[node])
        return float(total)


def least_squares(names, rows, target):
    """(intercept, {feature: coefficient}) by numpy, on centred columns."""
    column = names.index(target)
    features = [name for name in names if name != target]
    table = numpy.array(rows, dtype=float)
    y = table[:, column]
    x = numpy.delete(table, column, axis=1)
    x_mean, y_mean = x.mean(axis=0), y.mean()
    scale = numpy.abs(x - x_mean).max(axis=0)
    scale[scale == 0] = 1
    solved = numpy.linalg.lstsq((x - x_mean) / scale, y - y_mean, rcond=None)[0] / scale
    intercept = math.fsum([y_mean, *(-solved * x_mean)])
    return intercept, dict(zip(features, solved.tolist()))


def ridge(rows, penalty):
    """(intercept, coefficients, cross-validated RMSE) by numpy, from the documented formulas: the last
    column is the target, features are standardised, the penalty is per row."""
    table = numpy.array(rows, dtype=float)
    x, y = table[:, :-1], table[:, -1]
    mean, scale = x.mean(axis=0), x.std(axis=0)
    z, target = (x - mean) / scale, y - y.mean()
    u, singular, v = numpy.linalg.svd(z, full_matrices=False)
    kept = singular**2 / (singular**2 + len(y) * penalty)
    solved = v.T @ (kept / singular * (u.T @ target))
    squares = ((target - z @ solved) ** 2).mean()
    rmse = math.sqrt(squares) / (1 - (kept.sum() + 1) / len(y))
    return y.mean() - solved / scale @ mean, (solved / scale).tolist(), rmse


def metrics(actual, predicted):
    """(RMSE, MAE, R²) of held-out rows."""
    errors = [a - p for a, p in zip(actual, predicted, strict=True)]
    squares = math.fsum(e * e for e in errors)
    mean = math.fsum(actual) / len(actual)
    total = math.fsum((a - mean) ** 2 for a in actual)
    return (
        math.sqrt(squares / len(errors)),
        math.fsum(map(abs, errors)) / len(errors),
        1 - squares / total,
    )


def correct_digits(found, certified):
    """NIST's log relative error, 15 at most."""
    if found == certified:
        return 15.0
    error = abs(found - certified) / abs(certified) if certified else abs(found)
    return max(0.0, min(15.0, -math.log10(error)))
