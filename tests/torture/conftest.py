import json
import os
import signal
import subprocess
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
# A known place, so that test.sh finds the servers of a run that was killed itself; one for each of
# pytest's workers.
DIRECTORY = Path(os.environ.get("WEIR_TORTURE_DIR", ROOT / ".weir/torture-test")) / os.environ.get(
    "PYTEST_XDIST_WORKER", "alone"
)


def tortured(report, *options, seconds):
    """The report of one run. Its seed is another each time; a failure names it."""
    run = subprocess.Popen(
        [ROOT / "tests/torture/run", "--dir", DIRECTORY, "--report", report, *map(str, options)],
        stdin=subprocess.DEVNULL,
    )
    try:
        run.wait(seconds)  # it has a time-out of its own, which is shorter
    finally:
        if run.poll() is None:
            run.send_signal(signal.SIGTERM)  # it takes its servers with it
            try:
                run.wait(60)
            except subprocess.TimeoutExpired:
                run.kill()
    return json.loads(report.read_text())
