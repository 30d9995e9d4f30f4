"""The table in docs/scale.md is what bench/scale/simulate says."""

import subprocess

from tree import ROOT, text


def test_the_simulated_table_is_what_the_simulation_gives():
    told = subprocess.run([ROOT / "bench/scale/simulate"], check=True, capture_output=True, text=True)
    assert told.stdout in text("docs/scale.md"), "run bench/scale/simulate and copy its table"
