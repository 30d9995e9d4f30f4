"""A few minutes of torture on servers of its own; the long run is `tests/torture/run --long`."""

import json

import pytest

from conftest import tortured

KILLS, SWAPS, ROLLBACKS = 18, 6, 1


@pytest.fixture(scope="module")
def report(tmp_path_factory):
    """What one run found, and its figures."""
    demands = {"--kills": KILLS, "--swaps": SWAPS, "--rollbacks": ROLLBACKS}
    words = [word for pair in demands.items() for word in pair]
    return tortured(tmp_path_factory.mktemp("torture") / "report.json", *words, seconds=330)


def test_the_promises_hold_through_sigkill_of_everything(report):
    assert not report["faults"], json.dumps(report, indent=2)


def test_the_run_was_as_hard_as_it_was_meant_to_be(report):
    figures = report["figures"]
    assert figures["SIGKILLs"] >= KILLS
    for role in ("trainers", "scorers", "producers"):
        assert figures[f"SIGKILLs of {role}"] >= 1
    assert figures["swaps"] + figures["failed"] >= SWAPS
    assert figures["refused"] >= 1 and figures["rollbacks"] >= ROLLBACKS
    assert figures["dead letters"] >= 100 and figures["predictions"] >= 50_000
    assert figures["changes without a halt"] >= 1
    assert "kafka" in figures["servers killed"] and "datanode" in figures["servers killed"]


def test_the_checker_names_each_fault_that_is_planted_in_the_same_run(report):
    # Those that it does not name are among the faults of the run.
    assert len(report["tamperings"]) >= 16
