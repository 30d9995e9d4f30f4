"""What is told of the gateway is so: the examples of docs/gateway.md, and the OpenAPI document."""

import base64
import gzip
import hashlib
import http.client
import json
import os
import re
import subprocess
import sys
import threading

import pytest
from jsonschema import Draft202012Validator
from openapi_spec_validator import OpenAPIV31SpecValidator

from support.gateway import Gateway
from support.stack import ROOT
from support.tables import BOSTON

from support.waiting import PATIENCE

DOCUMENT = json.loads((ROOT / "src/serve/openapi.json").read_text())
EXAMPLES = (ROOT / "docs/gateway.md").read_text()
ROLES = ["read", "push", "admin"]
TOKENS = {role: f"{role}-0123456789abcdef" for role in ROLES}
HOUSE = dict(
    zip(
        "crim zn indus chas nox rm age dis rad tax ptratio black lstat".split(),
        [0.00632, 18, 2.31, 0, 0.538, 6.575, 65.2, 4.09, 1, 296, 15.3, 396.9, 4.98],
    )
)
TENSOR = {"name": "features", "datatype": "FP64", "shape": [1, 13], "data": list(HOUSE.values())}


@pytest.fixture
def boston(make_pipeline):
    """No records but those that a test pushes: nothing is produced."""
    pipeline = make_pipeline("medv")
    pipeline.set("serve.port", 0)
    return pipeline


def gateway_of(process, token=None):
    process.wait_for_stderr("the gateway listens")
    port = re.search(r"the gateway listens\s+url=\S*:(\d+)", process.stderr)[1]
    return Gateway(int(port), token)


def start_all(pipeline):
    pipeline.start("run", "--no-produce", "--no-serve")
    pipeline.drop("boston.csv", BOSTON)
    pipeline.wait_for_resume(1)


# ---- the examples ----


def blocks():
    """(kind, mark, text) of each fenced block: ("sh", "run", "curl …")"""
    found = re.findall(r"^```(\w+) ?(\w*)\n(.*?)^```$", EXAMPLES, re.M | re.S)
    assert sum(mark == "run" for _, mark, _ in found) >= 12, "docs/gateway.md has no examples"
    return found


def without_blanks(text):
    return re.sub(r"\s+", "", text)


def assert_as_told(said, told, example):
    """The same but for blanks, and for what stands in the place of …"""
    pattern = ".*?".join(map(re.escape, without_blanks(told).split("…")))
    assert re.fullmatch(pattern, without_blanks(said), re.S), f"{example}\nsaid: {said}\ntold: {told}"


def run_while_pushing(command, gateway):
    """A command that looks at the stream until it has seen something."""
    stop = threading.Event()

    def push():
        while not stop.is_set():
            gateway.push(HOUSE)

    pushing = threading.Thread(target=push)
    pushing.start()
    try:
        return command()
    finally:
        stop.set()
        pushing.join()


def test_the_examples_of_the_guide_are_true(boston, tmp_path):
    start_all(boston)
    process = boston.start("serve", "-s", "serve.grpc_port=0")
    gateway = gateway_of(process)
    gateway.wait_ready()
    grpc_port = re.search(r"grpc=\S*:(\d+)", process.stderr)[1]
    folder = tmp_path / "reader"
    folder.mkdir()
    (folder / "boston.csv").write_bytes(BOSTON)
    variables = {"GATEWAY": f"http://127.0.0.1:{gateway.port}", "PIPELINE": boston.name}

    def run(*command):
        done = subprocess.run(
            command,
            cwd=folder,
            env={**os.environ, **variables},
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            timeout=60 * PATIENCE,
        )
        assert done.returncode == 0, (command, done.stdout, done.stderr)
        return done.stdout

    every = blocks()
    for number, (kind, mark, text) in enumerate(every):
        told = every[number + 1][2] if number + 1 < len(every) else ""
        if mark == "run":
            assert_as_told(run("bash", "-euc", text), told, text)
        elif mark == "stream":
            said = run_while_pushing(lambda: run("bash", "-euc", text), gateway)
            assert_as_told(said, told, text)
        elif kind == "python":
            program = text.replace("127.0.0.1:8080", f"127.0.0.1:{gateway.port}")
            program = program.replace("127.0.0.1:8081", f"127.0.0.1:{grpc_port}")
            said = run(sys.executable, "-c", program.replace('"boston"', f'"{boston.name}"'))
            assert_as_told(said, text.rpartition("# ")[2], text)


def test_each_metric_is_told_of_and_each_that_is_told_of_is_there(boston):
    boston.set("watch", {"rmse_max": 5})
    start_all(boston)
    gateway = gateway_of(boston.start("serve"))
    gateway.wait_ready()
    boston.start("watch")
    boston.wait_until(lambda: gateway.get("/v1/watch").get("model") == 1, "the model is watched")
    gateway.push({"id": "house-1", **HOUSE})  # so that a record has an age
    gateway.ask("POST", "/v1/actuals", json.dumps({"id": "house-1", "actual": 24}))
    told = set(re.findall(r"`(weir_[a-z_]+)`", EXAMPLES.partition("## Metrics")[2]))

    def same():
        there = set(re.findall(r"^# TYPE (\w+)", gateway.ask("GET", "/metrics").body.decode(), re.M))
        assert there <= told, f"docs/gateway.md does not tell of {there - told}"
        return there == told

    boston.wait_until(same, "each metric that is told of", 30)
    for text in (gateway.ask("GET", "/metrics").body, boston.ok("status", "--prometheus").encode()):
        promtool = ROOT / ".weir/deps/prometheus/usr/bin/promtool"
        done = subprocess.run([promtool, "check", "metrics"], input=text, capture_output=True, timeout=60)
        assert done.returncode == 0 and not done.stderr, done.stderr.decode()


# ---- the document ----


def test_the_document_is_openapi():
    OpenAPIV31SpecValidator(DOCUMENT).validate()


def operations():
    return [
        (verb.upper(), path, operation)
        for path, verbs in DOCUMENT["paths"].items()
        for verb, operation in verbs.items()
    ]


def filled(path, **variables):
    values = {"id": "house-1", "partition": 0, "offset": 0, "version": 1, "name": "x.csv", "model": "x", "file": "main.js"}
    return re.sub(r"{(\w+)}", lambda name: str({**values, **variables}[name[1]]), path)


def role_of(operation):
    """Its place in ROLES; None where everybody may."""
    return ROLES.index(operation["security"][0]["bearer"][0]) if operation["security"] else None


def resolved(thing):
    while "$ref" in thing:
        name = thing["$ref"]
        thing = DOCUMENT
        for part in name.removeprefix("#/").split("/"):
            thing = thing[part]
    return thing


def validate(schema, value):
    whole = {**schema, "components": DOCUMENT["components"]}
    Draft202012Validator(whole, format_checker=Draft202012Validator.FORMAT_CHECKER).validate(value)


class Asked:
    """Asks a gateway, holds each question and answer against the document, and keeps what was asked."""

    def __init__(self, gateway):
        self.gateway = gateway
        self.answered = set()

    def __call__(self, status, method, path, query="", body=None, **rest):
        variables = rest.pop("variables", {})
        operation = DOCUMENT["paths"][path][method.lower()]
        target = filled(path, **variables) + query
        raw = body if body is None or isinstance(body, (str, bytes)) else json.dumps(body)
        answer = self.gateway.ask(method, target, raw, **rest)
        assert answer.status == status, (method, target, answer)
        responses = operation["responses"]
        # The others may meet any request; "default" tells of them.
        if status not in (401, 403, 405, 429, 431):
            assert str(status) in responses, f"{method} {path} does not tell of {status}"
        if status < 400:
            self.answered.add((method, path))
            if body is not None and not isinstance(body, (str, bytes)):
                validate(operation["requestBody"]["content"]["application/json"]["schema"], body)
        told = resolved(responses.get(str(status), responses["default"]))
        self.check(told, answer)
        return answer

    @staticmethod
    def check(told, answer):
        if answer.status in (429, 503) and "Retry-After" in told.get("headers", {}):
            assert int(answer.headers["Retry-After"]) > 0
        if answer.status == 304:
            assert not answer.body and "content" not in told
            return
        media = answer.headers["Content-Type"].partition(";")[0]
        assert media in told["content"], (media, told, answer)
        if media.endswith("json"):
            validate(told["content"][media]["schema"], answer.json)


def ask_what_needs_no_model(asked):
    asked(503, "GET", "/readyz")
    asked(503, "POST", "/v1/messages", body=HOUSE)
    asked(503, "GET", "/v2/health/ready")
    assert asked(200, "GET", "/v1/models").json["live"] == 0
    asked(200, "GET", "/v1/datasets")


def ask_for_messages(asked):
    messages = ("POST", "/v1/messages")
    json_type = {"Content_Type": "application/json"}
    pushed = asked(200, *messages, "?wait=20s", {"id": "house-1", **HOUSE}, **json_type).json["records"][0]
    asked(200, *messages, "?wait=20s", [{"id": "a", "features": HOUSE}, HOUSE], **json_type)
    asked(202, *messages, "", HOUSE, **json_type)
    again = asked(200, *messages, "?wait=20s", {"id": "house-1", **HOUSE}, **json_type).json["records"][0]
    assert again == {**pushed, "repeated": True}
    asked(409, *messages, "", {"id": "house-1", **HOUSE, "rm": 7}, **json_type)
    asked(400, *messages, "?wiat=1s", HOUSE, **json_type)
    asked(415, *messages, "", "<house/>", Content_Type="text/xml")
    asked(422, *messages, "", {"crim": 1}, **json_type)
    asked(413, *messages, "", "[" + ",".join(["{}"] * 10_001) + "]", **json_type)
    place = {"partition": pushed["partition"], "offset": pushed["offset"]}
    asked(200, "GET", "/v1/predictions/{id}")
    asked(404, "GET", "/v1/predictions/{id}", variables={"id": "nobody"})
    asked(200, "GET", "/v1/records/{partition}/{offset}", variables=place)
    asked(404, "GET", "/v1/records/{partition}/{offset}", variables={"offset": 10**9})
    asked(400, "GET", "/v1/records/{partition}/{offset}", variables={"offset": "x"})
    page = asked(200, "GET", "/v1/predictions", "?limit=1&from=1h").json
    asked(200, "GET", "/v1/predictions", f"?state=predicted&model=1&cursor={page['next']}")
    asked(400, "GET", "/v1/predictions", "?limit=0")


def ask_about_the_watch(asked, boston):
    assert not asked(200, "GET", "/v1/watch").json["watching"]
    asked(400, "GET", "/v1/watch", "?all=1")
    boston.start("watch")
    boston.wait_until(lambda: asked(200, "GET", "/v1/watch").json["watching"], "a watcher is heard of")
    actuals = ("POST", "/v1/actuals")
    json_type = {"Content_Type": "application/json"}
    asked(202, *actuals, "", {"id": "house-1", "actual": 24}, **json_type)
    asked(202, *actuals, "", [{"id": 7, "actual": 24.5, "unit": "k$"}], **json_type)
    asked(202, *actuals, "", "id,actual\nhouse-1,24\n", Content_Type="text/csv")
    asked(409, *actuals, "", "id,actual\na,24\na,25\n", Content_Type="text/csv")
    asked(400, *actuals, "?wait=1s", {"id": "house-1", "actual": 24}, **json_type)
    asked(415, *actuals, "", "<house/>", Content_Type="text/xml")
    asked(422, *actuals, "", {"id": "house-1"}, **json_type)
    asked(413, *actuals, "", "[" + ",".join(["{}"] * 10_001) + "]", **json_type)


def ask_for_the_rest(asked, boston):
    ask_about_the_watch(asked, boston)
    asked(200, "GET", "/v1/models", "?limit=1")
    asked(200, "GET", "/v1/models/{version}")
    asked(404, "GET", "/v1/models/{version}", variables={"version": 7})
    asked(400, "GET", "/v1/models/{version}", variables={"version": "x"})
    asked(200, "POST", "/v1/models/{version}/rollback", "?wait=30s")
    asked(404, "POST", "/v1/models/{version}/rollback", variables={"version": 7})
    asked(409, "POST", "/v1/train")
    asked(200, "GET", "/v1/status")
    asked(200, "GET", "/v1/flow")
    asked(400, "GET", "/v1/flow", "?of=all")
    asked(200, "GET", "/v1/alerts")
    epochs = asked(200, "GET", "/v1/epochs", "?limit=2").json["epochs"]
    assert len(epochs) == 2 and epochs[0]["rollback_to"] == 1
    asked(400, "GET", "/v1/epochs", "?limit=0")
    held_out = asked(200, "GET", "/v1/models/{version}/held-out").json
    assert held_out["target"] == "medv" and len(held_out["rows"]) == 119
    asked(404, "GET", "/v1/models/{version}/held-out", variables={"version": 7})
    asked(200, "GET", "/v1/cache")
    asked(200, "GET", "/livez")
    asked(200, "GET", "/metrics")
    asked(200, "GET", "/v2")
    asked(200, "GET", "/v2/health/live")
    asked(200, "GET", "/v2/health/ready")
    for model in ("/v2/models/{model}", "/v2/models/{model}/versions/{version}"):
        mine = {"variables": {"model": boston.name}}
        asked(200, "GET", model, **mine)
        asked(404, "GET", model)
        asked(200, "GET", model + "/ready", **mine)
        asked(503, "GET", model + "/ready")
        asked(200, "POST", model + "/infer", "", {"id": "q", "inputs": [TENSOR]}, **mine)
        raw = {"inputs": [TENSOR], "parameters": {"binary_data_output": True}}
        answer = asked(200, "POST", model + "/infer", "", raw, **mine)
        length = int(answer.headers["Inference-Header-Content-Length"])
        validate(DOCUMENT["components"]["schemas"]["InferAnswer"], json.loads(answer.body[:length]))
        asked(400, "POST", model + "/infer", "", "{}", **mine)
        asked(404, "POST", model + "/infer", "", "{}")
    asked(404, "GET", "/page/{file}", variables={"file": "nothing.js"})
    for path in ("/openapi.json", "/docs", "/", "/page/{file}"):
        tag = asked(200, "GET", path).headers["ETag"]
        asked(304, "GET", path, If_None_Match=tag)


def ask_for_new_epochs(asked, boston):
    """The last of all, as the version asked for elsewhere is no longer in force then, and the training first: any
    epoch that begins meanwhile, of a data set that is put there, ends what was asked for."""
    other = f"{boston.dataset_path}/used/other.csv"
    boston.hdfs.put(other, BOSTON.replace(b"0.00632", b"0.00633", 1))
    asked(202, "POST", "/v1/train", f"?dataset={other}")
    put = ("PUT", "/v1/datasets/{name}")
    asked(201, *put, "", b"no,data,set\n1,2,3\n")
    asked(400, *put, "", b"x", variables={"name": ".hidden"})
    asked(422, *put, "", b"x", variables={"name": "y.csv"}, Content_Digest=f"sha-256=:{'A' * 43}=:")


def ask_for_the_stream(asked):
    path = "/v1/predictions/stream"
    gateway = asked.gateway
    connection = http.client.HTTPConnection("127.0.0.1", gateway.port, timeout=30 * PATIENCE)
    connection.request("GET", path, headers={"Authorization": f"Bearer {gateway.token}"})
    response = connection.getresponse()
    assert (response.status, response.headers["Content-Type"]) == (200, "text/event-stream")

    def first_event():
        return next(line for line in response if line.startswith(b"data: "))

    event = run_while_pushing(first_event, gateway)
    connection.close()
    validate(DOCUMENT["components"]["schemas"]["StreamedAnswer"], json.loads(event[6:]))
    asked.answered.add(("GET", path))


def test_each_operation_answers_as_the_document_says(boston):
    tokens = ";".join(f"{role} {token}" for role, token in TOKENS.items())
    gateway = gateway_of(boston.start("serve", WEIR_SERVE_TOKEN_LIST=tokens), TOKENS["admin"])
    asked = Asked(gateway)
    boston.wait_until(
        lambda: "no model is in force" in str(asked(503, "GET", "/readyz").json), "it has looked"
    )
    ask_what_needs_no_model(asked)
    start_all(boston)
    gateway.wait_ready()
    asked(200, "GET", "/readyz")
    assert gateway.get("/openapi.json") == DOCUMENT
    ask_for_messages(asked)
    ask_for_the_stream(asked)
    ask_for_the_rest(asked, boston)
    ask_for_new_epochs(asked, boston)
    assert asked.answered == {(method, path) for method, path, _ in operations()}


def test_each_operation_wants_the_role_that_the_document_names(boston):
    tokens = ";".join(f"{role} {token}" for role, token in TOKENS.items())
    gateway = gateway_of(boston.start("serve", WEIR_SERVE_TOKEN_LIST=tokens))
    strangers = [(None, 401), ("nobody-0123456789abcdef", 401)]
    for method, path, operation in operations():
        role = role_of(operation)
        if role is None:
            assert Gateway(gateway.port).ask(method, filled(path)).status == 200
            continue
        for token, status in strangers + [(TOKENS[lower], 403) for lower in ROLES[:role]]:
            answer = Gateway(gateway.port, token).ask(method, filled(path))
            assert answer.status == status, (method, path, token, answer)
            Asked.check(resolved(operation["responses"]["default"]), answer)
    # What it takes is enough, too: nothing is there yet, but nobody is refused.
    for method, path, operation in operations():
        if role_of(operation) is not None and not path.endswith("/stream"):
            token = TOKENS[ROLES[role_of(operation)]]
            answer = Gateway(gateway.port, token).ask(method, filled(path), b"x" if method == "PUT" else None)
            assert answer.status not in (401, 403), (method, path, answer)


def test_each_route_is_in_the_document_and_no_other(boston):
    gateway = gateway_of(boston.start("serve"))
    for path, verbs in DOCUMENT["paths"].items():
        allowed = gateway.ask("BREW", filled(path)).headers["Allow"]
        told = {verb.upper() for verb in verbs} | ({"HEAD"} if "get" in verbs else set())
        assert set(allowed.split(", ")) == told, path
    patterns = set()
    for source in (ROOT / "src/serve").glob("*_api.cc"):
        for found in re.findall(
            r'"(?:GET|PUT|POST|PATCH|DELETE)",\s*"(/[^"]*)"|\b(?:add|answer)\(\s*"(/[^"]*)"|"(/v[12]/[^"]*)"',
            source.read_text(),
        ):
            patterns.add("".join(found))
    assert len(patterns) >= 15, "the routes were not found in src/serve"
    assert patterns <= set(DOCUMENT["paths"]), "routes that src/serve/openapi.json lacks"


# ---- the page ----


def test_the_page_comes_packed_and_its_policy_lets_its_own_script_run(boston):
    gateway = gateway_of(boston.start("serve"))
    answer = gateway.ask("GET", "/docs", Accept_Encoding="gzip")
    page = gzip.decompress(answer.body)
    assert answer.headers["Content-Encoding"] == "gzip" and len(answer.body) < len(page) < 40_000
    assert page == gateway.ask("GET", "/docs").body
    policy = answer.headers["Content-Security-Policy"]
    for element in (b"script", b"style"):
        (inside,) = re.findall(rb"<%s>(.*?)</%s>" % (element, element), page, re.S)
        digest = base64.b64encode(hashlib.sha256(inside).digest()).decode()
        assert f"{element.decode()}-src 'sha256-{digest}'" in policy
    head = gateway.ask("HEAD", "/docs")
    assert head.status == 200 and not head.body and int(head.headers["Content-Length"]) == len(page)
