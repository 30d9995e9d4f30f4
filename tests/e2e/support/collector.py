"""A collector of traces: takes OTLP over HTTP in JSON, and is as strict as the protocol."""

import json
import re
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

KEYS_OF_SPAN = {
    "traceId", "spanId", "traceState", "parentSpanId", "name", "kind", "startTimeUnixNano", "endTimeUnixNano",
    "attributes", "status",
}  # fmt: skip


def value_of(value):
    ((kind, inner),) = value.items()
    if kind == "intValue":
        assert isinstance(inner, str) and re.fullmatch(r"-?\d+", inner), inner
        return int(inner)
    types = {"stringValue": str, "doubleValue": (int, float), "boolValue": bool}
    assert isinstance(inner, types[kind]), value
    return inner


def attributes_of(listed):
    found = {}
    for one in listed:
        assert set(one) == {"key", "value"} and one["key"] not in found, one
        found[one["key"]] = value_of(one["value"])
    return found


class Span:
    def __init__(self, told, resource):
        assert set(told) <= KEYS_OF_SPAN, told
        assert re.fullmatch(r"[0-9a-f]{32}", told["traceId"]) and int(told["traceId"], 16), told
        assert re.fullmatch(r"[0-9a-f]{16}", told["spanId"]) and int(told["spanId"], 16), told
        self.parent = told.get("parentSpanId", "")
        assert self.parent == "" or re.fullmatch(r"[0-9a-f]{16}", self.parent), told
        assert told["kind"] in (1, 2, 3, 4, 5) and told["name"], told
        assert re.fullmatch(r"\d{19}", told["startTimeUnixNano"]), told
        self.begin, self.end = int(told["startTimeUnixNano"]), int(told["endTimeUnixNano"])
        assert self.begin <= self.end, told
        self.trace, self.id, self.name, self.kind = told["traceId"], told["spanId"], told["name"], told["kind"]
        self.attributes = attributes_of(told["attributes"])
        self.failed = told["status"].get("code") == 2
        self.resource = resource

    def __repr__(self):
        return f"{self.name} {self.id} below {self.parent or 'nothing'} {self.attributes}"


class Collector:
    """`status`: what it answers. Spans are there once they were taken."""

    def __init__(self, status=200):
        self.status = status
        self.spans = []
        self.faults = []
        self.headers = []
        outer = self

        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def do_POST(self):
                body = self.rfile.read(int(self.headers["Content-Length"]))
                outer._take(self.path, self.headers, body)
                self.send_response(outer.status)
                self.send_header("Content-Type", "application/json")
                self.send_header("Content-Length", "2")
                self.end_headers()
                self.wfile.write(b"{}")

            def log_message(self, *_):
                pass

        self._server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self._thread = threading.Thread(target=self._server.serve_forever, daemon=True)
        self._thread.start()
        self.url = f"http://127.0.0.1:{self._server.server_port}"

    def __enter__(self):
        return self

    def __exit__(self, kind, *_):
        self._server.shutdown()
        self._server.server_close()
        if kind is None:
            assert not self.faults, self.faults

    def _take(self, path, headers, body):
        self.headers.append(dict(headers))
        if self.status != 200:
            return
        try:
            assert path == "/v1/traces", path
            assert headers["Content-Type"] == "application/json", headers["Content-Type"]
            told = json.loads(body)
            assert set(told) == {"resourceSpans"}, told
            for of_resource in told["resourceSpans"]:
                resource = attributes_of(of_resource["resource"]["attributes"])
                for of_scope in of_resource["scopeSpans"]:
                    assert of_scope["scope"]["name"] == "weirkeeper", of_scope["scope"]
                    self.spans += [Span(span, resource) for span in of_scope["spans"]]
        except (AssertionError, KeyError, ValueError) as fault:
            self.faults.append(repr(fault))

    def named(self, name, **attributes):
        def fits(span):
            return span.name == name and all(
                span.attributes.get(key.replace("__", ".")) == value for key, value in attributes.items()
            )

        return [span for span in self.spans if fits(span)]
