"""When trainings begin: by a schedule, or at once because somebody asks."""

import json
import time

from support.promises import check_promises
from support.tables import plane


def waiting_for(pipeline):
    status = json.loads(pipeline.ok("status", "-o", "json"))
    return "".join(m["waiting_for"] or "" for m in status["members"] if m["role"] == "trainer")


def test_a_data_set_waits_for_its_schedule_or_for_somebody_who_asks(pipeline):
    # A moment that does not come while the test runs.
    night = time.gmtime(time.time() + 12 * 3600)
    pipeline.set("train.schedule", [f"CRON_TZ=UTC 0 {night.tm_hour} * * *"])
    assert "schedule of trainings" in pipeline.ok("doctor")
    trainer = pipeline.start("train", "--verbose")
    pipeline.start("score")
    pipeline.drop("a.csv", plane(1))
    pipeline.drop("b.csv", plane(2))
    pipeline.wait_until(
        lambda: "a.csv and 1 more wait for train.schedule" in waiting_for(pipeline),
        "the trainer says what it waits for",
    )
    told = json.loads(pipeline.ok("status", "-o", "json"))["schedule"]
    assert told["on_arrival"] is False and told["next"].endswith(f"T{night.tm_hour:02}:00:00.000Z")
    assert "by schedule (CRON_TZ=UTC 0" in pipeline.ok("status")

    done = json.loads(pipeline.ok("train", "--now", "b.csv", "-o", "json"))
    assert done == {"version": 1, "epoch": 1, "dataset": f"{pipeline.dataset_path}/b.csv"}
    pipeline.wait_until(lambda: pipeline.dropped() == ["a.csv"], "the other waits on")
    assert "version 2, trained on" in pipeline.ok("train", "--now")
    # What was used, again: a copy of it.
    used = f"{pipeline.dataset_path}/used/b.1.csv"
    assert json.loads(pipeline.ok("train", "--now", used, "-o", "json"))["version"] == 3
    pipeline.wait_until(
        lambda: pipeline.used() == ["a.2.csv", "b.1.csv", "b.3.csv"], "all are moved"
    )

    for dataset, reason in (
        (None, "no data set waits in"),
        ("c.csv", "there is no data set"),
        (used, "nothing would change: the live model, version 3"),
    ):
        refused = pipeline.run("train", "--now", *([dataset] if dataset else []))
        assert refused.returncode != 0 and reason in refused.stderr.decode(), refused.stderr
    pipeline.drop("bad.csv", b"x,y\nno,numbers\n")
    refused = pipeline.run("train", "--now", "bad.csv")
    assert refused.returncode == 65 and b"epoch 4" in refused.stderr, refused.stderr
    assert trainer.running()
    pipeline.stop_all()
    alone = pipeline.run("train", "--now", "--wait", "1s")
    assert alone.returncode == 69 and b"no trainer is live" in alone.stderr, alone.stderr
    check_promises(pipeline)


def test_a_data_set_is_taken_up_at_the_next_moment_of_the_schedule(pipeline):
    pipeline.set("train.schedule", ["* * * * *"])
    pipeline.start("train")
    if time.time() % 60 > 50:  # too near to the moment to be seen waiting
        pipeline.wait_until(lambda: time.time() % 60 < 50, "a minute has begun", every=0.5)
    dropped = time.time()
    pipeline.drop("a.csv", plane(1))
    pipeline.wait_until(lambda: pipeline.used() == ["a.1.csv"], "it is trained on", seconds=90)
    assert int(time.time() / 60) > int(dropped / 60)
    pipeline.stop_all()
