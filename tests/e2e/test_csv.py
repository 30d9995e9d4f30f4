"""The CSV reader against pyarrow.csv, on random tables with everything that quoting allows.

No servers are needed: weir plans, reads and fits files of this machine. What it held out of the fit it
writes down, four rows of five here, so that every cell of them can be compared.

Where the two differ by rule, the tables have nothing of it, or the comparison knows of it:

- Blanks around a value are no part of it to weir; pyarrow keeps them.
- A carriage return alone ends a line to pyarrow; to weir it is a byte like others.
- Text behind a closing quote is taken as more of the field by pyarrow; weir refuses the row (a test of
  its own, below).
- A row with another number of fields makes pyarrow refuse the file, and weir that row.
"""

import csv
import io
import json
import random
import subprocess

import pytest
from pyarrow import csv as arrow_csv

from support.stack import WEIR

CONFIG = "pipeline: csv\ndataset: {target: y, test_fraction: 0.8, bad_rows_max: 1000}\n"
TEXTS = ["plain", "", "a,b", 'say "so"', '"', "two\nlines", "two\r\nlines", "\n\n", "a;b|c\td", "grün", "\\", "'", "x " * 40]


def quoted(text):
    return '"' + text.replace('"', '""') + '"'


def cell_of(pick, text):
    """A cell that says the text, quoted where it has to be and sometimes where not."""
    must = any(letter in text for letter in ',"\r\n')
    return quoted(text) if must or pick.random() < 0.3 else text


def number_of(pick):
    kinds = (
        lambda: str(pick.randint(-1000, 1000)),
        lambda: f"{pick.uniform(-100, 100):.{pick.randint(0, 6)}f}",
        lambda: repr(pick.uniform(-1, 1) * 10 ** pick.randint(-12, 12)),
        lambda: f"{pick.uniform(-10, 10):.3e}",
    )
    return pick.choice(kinds)()


def table(seed):
    pick = random.Random(seed)
    rows = pick.randint(200, 400)
    ends = pick.choice((["\n"], ["\r\n"], ["\n", "\r\n"]))
    # Each text twice at least, so that the column is one of categories.
    texts = [text for text in TEXTS if text.strip() or pick.random() < 0.5] * 2
    texts += [pick.choice(texts) for _ in range(rows)]
    pick.shuffle(texts)
    text = "\ufeff" if pick.random() < 0.3 else ""
    text += pick.choice(("a,c,y", '"a",c,"y"')) + pick.choice(ends)
    for row in range(rows):
        while pick.random() < 0.05:
            text += pick.choice(ends)  # a blank line
        cells = [cell_of(pick, number_of(pick)), cell_of(pick, texts[row]), cell_of(pick, number_of(pick))]
        text += ",".join(cells) + pick.choice(ends)
    if pick.random() < 0.5:
        text = text.rstrip("\r\n")
    return text.encode(), pick.choice((64, 100, 333, 5_000, 1 << 20))


def run(*argv, stdin=b""):
    done = subprocess.run([WEIR, *map(str, argv)], input=stdin, capture_output=True)
    assert done.returncode == 0, done.stderr.decode()
    return done.stdout


def read_by_weir(folder, text, split_bytes):
    """What the fit was told of the rows, and the rows that were held out of it, by place."""
    (folder / "weir.yaml").write_text(CONFIG)
    (folder / "table.csv").write_bytes(text)
    config = ("-c", folder / "weir.yaml")
    plan = run("plan", folder / "table.csv", "--split-bytes", split_bytes, *config)
    (folder / "state").write_bytes(run("stats", stdin=plan))
    run("fit", folder / "state", "--out", folder / "out", *config)
    dataset = json.loads((folder / "out" / "manifest.json").read_text())["dataset"]
    held_out = csv.DictReader(io.StringIO((folder / "out" / "test.csv").read_bytes().decode(), newline=""))
    return dataset, list(held_out)


def read_by_pyarrow(text):
    columns = arrow_csv.read_csv(
        io.BytesIO(text),
        parse_options=arrow_csv.ParseOptions(newlines_in_values=True),
        convert_options=arrow_csv.ConvertOptions(
            column_types={"a": "float64", "c": "string", "y": "float64"}, strings_can_be_null=False
        ),
    ).to_pydict()
    return [
        (a, c.strip(" \t"), y) for a, c, y in zip(columns["a"], columns["c"], columns["y"], strict=True)
    ]


@pytest.mark.parametrize("first_seed", range(0, 60, 15))
def test_the_reader_finds_the_rows_and_cells_that_pyarrow_finds(tmp_path, first_seed):
    for seed in range(first_seed, first_seed + 15):
        text, split_bytes = table(seed)
        folder = tmp_path / str(seed)
        folder.mkdir()
        expected = read_by_pyarrow(text)
        whole = [row for row in expected if row[1]]  # a gap is refused
        dataset, held_out = read_by_weir(folder, text, split_bytes)
        assert (dataset["rows"], dataset["rows_refused"]) == (len(expected), len(expected) - len(whole)), seed
        assert len(held_out) == dataset["rows_held_out"] > len(whole) // 2, seed
        rest = iter(whole)  # in the same order, those to train on left out
        for row in held_out:
            found = (float(row["a"]), row["c"], float(row["y"]))
            assert found in rest, (seed, row)


def test_text_behind_a_closing_quote_costs_its_own_row(tmp_path):
    rows = [f"{row},t{row % 3},{row * row}\n" for row in range(40)]
    rows[10] = '10,an"y,100\n'  # no quote opens within a field
    rows[20] = '20,"an"y,400\n'
    text = ("a,c,y\n" + "".join(rows)).encode()
    dataset, held_out = read_by_weir(tmp_path, text, 64)
    assert (dataset["rows"], dataset["rows_refused"]) == (40, 1)
    assert "20" not in {row["a"] for row in held_out}
    assert [row[1] for row in read_by_pyarrow(text)][10:21:10] == ['an"y', "any"]
