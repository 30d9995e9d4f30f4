"""Takes docs/images/page.png: the page of a pipeline on the Boston data that has run for some minutes.

    stack/up && . .weir/stack/stack.env && cd tests/e2e && ../../.weir/venv/bin/python -m support.page_picture
"""

import tempfile
import time
from pathlib import Path

from support.browser import Watched, chromium
from support.pipeline import Pipeline
from support.stack import ROOT, running_stack
from support.tables import BOSTON
from support.waiting import wait_until

PICTURE = ROOT / "docs/images/page.png"
WIDTH, HEIGHT = 1280, 1010
FIRST_S, SECOND_S, LAST_S = 240, 150, 60  # how long each model has ruled when the picture is taken


def take(pipeline):
    pipeline.set("produce.rate", 8)
    run = pipeline.start("run", name="run")
    wait_until(lambda: "gateway:" in run.stdout, "the run tells where its gateway is")
    port = int(run.stdout.split("gateway:")[1].split()[0].rsplit(":", 1)[1])
    lines = BOSTON.splitlines(True)
    pipeline.drop("boston.csv", BOSTON)
    pipeline.wait_for_resume(1)
    time.sleep(FIRST_S)
    pipeline.drop("spring.csv", b"".join(lines[:1] + lines[1::2]))
    pipeline.wait_for_resume(2)
    time.sleep(SECOND_S)
    pipeline.drop("summer.csv", b"".join(lines[:1] + lines[1:400]))
    pipeline.wait_for_resume(3)
    time.sleep(LAST_S)
    with chromium() as browser:
        watched = Watched(browser, port, WIDTH, HEIGHT).open()
        watched.wait_for_text("#latest", r"3:\d+")
        watched.wait_for_text("#scatter", "RMSE, last")
        time.sleep(3)
        PICTURE.parent.mkdir(exist_ok=True)
        watched.page.screenshot(path=PICTURE)
        watched.well()
    pipeline.stop_all()


def main():
    with tempfile.TemporaryDirectory() as folder:
        pipeline = Pipeline("boston", running_stack(), Path(folder), "medv")
        pipeline.remove()  # of an attempt before
        try:
            take(pipeline)
        finally:
            pipeline.close()
            pipeline.remove()
    print(f"{PICTURE.relative_to(ROOT)}: {PICTURE.stat().st_size} bytes")


if __name__ == "__main__":
    main()
