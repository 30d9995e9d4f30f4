"""Waiting for something to become true, with a deadline and a clear complaint."""

import os
import time

PATIENCE = float(os.environ.get("WEIR_E2E_PATIENCE", "1"))


def wait_until(condition, what, seconds=60.0, every=0.05):
    """Returns the first truthy answer of `condition`; fails after `seconds`.

    `what` is a text, or a function that tells how things stand at the end.
    """
    deadline = time.monotonic() + seconds * PATIENCE
    while True:
        answer = condition()
        if answer:
            return answer
        if time.monotonic() > deadline:
            told = what() if callable(what) else what
            raise AssertionError(f"not within {seconds * PATIENCE:.0f} s: {told}")
        time.sleep(every)
