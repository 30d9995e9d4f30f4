"""weir serve: what is pushed over HTTP is scored once, and can be looked up."""

import base64
import gzip
import hashlib
import http.client
import json
import signal
import socket
import struct
import time
import uuid

import pytest

from support.gateway import Gateway
from support.pushing import PushingClients
from support.promises import check_promises
from support.redis import RedisServer
from support.tables import plane
from support.waiting import wait_until

RECORD = {"x1": 1, "x2": 2.5, "x3": -3}


def by_key(pipeline, kind):
    found = {}
    for record in pipeline.topic(kind).read_to_end():
        found.setdefault(record.key, []).append(record)
    return found


def started(pipeline, *options, train=True):
    """A trained model, a scorer, and a gateway that is ready."""
    if train:
        pipeline.train_once("first.csv", plane(1))
    pipeline.start("score", name="scorer")
    gateway = Gateway.of(pipeline.start("serve", *options, name="gateway"))
    gateway.wait_ready()
    return gateway


def test_a_pushed_record_is_scored_once_however_often_it_is_sent(pipeline):
    gateway = started(pipeline)
    [first] = gateway.push({"id": "a7", **RECORD})
    assert first["state"] == "predicted" and not first["repeated"]
    expected = pipeline.model(1).predict([1, 2.5, -3])
    assert first["prediction"] == expected and first["model"] == 1

    [again] = gateway.push({"id": "a7", **RECORD})
    assert again["repeated"]
    assert (again["partition"], again["offset"]) == (first["partition"], first["offset"])
    assert again["prediction"] == expected
    [keyed] = gateway.push(RECORD, Idempotency_Key="k1")
    assert keyed["id"] == "k1"
    named = [gateway.push(RECORD)[0]["id"] for _ in range(2)]
    # UUIDs of version 7: the time, and what nobody else has.
    told = [uuid.UUID(each) for each in named]
    assert all(each.version == 7 and each.variant == uuid.RFC_4122 for each in told)
    assert all(abs((each.int >> 80) / 1000 - time.time()) < 60 for each in told)
    assert named == sorted(named) and len(set(named)) == 2
    conflict = gateway.push({"id": "a7", **RECORD, "x1": 2}, status=409)
    assert "'a7' stands for other features" in conflict["detail"]

    kept = gateway.get("/v1/predictions/a7")
    assert kept["features"] == {"id": "a7", **RECORD} and kept["prediction"] == expected
    assert kept["records_of_this_id"] == 1
    place = gateway.get(f"/v1/records/{kept['partition']}/{kept['offset']}")
    assert place["id"] == "a7"
    assert {key: len(records) for key, records in by_key(pipeline, "predictions").items()} == {
        each.encode(): 1 for each in ["a7", "k1", *named]
    }
    # The marks of the pushes' transactions take offsets, and are no records that wait.
    wait_until(lambda: gateway.get("/v1/flow")["lag"] == 0, "nothing waits")
    assert [at["lag"] for at in gateway.get("/v1/status")["partitions"]] == [0] * 3
    pipeline.stop_all()
    check_promises(pipeline)


def test_many_records_come_as_json_lines_or_csv_gzipped_or_not(pipeline):
    gateway = started(pipeline)
    rows = [{"id": f"r{i}", "x1": i, "x2": 2.5, "x3": -3} for i in range(200)]
    model = pipeline.model(1)

    def check(records):
        assert [record["id"] for record in records] == [row["id"] for row in rows]
        for row, record in zip(rows, records):
            assert record["prediction"] == model.predict([row["x1"], 2.5, -3])

    check(gateway.push(rows))
    lines = "\n".join(json.dumps(row) for row in rows)
    lined = gateway.push(lines, Content_Type="application/x-ndjson")
    assert all(record["repeated"] for record in lined)
    text = "x3,id,x1,x2\n" + "".join(f"-3,c{i},{i},2.5\n" for i in range(200))
    for row in rows:
        row["id"] = row["id"].replace("r", "c")
    packed = gzip.compress(text.encode())
    check(gateway.push(packed, Content_Type="text/csv", Content_Encoding="gzip"))

    listed, cursor = [], ""
    while True:
        page = gateway.get(f"/v1/predictions?id_prefix=c&limit=90{cursor}")
        listed += page["predictions"]
        if page["next"] is None:
            break
        cursor = f"&cursor={page['next']}"
    assert sorted(item["id"] for item in listed) == sorted(row["id"] for row in rows)
    assert gateway.get("/v1/predictions?model=2")["predictions"] == []
    pipeline.stop_all()
    check_promises(pipeline)


def test_bad_requests_are_refused_with_the_reason_and_nothing_is_written(pipeline):
    gateway = started(pipeline)

    def refused(body, status, words, **headers):
        told = gateway.push(body, status=status, **headers)
        assert told["status"] == status and words in told["detail"], told

    refused("{", 422, "record 0: not JSON")
    refused([RECORD, {"x1": 1}], 422, "record 1: ")
    refused([RECORD, {"x1": "a", "x2": 1, "x3": 1}], 422, "record 1: ")
    refused("[]", 422, "no record")
    refused({"id": "", **RECORD}, 422, "1 to 200 bytes")
    refused(RECORD, 415, "application/json", Content_Type="image/png")
    refused(RECORD, 415, "gzip", Content_Encoding="br")
    refused(RECORD, 422, "no gzip", Content_Encoding="gzip")
    refused([RECORD] * 10_001, 413, "10000 records")
    refused(RECORD, 403, "another origin", Origin="http://evil.example")
    refused(RECORD, 403, "localhost", Host="evil.example")
    refused(gzip.compress(b"x" * 17_000_000), 413, "16000000", Content_Encoding="gzip")
    assert gateway.ask("POST", "/v1/messages?wait=100s", json.dumps(RECORD)).status == 400
    assert gateway.ask("PUT", "/v1/messages", b"{}").headers["Allow"] == "POST"
    assert gateway.get("/v1/nothing", status=404)["status"] == 404
    assert pipeline.topic("features").read_to_end() == []
    pipeline.stop_all()


def test_tokens_say_who_may_do_what(pipeline):
    (pipeline.folder / "tokens").write_text(
        "read reader-0123456789\npush pusher-0123456789\nadmin admins-0123456789\n"
    )
    pipeline.set("serve", {"port": 0, "tokens": "tokens"})
    pipeline.train_once("first.csv", plane(1))
    pipeline.start("score", name="scorer")
    process = pipeline.start("serve", name="gateway")
    nobody = Gateway.of(process)
    reader = Gateway(nobody.port, "reader-0123456789")
    pusher = Gateway(nobody.port, "pusher-0123456789")
    reader.wait_ready()
    assert nobody.get("/livez")["ok"]
    for path in ("/readyz", "/metrics", "/v1/models", "/v2", "/nothing"):
        answer = nobody.ask("GET", path)
        assert answer.status == 401 and "Bearer" in answer.headers["WWW-Authenticate"]
    assert Gateway(nobody.port, "reader-012345678x").ask("GET", "/v1/models").status == 401
    assert reader.get("/v1/models")["live"] == 1
    assert reader.push(RECORD, status=403)["status"] == 403
    assert pusher.push(RECORD)[0]["state"] == "predicted"
    assert pusher.ask("PUT", "/v1/datasets/a.csv", b"a,y\n1,2\n").status == 403
    assert pusher.ask("POST", "/v1/models/1/rollback").status == 403
    shown = pipeline.ok("config", "show", WEIR_SERVE_TOKEN_LIST="read secret-0123456789")
    assert "secret-0123456789" not in shown
    pipeline.stop_all()
    assert "0123456789" not in process.stderr

    pipeline.set("serve", {"port": 0, "address": "0.0.0.0"})
    refused = pipeline.run("serve")
    assert refused.returncode == 78 and b"token" in refused.stderr


def test_an_uploaded_data_set_is_trained_on_complete_or_not_at_all(pipeline):
    gateway = started(pipeline)
    pipeline.start("train", name="trainer")
    second = plane(2)
    digest = base64.b64encode(hashlib.sha256(second).digest()).decode()
    wrong = gateway.ask("PUT", "/v1/datasets/b.csv", second + b"1,2,3,4\n", Content_Digest=f"sha-256=:{digest}:")
    assert wrong.status == 422, wrong
    cut = http.client.HTTPConnection("127.0.0.1", gateway.port, timeout=30)
    cut.putrequest("PUT", "/v1/datasets/cut.csv")
    cut.putheader("Content-Length", str(len(second)))
    cut.endheaders()
    cut.send(second[:1000])
    cut.close()
    assert gateway.ask("PUT", "/v1/datasets/_b.csv", second).status == 400
    assert gateway.ask("PUT", "/v1/datasets/empty.csv", b"").status == 422
    assert pipeline.dropped() == [] or all(n.startswith(".") for n in pipeline.dropped())

    good = gateway.ask("PUT", "/v1/datasets/b.csv", second, Content_Digest=f"sha-256=:{digest}:")
    assert good.status == 201 and good.json["sha256"] == hashlib.sha256(second).hexdigest(), good
    wait_until(lambda: gateway.get("/v1/models")["live"] == 2, "the second model rules")
    told = gateway.get("/v1/datasets")
    assert [entry["name"] for entry in told["used"]] == ["b.2.csv", "first.1.csv"]
    shown = gateway.get("/v1/models/2")
    assert shown["live"] and shown["reigns"][0]["epoch"] == 2
    assert gateway.push(RECORD)[0]["model"] == 2
    back = gateway.ask("POST", "/v1/models/1/rollback", seconds=60)
    assert back.status == 200 and back.json == {"version": 1, "epoch": 3}, back
    assert gateway.push(RECORD)[0]["prediction"] == pipeline.model(1).predict([1, 2.5, -3])
    assert gateway.get("/v1/models/9", status=404)["code"] == "not_found"
    used = f"{pipeline.dataset_path}/used/b.2.csv"
    trained = gateway.ask("POST", f"/v1/train?dataset={used}", seconds=60)
    assert trained.status == 202 and trained.json["epoch"] == 4, trained
    wait_until(lambda: gateway.get("/v1/models")["live"] == 4, "a model of the same data rules again")
    assert gateway.ask("POST", "/v1/train?dataset=nothing.csv", seconds=60).status == 409
    assert gateway.ask("PUT", "/v1/datasets/bad.csv", b"x1,x2,x3,y\n1,2,3,a\n").status == 201
    wait_until(lambda: gateway.get("/v1/datasets")["rejected"], "the bad one is refused")
    [rejected] = gateway.get("/v1/datasets")["rejected"]
    assert rejected["name"].startswith("bad.") and rejected["reason"]
    pipeline.stop_all()
    check_promises(pipeline)


def test_a_stream_of_predictions_is_shown_live(pipeline):
    gateway = started(pipeline)
    live = http.client.HTTPConnection("127.0.0.1", gateway.port, timeout=30)
    live.request("GET", "/v1/predictions/stream")
    answer = live.getresponse()
    assert answer.headers["Content-Type"] == "text/event-stream"
    pushed = gateway.push([{"id": f"r{i}", "x1": i, "x2": 2.5, "x3": -3} for i in range(50)])
    seen = {}
    while len(seen) < 50:
        line = answer.readline()
        assert line, "the stream has ended"
        if line.startswith(b"data: "):
            event = json.loads(line[6:])
            assert event["id"] not in seen, "an answer came twice"
            seen[event["id"]] = event["prediction"]
    assert seen == {record["id"]: record["prediction"] for record in pushed}
    live.close()
    pipeline.stop_all()


def test_a_stream_is_thinned_out_for_who_asks_for_it(pipeline):
    gateway = started(pipeline)
    assert gateway.ask("GET", "/v1/predictions/stream?per_second_max=0").status == 400
    live = http.client.HTTPConnection("127.0.0.1", gateway.port, timeout=30)
    live.request("GET", "/v1/predictions/stream?per_second_max=2")
    answer = live.getresponse()
    begun = time.monotonic()
    gateway.push([{"id": f"r{i}", "x1": i, "x2": 2.5, "x3": -3} for i in range(500)])

    def next_id():
        return json.loads(next(line for line in answer if line.startswith(b"data: "))[6:])["id"]

    seen = [next_id(), next_id()]
    told = time.monotonic()  # all 500 are answered, and the last second that one of them began is under way
    wait_until(lambda: time.monotonic() - told > 1.5, "that second is over")
    gateway.push({"id": "last", "x1": 1, "x2": 2.5, "x3": -3})
    while seen[-1] != "last":
        seen.append(next_id())
    assert 3 <= len(seen) <= 2 * (time.monotonic() - begun + 2), seen
    live.close()
    pipeline.stop_all()


def test_the_open_inference_protocol_answers_at_once(pipeline):
    gateway = started(pipeline)
    model = f"/v2/models/{pipeline.name}"
    told = gateway.get(model)
    assert told["inputs"] == [{"name": "features", "datatype": "FP64", "shape": [-1, 3]}]
    assert gateway.get(f"{model}/ready")["ready"] and gateway.get("/v2/health/ready")["ready"]
    body = {
        "id": "7",
        "inputs": [{"name": "features", "datatype": "FP64", "shape": [2, 3], "data": [1, 2.5, -3, 4, 5, 6]}],
    }
    answer = gateway.ask("POST", f"{model}/infer", json.dumps(body)).json
    expected = [pipeline.model(1).predict(row) for row in ([1, 2.5, -3], [4, 5, 6])]
    assert answer["id"] == "7" and answer["model_version"] == "1"
    assert answer["outputs"][0]["data"] == expected
    body["inputs"] = [
        {"name": name, "datatype": "FP64", "shape": [2], "data": data}
        for name, data in (("x3", [-3, 6]), ("x1", [1, 4]), ("x2", [2.5, 5]))
    ]
    assert gateway.ask("POST", f"{model}/versions/1/infer", json.dumps(body)).json["outputs"][0]["data"] == expected
    body["inputs"].pop()
    wrong = gateway.ask("POST", f"{model}/infer", json.dumps(body))
    assert wrong.status == 400 and "'x2'" in wrong.json["error"]
    assert gateway.ask("POST", f"{model}/versions/2/infer", json.dumps(body)).status == 404
    assert gateway.ask("POST", "/v2/models/other/infer", json.dumps(body)).status == 404
    assert pipeline.topic("features").read_to_end() == []
    pipeline.stop_all()


def test_inference_takes_large_and_packed_requests_and_says_why_it_takes_no_others(pipeline):
    pipeline.set("serve", {"port": 0, "body_bytes_max": "1MB"})
    gateway = started(pipeline)
    infer = f"/v2/models/{pipeline.name}/infer"
    rows = [[i * 0.1, i % 7, -i] for i in range(5000)]
    expected = [pipeline.model(1).predict(row) for row in rows]

    def body(count):
        tensor = {"name": "features", "datatype": "FP64", "shape": [count, 3], "data": rows[:count]}
        return json.dumps({"inputs": [tensor]}).encode()

    # Around the sizes at which another thread takes over, as it is and packed.
    for count in (1, 64, 65, 100, 5000):
        said = gateway.ask("POST", infer, body(count))
        packed = gateway.ask("POST", infer, gzip.compress(body(count)), Content_Encoding="gzip")
        assert said.json["outputs"][0]["data"] == packed.json["outputs"][0]["data"] == expected[:count]
    raw = struct.pack("<65b", *range(65)) * 3
    head = {"inputs": [{"name": "features", "datatype": "INT8", "shape": [65, 3],
                        "parameters": {"binary_data_size": len(raw)}}]}
    head = json.dumps(head).encode()
    said = gateway.ask("POST", infer, head + raw, Inference_Header_Content_Length=str(len(head)))
    values = struct.unpack(f"{len(raw)}b", raw)
    assert said.json["outputs"][0]["data"] == [
        pipeline.model(1).predict(values[i : i + 3]) for i in range(0, len(values), 3)
    ]
    bomb = gzip.compress(b" " * 1_000_001)
    for status, words, headers, bytes_sent in [
        (415, "only gzip", {"Content_Encoding": "deflate"}, body(1)),
        (400, "no gzip", {"Content_Encoding": "gzip"}, body(1)),
        (413, "larger than 1000000", {"Content_Encoding": "gzip"}, bomb),
        (400, "not finite", {}, body(1).replace(b"0.0", b"null")),
        (400, "no JSON object", {}, b"[]"),
        (400, "and more came", {}, body(2).replace(b"[2, 3]", b"[1, 3]")),
    ]:
        refused = gateway.ask("POST", infer, bytes_sent, **headers)
        assert refused.status == status and words in refused.json.get("error", ""), refused
    # A slip of the finger is told of; a probe may keep caches away.
    for path in (infer, "/v2", f"/v2/models/{pipeline.name}", "/v1/status"):
        refused = gateway.ask(*(("POST", f"{path}?versoin=1", body(1)) if path == infer else ("GET", f"{path}?versoin=1")))
        assert refused.status == 400 and b"'versoin'" in refused.body, refused
    for path in ("/livez", "/readyz", "/metrics", "/v2/health/live", "/v2/health/ready", f"/v2/models/{pipeline.name}/ready"):
        assert gateway.ask("GET", f"{path}?at=123").status == 200, path
    pipeline.stop_all()


@pytest.mark.long
def test_each_accepted_id_ends_with_one_prediction_whatever_is_killed(pipeline):
    """Clients that try again, a gateway and a scorer that die: each id is answered once."""
    pipeline.set("serve", {"port": 0})
    pipeline.train_once("first.csv", plane(1))
    scorer = pipeline.start("score", name="scorer")
    process = pipeline.start("serve", name="gateway")
    gateway = Gateway.of(process)
    gateway.wait_ready()
    pipeline.set("serve.port", gateway.port)  # the same again for those to come
    with PushingClients(gateway) as clients:
        for _ in range(4):
            wait_until(clients.get_on(400), "clients get on")
            process.send(signal.SIGKILL)
            process.wait(10)
            process = pipeline.start("serve", name="gateway")
        scorer.send(signal.SIGKILL)
        pipeline.start("score", name="scorer")
        wait_until(clients.get_on(400), "clients get on after the last kill")
    all_are_answered_once(pipeline, gateway, clients.accepted)


@pytest.mark.long
def test_a_redis_that_is_killed_costs_no_id_and_is_filled_again(pipeline, tmp_path):
    """What keeps the ids that are known comes back empty, while clients send them again."""
    redis = RedisServer(tmp_path)
    try:
        pipeline.set("redis", {"url": f"redis://{redis.address}"})
        pipeline.train_once("first.csv", plane(1))
        # So much lies before what the clients push that filling up again takes its time.
        value = json.dumps(RECORD).encode()
        pipeline.send((f"before-{i}".encode(), value) for i in range(10_000))
        gateway = started(pipeline, train=False)
        with PushingClients(gateway, again=0.5) as clients:
            for _ in range(2):
                wait_until(clients.get_on(400), "clients get on")
                refused = clients.refused
                redis.kill()
                wait_until(lambda: clients.refused > refused + 3, "clients are told to wait")
                redis.start()
            wait_until(clients.get_on(400), "clients get on after the last kill")
        assert clients.repeated > 0
        all_are_answered_once(pipeline, gateway, clients.accepted, looked_up=1_000)
    finally:
        redis.kill()


def all_are_answered_once(pipeline, gateway, accepted, looked_up=50):
    def all_answered():
        return len(by_key(pipeline, "predictions")) >= len(accepted)

    wait_until(all_answered, "all is answered", every=0.5)
    gateway.wait_ready()
    some = sorted(accepted)[:: max(1, len(accepted) // looked_up)]
    for record_id in some:
        kept = gateway.get(f"/v1/predictions/{record_id}")
        assert kept["state"] == "predicted" and kept["records_of_this_id"] == 1
    pipeline.stop_all()
    answered = by_key(pipeline, "predictions")
    assert {key: len(found) for key, found in answered.items() if len(found) != 1} == {}
    assert {record_id.encode() for record_id in accepted} <= set(answered)
    check_promises(pipeline)


@pytest.mark.long
def test_a_run_has_a_gateway_and_pushes_wait_out_a_halt(pipeline):
    run = pipeline.start("run", "--no-produce", name="run")
    wait_until(lambda: "gateway:" in run.stdout, "the run tells where its gateway is")
    port = int(run.stdout.split("gateway:")[1].split()[0].rsplit(":", 1)[1])
    gateway = Gateway(port)

    def why_unready():
        return gateway.get("/readyz", status=503)["checks"]["model"]["reason"]

    wait_until(lambda: "no model" in why_unready(), "it says what is missing")
    assert "no model" in gateway.push(RECORD, status=503)["detail"]
    pipeline.drop("first.csv", plane(1))
    gateway.wait_ready()
    assert gateway.push(RECORD)[0]["model"] == 1
    text = gateway.ask("GET", "/metrics").body.decode()
    assert f'weir_gateway_pushed_records_total{{pipeline="{pipeline.name}"}} 1' in text
    assert f'weir_model_version{{pipeline="{pipeline.name}"}} 1' in text
    pipeline.stop_all()
    check_promises(pipeline)


def test_redis_keeps_predictions_and_fills_itself_again_after_a_flush(pipeline):
    redis = pipeline.stack.redis
    pipeline.set("redis", {"url": f"redis://{redis}/3"})
    gateway = started(pipeline)
    gateway.push([{"id": f"r{i}", "x1": i, "x2": 2.5, "x3": -3} for i in range(30)])
    assert not list(pipeline.folder.rglob("*.sqlite*")), "nothing is kept in a local folder"
    host, port = redis.split(":")
    with socket.create_connection((host, int(port)), timeout=10) as connection:
        connection.sendall(b"SELECT 3\r\nFLUSHDB\r\n")
        assert connection.recv(100).startswith(b"+OK")

    def again():
        answer = gateway.ask("GET", "/v1/predictions/r7")
        return answer.status == 200 and answer.json["state"] == "predicted"

    wait_until(again, "the store is filled again")
    [again] = gateway.push({"id": "r7", "x1": 7, "x2": 2.5, "x3": -3})
    assert again["repeated"], "what was pushed before the flush is known"
    pipeline.stop_all()
    check_promises(pipeline)
