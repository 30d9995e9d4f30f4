"""Traces: from a client's request through the stream to the prediction, and what a collector gets of it."""

import json
import socket

import pytest

from support.collector import Collector
from support.gateway import Gateway
from support.promises import check_promises
from support.tables import plane
from support.waiting import wait_until

RECORD = {"x1": 1, "x2": 2.5, "x3": -3}
TRACE = "0af7651916cd43dd8448eb211c80319c"
PARENT = "b7ad6b7169203331"
TRACEPARENT = f"00-{TRACE}-{PARENT}-01"


def headers_of(record):
    return {name: value.decode() for name, value in record.headers or []}


def answers(pipeline, kind):
    return {record.key.decode(): headers_of(record) for record in pipeline.topic(kind).read_to_end()}


def test_a_push_is_one_trace_from_the_client_to_the_prediction(pipeline):
    with Collector() as collector:
        exporting = {
            "OTEL_EXPORTER_OTLP_ENDPOINT": collector.url,
            "OTEL_EXPORTER_OTLP_HEADERS": "api-key=a%20b",
            "OTEL_SERVICE_NAME": "scoring",
            "OTEL_BSP_SCHEDULE_DELAY": "100",
        }
        pipeline.set("serve.port", 0)
        trainer = pipeline.start("train", **exporting)
        pipeline.drop("first.csv", plane(1))
        pipeline.wait_for_resume(1)
        pipeline.start("score", **exporting)
        gateway = Gateway.of(pipeline.start("serve", **exporting))
        gateway.wait_ready()
        [pushed] = gateway.push({"id": "a", **RECORD}, traceparent=TRACEPARENT, tracestate="vendor=1")
        gateway.push({"id": "own", **RECORD})
        gateway.push({"id": "unsampled", **RECORD}, traceparent=TRACEPARENT[:-1] + "0")
        # Past the gateway, which would refuse it.
        pipeline.send([(b"bad", b"{", 0, [("traceparent", TRACEPARENT.encode())])])
        wait_until(lambda: "bad" in answers(pipeline, "dead"), "the bad one is a dead letter")

        (request,) = wait_until(
            lambda: [s for s in collector.named("POST /v1/messages") if s.trace == TRACE],
            "the request is in the trace of its client",
        )
        assert request.parent == PARENT and request.kind == 2 and not request.failed
        assert request.attributes["http.response.status_code"] == 200
        assert request.attributes["http.route"] == "/v1/messages"
        scored = f"score {pipeline.topic_name('features')}"
        wait_until(lambda: len(collector.named(scored)) == 3, lambda: f"records have spans: {collector.spans}")
        (one,) = [s for s in collector.named(scored) if s.parent == request.id]
        assert one.trace == TRACE and one.kind == 5 and not one.failed
        grain = 2_000_000  # of two processes, of which each has looked at the clock once
        assert request.begin - grain <= one.begin <= request.end + grain, "it was waited for"
        # Its end is known when the commit is acknowledged: a reader may have the answer before.
        assert one.begin <= one.end <= request.end + 30_000_000_000
        assert one.attributes["messaging.destination.partition.id"] == str(pushed["partition"])
        assert one.attributes["messaging.kafka.offset"] == pushed["offset"] and one.attributes["weir.model"] == 1
        (bad,) = [s for s in collector.named(scored) if s.parent == PARENT]
        assert bad.failed and bad.trace == TRACE
        assert answers(pipeline, "predictions")["a"] == {
            "traceparent": f"00-{TRACE}-{one.id}-01",
            "tracestate": "vendor=1",
        }
        assert answers(pipeline, "predictions")["unsampled"] == {"traceparent": TRACEPARENT[:-1] + "0"}
        assert answers(pipeline, "dead")["bad"]["traceparent"] == TRACEPARENT

        # What has no client's trace has one of its own, and probes have none.
        (root,) = wait_until(
            lambda: [s for s in collector.named("POST /v1/messages") if s.trace != TRACE],
            "the request without a trace has one of its own",
        )
        assert root.parent == "" and [s for s in collector.spans if s.parent == root.id]
        assert not [s for s in collector.spans if "/readyz" in s.name or "/metrics" in s.name]
        assert collector.headers[0]["api-key"] == "a b"
        assert root.resource["service.name"] == "scoring"
        assert root.resource["weir.pipeline"] == pipeline.name
        metrics = gateway.ask("GET", "/metrics").body.decode()
        assert f'weir_trace_spans_dropped_total{{pipeline="{pipeline.name}"}} 0' in metrics

        pipeline.drop("second.csv", plane(2))
        pipeline.wait_for_resume(2)
        pipeline.drop("bad.csv", b"x1,x2,x3,y\n1,2,3,a\n")
        pipeline.wait_for_resume(3)
        assert trainer.stop()[0] == 0
        check_epochs(collector)
        pipeline.stop_all()
        assert "a b" not in trainer.stderr
    check_promises(pipeline)


def check_epochs(collector):
    expected = {
        1: ("trained", ["train", "publish", "resume"]),  # nothing to halt
        2: ("trained", ["halt", "train", "publish", "resume"]),
        3: ("refused", ["halt", "train", "resume"]),
    }
    assert len(collector.named("epoch")) == len(expected), collector.spans
    for number, (outcome, phases) in expected.items():
        (epoch,) = collector.named("epoch", weir__epoch=number)
        assert epoch.attributes["weir.outcome"] == outcome and epoch.parent == ""
        assert epoch.failed == (outcome == "refused")
        below = sorted((s for s in collector.spans if s.parent == epoch.id), key=lambda s: s.begin)
        assert [s.name for s in below] == phases, below
        for before, after in zip(below, below[1:]):
            assert before.end <= after.begin, "phases follow each other"
        assert all(s.trace == epoch.trace for s in below)
        assert all(epoch.begin - 10**9 <= s.begin and s.end <= epoch.end for s in below)


def test_without_a_collector_headers_go_through_as_they_came(pipeline):
    pipeline.set("serve.port", 0)
    pipeline.train_once("first.csv", plane(1))
    pipeline.start("score")
    gateway = Gateway.of(pipeline.start("serve"))
    gateway.wait_ready()
    gateway.push({"id": "a", **RECORD}, traceparent=TRACEPARENT, tracestate="vendor=1")
    gateway.push({"id": "b", **RECORD}, traceparent="nonsense")
    gateway.push({"id": "c", **RECORD})
    found = answers(pipeline, "predictions")
    assert found == {"a": {"traceparent": TRACEPARENT, "tracestate": "vendor=1"}, "b": {}, "c": {}}
    pipeline.stop_all()
    check_promises(pipeline)


@pytest.mark.parametrize("collector_is", ["away", "mute", "angry"])
def test_a_collector_that_is_away_or_hangs_slows_and_fails_nothing(pipeline, collector_is):
    with Collector(status=500) as angry, socket.socket() as mute:
        mute.bind(("127.0.0.1", 0))
        if collector_is == "mute":
            mute.listen()  # connections are made, and nobody answers
        urls = {"angry": angry.url}
        url = urls.get(collector_is, f"http://127.0.0.1:{mute.getsockname()[1]}")
        exporting = {
            "OTEL_EXPORTER_OTLP_ENDPOINT": url,
            # Longer than anything here is waited for: whoever waits for the collector is found out.
            "OTEL_EXPORTER_OTLP_TIMEOUT": "600000",
            "OTEL_BSP_SCHEDULE_DELAY": "100",
            "OTEL_BSP_MAX_QUEUE_SIZE": "10",
        }
        pipeline.set("serve.port", 0)
        pipeline.train_once("first.csv", plane(1))
        scorer = pipeline.start("score", **exporting)
        process = pipeline.start("serve", **exporting)
        gateway = Gateway.of(process)
        gateway.wait_ready()
        for number in range(20):
            gateway.push([{"id": f"{number}-{i}", **RECORD} for i in range(50)], traceparent=TRACEPARENT)

        def dropped():
            metrics = gateway.ask("GET", "/metrics").body.decode()
            line = next(l for l in metrics.splitlines() if l.startswith("weir_trace_spans_dropped_total{"))
            return float(line.rpartition(" ")[2])

        wait_until(lambda: dropped() > 0, "spans are dropped, and counted")
        for ending in (scorer, process):
            assert ending.stop()[0] == 0
        assert process.stderr.count("traces are not exported; nothing else depends on them") == 1
        pipeline.stop_all()
        check_promises(pipeline)


def test_variables_that_cannot_be_meant_are_named_and_their_secrets_kept(pipeline):
    refused = pipeline.run("serve", OTEL_EXPORTER_OTLP_ENDPOINT="collector:4317")
    assert refused.returncode == 78 and b"OTEL_EXPORTER_OTLP_ENDPOINT" in refused.stderr
    refused = pipeline.run(
        "serve", OTEL_EXPORTER_OTLP_ENDPOINT="http://127.0.0.1:1", OTEL_EXPORTER_OTLP_HEADERS="api-key"
    )
    assert refused.returncode == 78 and b"OTEL_EXPORTER_OTLP_HEADERS" in refused.stderr
