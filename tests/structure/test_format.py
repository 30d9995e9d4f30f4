"""C++ is formatted as .clang-format says."""

import shutil
import subprocess

import pytest

from tree import ROOT, sources


def test_clang_format_has_nothing_to_say():
    tool = shutil.which("clang-format-14")
    if not tool:
        pytest.skip("no clang-format-14")
    names = sources(".cc", ".h")
    said = subprocess.run([tool, "--dry-run", "--ferror-limit=1", *names], cwd=ROOT,
                          capture_output=True, text=True).stderr
    untidy = sorted({line.split(":")[0] for line in said.splitlines() if "[-Wclang-format" in line})
    assert not untidy, "run clang-format-14 -i on: " + " ".join(untidy)
