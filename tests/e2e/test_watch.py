"""weir watch: a stream that is not what its model was made of any more, and the training that follows."""

import gzip
import json
import random
import signal

import numpy

from support.gateway import Gateway
from support.kafka import send_all
from support.promises import check_promises
from support.tables import plane, read_table, write_table
from support.waiting import wait_until


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


def live_accuracy(gateway, joined):
    """What /v1/watch tells once so many are joined."""

    def look():
        told = gateway.get("/v1/watch")
        return told["watching"] and told["accuracy"]["joined"] == joined and told["alarms"][1]["on"] and told

    return wait_until(look, lambda: f"{joined} are not joined: {gateway.get('/v1/watch')}")


def test_true_values_that_clients_push_are_joined_once_each_and_told_of(pipeline):
    """Three processes: the watcher's report comes to the gateway with its heartbeats."""
    pipeline.set("serve", {"port": 0, "push_timeout": "2s"})
    pipeline.set("watch", {"rmse_max": 2, "actuals_min": 50, "lasting": "1s", "rows_min": 100})
    pipeline.train_once("first.csv", plane(1, rows=1500))
    pipeline.start("score")
    gateway = Gateway.of(pipeline.start("serve"))
    gateway.wait_ready()
    assert gateway.get("/v1/watch")["watching"] is False
    watcher = pipeline.start("watch")
    wait_until(lambda: gateway.get("/v1/watch").get("model") == 1, "the model is watched")

    generator = numpy.random.default_rng(1)
    rows = generator.uniform(-10, 10, (300, 3))
    records = [{"id": f"r{n}", "x1": a, "x2": b, "x3": c} for n, (a, b, c) in enumerate(rows.tolist())]
    early = {f"r{n}": float(generator.normal()) for n in range(280, 300)}
    taken = gateway.post_actuals([{"id": i, "actual": v} for i, v in early.items()])
    assert taken == {"accepted": 20, "repeated": 0}
    predicted = {record["id"]: record["prediction"] for record in gateway.push(records)}
    actual = {i: early.get(i, value + float(generator.normal())) for i, value in predicted.items()}
    late = [(i, v) for i, v in actual.items() if i not in early][:200]
    lines = "".join(json.dumps({"id": i, "actual": v}) + "\n" for i, v in late[:100])
    gateway.post_actuals(lines, Content_Type="application/x-ndjson")
    table = "id,actual\n" + "".join(f"{i},{v!r}\n" for i, v in late[100:] + late[100:103])
    packed = gzip.compress(table.encode())
    for _ in range(3):  # as a client does that had no answer
        taken = gateway.post_actuals(packed, Content_Type="text/csv", Content_Encoding="gzip")
        assert taken == {"accepted": 100, "repeated": 3}

    told = live_accuracy(gateway, 220)
    joined = list(early) + [i for i, _ in late]
    errors = numpy.array([predicted[i] - actual[i] for i in joined])
    accuracy = told["accuracy"]
    assert numpy.isclose(accuracy["rmse"], numpy.sqrt(numpy.mean(errors**2)), rtol=1e-12, atol=0)
    assert numpy.isclose(accuracy["mae"], numpy.mean(numpy.abs(errors)), rtol=1e-12, atol=0)
    # The predictions whose true values have not come; no true value that came again is among them.
    assert accuracy["pairs"] == 220 and accuracy["waiting"] == 80 and accuracy["refused"] == 0
    assert [alarm["on"] for alarm in told["alarms"]] == [False, True], told
    assert "have become worse than they may be" in told["alarms"][1]["words"]
    assert told["alarms"][1]["since"] and told["events"][-1]["at"] >= told["alarms"][1]["since"]
    assert {one["feature"] for one in told["drift"]["features"]} == {"x1", "x2", "x3"}
    [alert] = [one for one in json.loads(pipeline.ok("top", "-o", "json"))["alerts"] if one["name"] == "accuracy"]
    assert not alert["urgent"] and "have become worse than they may be" in alert["words"]
    assert "! the predictions of model 1 have become worse" in pipeline.ok("top")
    metrics = gateway.ask("GET", "/metrics").body.decode()
    assert f'weir_watch_live_rmse{{pipeline="{pipeline.name}"}} {accuracy["rmse"]!r}' in metrics
    assert f'weir_watch_alarm{{pipeline="{pipeline.name}",kind="accuracy"}} 1' in metrics

    refused = gateway.post_actuals([{"id": "r0", "actual": 1}, {"id": "r1"}], status=422)
    assert 'record 1: it has no "actual"' in refused["detail"]
    assert "another true value" in gateway.post_actuals("id,actual\na,1\na,2\n", 409, Content_Type="text/csv")["detail"]

    watcher.send(signal.SIGKILL)
    wait_until(lambda: not gateway.get("/v1/watch")["watching"], "nobody is heard of any more", 40)
    pipeline.stop_all()
    check_promises(pipeline)
