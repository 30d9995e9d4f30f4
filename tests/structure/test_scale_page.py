"""The tables in docs/scale.md are what bench/scale/simulate and bench/scale/group say."""

import subprocess

import pytest

from tree import ROOT, text


@pytest.mark.parametrize("program", ["simulate", "group"])
def test_a_table_is_what_its_program_says(program):
    told = subprocess.run([ROOT / "bench/scale" / program], check=True, capture_output=True, text=True)
    assert told.stdout in text("docs/scale.md"), f"run bench/scale/{program} and copy its table"
