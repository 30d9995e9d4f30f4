"""The files of the project as the structure tests see them: what git tracks or would track."""

import re
import subprocess
from functools import cache
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]


@cache
def files():
    """Paths relative to the root, sorted; without what .gitignore names and what was deleted."""
    listed = subprocess.run(
        ["git", "ls-files", "-z", "--cached", "--others", "--exclude-standard"],
        cwd=ROOT, check=True, capture_output=True, text=True).stdout
    return sorted({name for name in listed.split("\0") if name and (ROOT / name).is_file()})


@cache
def text(name):
    return (ROOT / name).read_text(encoding="utf-8", errors="surrogateescape")


def sources(*endings):
    return [name for name in files() if name.startswith("src/") and name.endswith(endings)]


def is_test(name):
    """Code that no program holds: tests, their tables, oracles and contract suites, fuzz targets."""
    return re.search(r"(_test|_fuzz)\.cc$|(_test|_contract|_oracle|_check|test_tables)\.h$"
                     r"|/contract_[a-z_]+\.h$", name) is not None


def room_of(name):
    return name.split("/")[1]


def report(faults, advice):
    """The message of an assertion that lists what is wrong and says what to do."""
    return "\n  ".join([advice, *faults])
