"""Reads a CSV file and fits a linear model to its last column, as one of

  duckdb   DuckDB reads, NumPy fits
  pyarrow  pyarrow.csv reads, NumPy fits
  pandas   pandas reads, scikit-learn fits

with the defaults of each, all cores included. NumPy's fit is the quickest that it has: normal equations,
of centred columns. Prints, as JSON, the coefficients and the seconds from the first byte to the fitted
model; what imports take is left out. Run by bench/training/run, in a virtual environment of its own.
"""

import json
import sys
import time


def fit_columns(names, columns):
    """Least squares by normal equations, without a copy of all columns side by side."""
    means = numpy.array([column.mean() for column in columns])
    table = numpy.empty((len(columns), len(columns[0])))
    for row, (column, mean) in enumerate(zip(columns, means)):
        numpy.subtract(column, mean, out=table[row])
    products = table @ table.T
    coefficients = numpy.linalg.solve(products[:-1, :-1], products[:-1, -1])
    intercept = means[-1] - means[:-1] @ coefficients
    return dict(zip([*names[:-1], "intercept"], [*coefficients, intercept]))


def with_duckdb(path):
    table = duckdb.connect().execute("select * from read_csv(?)", [path]).fetchnumpy()
    names = list(table)
    return fit_columns(names, [numpy.asarray(table[name]) for name in names])


def with_pyarrow(path):
    table = csv.read_csv(path)
    return fit_columns(table.column_names, [column.to_numpy() for column in table.columns])


def with_pandas(path):
    frame = pandas.read_csv(path)
    features = frame.iloc[:, :-1]
    model = LinearRegression().fit(features, frame.iloc[:, -1])
    return dict(zip([*features.columns, "intercept"], [*model.coef_, model.intercept_]))


if __name__ == "__main__":
    name, path = sys.argv[1:]
    if name == "pandas":
        import pandas
        from sklearn.linear_model import LinearRegression

        read_and_fit = with_pandas
    else:
        import numpy

        if name == "duckdb":
            import duckdb

            read_and_fit = with_duckdb
        else:
            from pyarrow import csv

            read_and_fit = with_pyarrow
    began = time.perf_counter()
    model = read_and_fit(path)
    seconds = time.perf_counter() - began
    print(json.dumps({"seconds": seconds, "model": {key: float(value) for key, value in model.items()}}))
