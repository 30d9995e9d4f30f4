"""weir watch: a stream that is not what its model was made of any more, and the training that follows."""

import json
import random

from support.kafka import send_all
from support.promises import check_promises
from support.tables import plane, read_table, write_table


def shifted(data, by):
    """The same plane over rows whose x1 lies elsewhere."""
    names, rows = read_table(data)
    return write_table(names, [[row[0] + by, *row[1:]] for row in rows])


def features(count, x1, seed, prefix):
    generator = random.Random(seed)
    records = []
    for number in range(count):
        row = {"x1": generator.uniform(*x1)}
        row.update((name, generator.uniform(-10, 10)) for name in ("x2", "x3"))
        records.append((f"{prefix}-{number}".encode(), json.dumps(row).encode()))
    return records


def watcher(pipeline):
    members = json.loads(pipeline.ok("status", "-o", "json"))["members"]
    return next((m for m in members if m["role"] == "watcher"), None)


def wait_for_watcher(pipeline, condition, what):
    def look():
        told = watcher(pipeline)
        return told if told and condition(told) else None

    return pipeline.wait_until(look, what, every=0.3)


def test_a_stream_that_shifts_is_told_of_and_trained_on_once(pipeline):
    fresh = f"{pipeline.root}/warehouse/latest.csv"
    pipeline.hdfs.put(fresh, shifted(plane(1, rows=1500), 15))
    pipeline.set("watch", {"retrain_dataset": fresh, "retrain_interval": "1s", "rows_min": 300})
    pipeline.set("watch.lasting", "2s")
    pipeline.start("train", "--verbose")
    pipeline.start("score")
    watching = pipeline.start("watch", "--verbose")
    pipeline.drop("first.csv", plane(1, rows=1500))
    pipeline.wait_for_resume(1)
    wait_for_watcher(pipeline, lambda told: told["model"] == 1, "the first model is watched")

    pipeline.send(features(1000, (-10, 10), 1, "same"))
    wait_for_watcher(pipeline, lambda told: "no drift" in told["waiting_for"], "nothing drifts")
    pipeline.send(features(3000, (5, 25), 2, "shifted"))
    watching.wait_for_stderr("feature 'x1' drifts: its population stability index is")
    assert pipeline.wait_for_resume(2)["outcome"] == "trained"
    begun = pipeline.wait_for_begin(2)
    assert begun["dataset"]["path"] == f"{pipeline.dataset_path}/latest.csv"
    assert begun["reason"].startswith("asked for by watcher-")
    watching.wait_for_stderr("has begun as epoch 2")

    # What was a shift is what the new model was made of.
    wait_for_watcher(pipeline, lambda told: told["model"] == 2, "the second model is watched")
    pipeline.send(features(3000, (5, 25), 3, "still"))
    wait_for_watcher(pipeline, lambda told: "no drift" in told["waiting_for"], "nothing drifts")
    pipeline.wait_until_all_scored()
    assert max(record["epoch"] for record in pipeline.control()) == 2
    assert pipeline.used() == ["first.1.csv", "latest.2.csv"]
    assert pipeline.hdfs.names(f"{pipeline.root}/warehouse") == ["latest.csv"]
    pipeline.stop_all()
    check_promises(pipeline)


def test_true_values_that_come_late_tell_how_good_the_live_model_is(pipeline):
    pipeline.set("watch", {"enabled": True, "rmse_max": 2, "actuals_min": 50, "lasting": "1s"})
    running = pipeline.start("run", "--no-produce", "--verbose")
    pipeline.drop("first.csv", plane(1, rows=1500))
    pipeline.wait_for_resume(1)
    wait_for_watcher(pipeline, lambda told: told["model"] == 1, "the model is watched")
    records = features(200, (-10, 10), 1, "id")
    pipeline.send(records)
    pipeline.wait_for_predictions(200)
    model = pipeline.model(1)
    predicted = {
        key: model.predict([json.loads(value)[name] for name in model.features])
        for key, value in records
    }
    # Each off by one, some as a number under the key, the others as JSON.
    actuals = [
        (key, repr(value + 1).encode())
        if number % 2
        else (None, json.dumps({"id": key.decode(), "actual": value + 1}).encode())
        for number, (key, value) in enumerate(predicted.items())
    ]
    actuals.append((None, b"no true value"))
    topic = pipeline.topic_name("actuals")
    send_all(pipeline.stack.kafka_client(), topic, actuals)
    wait_for_watcher(
        pipeline, lambda told: "RMSE 1 of 200 true values" in told["waiting_for"], "all are joined"
    )
    running.wait_for_stderr("ignored a true value")
    # And now the world has changed.
    records = features(300, (-10, 10), 2, "later")
    pipeline.send(records)
    pipeline.wait_for_predictions(500)
    wrong = [(key, b"1000") for key, _ in records]
    send_all(pipeline.stack.kafka_client(), topic, wrong)
    running.wait_for_stderr("the predictions of model 1 have become worse: RMSE")
    pipeline.stop_all()
    check_promises(pipeline)
