"""The Open Inference Protocol over gRPC: what the unmodified client of it is answered, and strangers."""

import json
import os
import re
import socket
import struct
import subprocess
import threading

import grpc
import numpy
import pytest
import tritonclient.grpc as triton
from google.protobuf import descriptor_pb2
from tritonclient.grpc import service_pb2, service_pb2_grpc
from tritonclient.utils import InferenceServerException

from support.gateway import Gateway
from support.stack import ROOT
from support.tables import plane
from support.waiting import PATIENCE, wait_until

PROTO = ROOT / "src/infer_grpc/open_inference.proto"
ROWS = numpy.array([[1, 2.5, -3], [4, 5, 6]])


def start_gateway(pipeline, **settings):
    """A gateway with gRPC, on ports that are free, and the address of the latter."""
    pipeline.set("serve", {"port": 0, "grpc_port": 0, **settings})
    process = pipeline.start("serve", name="gateway")
    process.wait_for_stderr("the gateway listens")
    return process, "127.0.0.1:" + re.search(r"the gateway listens .*grpc=\S*:(\d+)", process.stderr)[1]


def client_of(process, address, **options):
    client = triton.InferenceServerClient(address, **options)
    wait_until(client.is_server_ready, lambda: f"the gateway is ready:\n{process.stderr[-2000:]}", 30)
    return client


def input_of(rows, name="features", datatype="FP64"):
    tensor = triton.InferInput(name, list(rows.shape), datatype)
    tensor.set_data_from_numpy(rows)
    return tensor


def refused(call, status):
    """The words in which a call is refused, with a status such as NOT_FOUND."""
    with pytest.raises((InferenceServerException, grpc.RpcError)) as caught:
        call()
    error = caught.value
    if isinstance(error, InferenceServerException):
        assert error.status() == f"StatusCode.{status}", error
        return error.message()
    assert error.code() == grpc.StatusCode[status], error
    return error.details()


def typed(model, *inputs):
    """A request whose elements stand in fields of their types."""
    request = service_pb2.ModelInferRequest(model_name=model, id="7")
    for name, datatype, field, values in inputs:
        tensor = request.inputs.add(name=name, datatype=datatype, shape=[len(values)])
        getattr(tensor.contents, field).extend(values)
    return request


def memory_of(process):
    with open(f"/proc/{process.pid}/status") as file:
        return int(re.search(r"VmRSS:\s+(\d+) kB", file.read())[1]) * 1024


def test_the_messages_are_those_of_the_protocol(tmp_path):
    subprocess.run(
        ["protoc", f"--proto_path={PROTO.parent}", f"--descriptor_set_out={tmp_path}/set", PROTO], check=True
    )
    described = descriptor_pb2.FileDescriptorSet.FromString((tmp_path / "set").read_bytes()).file[0]
    known = descriptor_pb2.FileDescriptorProto()
    service_pb2.DESCRIPTOR.CopyToProto(known)

    def fields(messages, prefix=""):
        found = {}
        for message in messages:
            found[prefix + message.name] = {
                field.name: (field.number, field.type, field.label, field.type_name) for field in message.field
            }
            found |= fields(message.nested_type, prefix + message.name + ".")
        return found

    ours, theirs = fields(described.message_type), fields(known.message_type)
    assert described.package == known.package and len(ours) > 15
    for message, members in ours.items():
        assert members.items() <= theirs[message].items(), message
    service = {method.name: method for method in known.service[0].method}
    for method in described.service[0].method:
        assert method.input_type == service[method.name].input_type
        assert method.output_type == service[method.name].output_type
    assert described.service[0].name == known.service[0].name


def test_the_unmodified_client_is_answered_as_over_rest_also_after_a_change_of_model(pipeline):
    pipeline.train_once("first.csv", plane(1))
    process, address = start_gateway(pipeline)
    client = client_of(process, address)
    rest = Gateway.of(process)
    assert client.is_server_live() and client.is_model_ready(pipeline.name)
    assert not client.is_model_ready("other") and not client.is_model_ready(pipeline.name, "2")
    assert client.get_server_metadata().name == "weirkeeper"
    told = client.get_model_metadata(pipeline.name)
    assert (told.name, list(told.versions), told.platform) == (pipeline.name, ["1"], "weirkeeper_linear")
    assert [(i.name, i.datatype, list(i.shape)) for i in told.inputs] == [("features", "FP64", [-1, 3])]
    assert [(o.name, o.datatype, list(o.shape)) for o in told.outputs] == [("prediction", "FP64", [-1])]

    def check(version):
        model = pipeline.model(version)
        expected = [model.predict(list(row)) for row in ROWS]
        answer = client.infer(pipeline.name, [input_of(ROWS)], request_id="a7")
        assert answer.as_numpy("prediction").tolist() == expected
        assert (answer.get_response().id, answer.get_response().model_version) == ("a7", str(version))
        body = {"inputs": [{"name": "features", "datatype": "FP64", "shape": [2, 3], "data": ROWS.tolist()}]}
        said = rest.ask("POST", f"/v2/models/{pipeline.name}/infer", json.dumps(body)).json
        assert said["outputs"][0]["data"] == expected
        many = numpy.random.default_rng(1).normal(size=(20_000, 3)) * 1e3
        said = client.infer(pipeline.name, [input_of(many)]).as_numpy("prediction")
        alone = [client.infer(pipeline.name, [input_of(many[i : i + 1])]).as_numpy("prediction")[0] for i in range(50)]
        assert said[:50].tolist() == alone == [model.predict(list(row)) for row in many[:50]]
        assert len(said) == len(many)

    check(1)
    pipeline.train_once("second.csv", plane(2))
    wait_until(lambda: client.get_model_metadata(pipeline.name).versions == ["2"], "the second model rules", 30)
    check(2)
    assert pipeline.topic("features").read_to_end() == []
    metrics = rest.ask("GET", "/metrics").body.decode()
    route = 'method="gRPC",route="/inference.GRPCInferenceService/ModelInfer",status="2xx"'
    assert re.search(rf"request_duration_seconds_count{{[^}}]*{route}}} \d\d+", metrics), metrics
    pipeline.stop_all()


def test_elements_come_in_the_fields_of_their_types_too_and_faults_have_their_code(pipeline):
    pipeline.train_once("first.csv", plane(1))
    process, address = start_gateway(pipeline, body_bytes_max="1MB")
    client = client_of(process, address)
    stub = service_pb2_grpc.GRPCInferenceServiceStub(grpc.insecure_channel(address))
    expected = [pipeline.model(1).predict(row) for row in ([1, 2, -3], [4, 5, 6])]
    x2, x3 = ("x2", "INT32", "int_contents", [2, 5]), ("x3", "INT64", "int64_contents", [-3, 6])
    for datatype, field in [("FP64", "fp64_contents"), ("FP32", "fp32_contents"), ("UINT8", "uint_contents"),
                            ("UINT64", "uint64_contents"), ("INT16", "int_contents")]:
        answer = stub.ModelInfer(typed(pipeline.name, ("x1", datatype, field, [1, 4]), x3, x2))
        assert list(answer.outputs[0].contents.fp64_contents) == expected
        assert answer.id == "7" and list(answer.outputs[0].shape) == [2] and not answer.raw_output_contents

    def ask(*inputs, model=pipeline.name, **more):
        request = typed(model, *inputs)
        request.MergeFrom(service_pb2.ModelInferRequest(**more))
        return lambda: stub.ModelInfer(request)

    x1 = ("x1", "FP64", "fp64_contents", [1, 4])
    for call, status, words in [
        (ask(x1, x2, x3, model="other"), "NOT_FOUND", "no model 'other'"),
        (ask(x1, x2, x3, model_version="9"), "NOT_FOUND", "version 1 is in force"),
        (ask(x1, x2), "INVALID_ARGUMENT", "no input 'x3'"),
        (ask(), "INVALID_ARGUMENT", "no inputs"),
        (ask(x1, x2, ("x3", "FP64", "int64_contents", [1, 2])), "INVALID_ARGUMENT", "and 0 came"),
        (ask(x1, x2, ("x3", "BYTES", "bytes_contents", [b"1", b"2"])), "INVALID_ARGUMENT", "is text"),
        (ask(x1, x2, ("x3", "FP64", "fp64_contents", [1, float("nan")])), "INVALID_ARGUMENT", "not finite"),
        (ask(x1, x2, ("x3", "FP16", "fp64_contents", [1, 2])), "INVALID_ARGUMENT", "datatype"),
        (ask(x1, raw_input_contents=[b"12345678"]), "INVALID_ARGUMENT", "one or the other"),
        (ask(x1, x2, x3, outputs=[{"name": "other"}]), "INVALID_ARGUMENT", "no output 'other'"),
        (ask(x1, x2, x3, id="x" * 1_100_000), "RESOURCE_EXHAUSTED", "larger"),
    ]:
        assert words in refused(call, status)
    overflow = typed(pipeline.name, x1)
    overflow.inputs[0].shape[:] = [2**32, 2**32, 2**32]
    assert "no size" in refused(lambda: stub.ModelInfer(overflow), "INVALID_ARGUMENT")
    # A hundred thousand empty inputs are some bytes, and would be many objects.
    crowd = service_pb2.ModelInferRequest(model_name=pipeline.name, inputs=[{} for _ in range(100_000)])
    assert "parts" in refused(lambda: stub.ModelInfer(crowd), "INVALID_ARGUMENT")
    channel = grpc.insecure_channel(address)
    nowhere = channel.unary_unary("/inference.GRPCInferenceService/RepositoryIndex")
    assert "ModelInfer" in refused(lambda: nowhere(b""), "UNIMPLEMENTED")
    infer = channel.unary_unary("/inference.GRPCInferenceService/ModelInfer")
    for garbage in (b"\xff" * 100, b"\x2a\x05ab", b"\x28\x01" * 1000, b"\x2b" * 50):
        assert "not one of this method" in refused(lambda: infer(garbage), "INVALID_ARGUMENT")
    packed = lambda: client.infer(pipeline.name, [input_of(ROWS)], compression_algorithm="gzip")
    refused(packed, "UNIMPLEMENTED")
    assert client.infer(pipeline.name, [input_of(ROWS)]).as_numpy("prediction").size == 2
    code, _ = process.stop()
    assert code == 0


def test_texts_and_gaps_are_taken_where_the_model_has_them(pipeline):
    rows = "\n".join(f"{i % 7},{'north' if i % 2 else 'south'},{i % 7 + i % 2}" for i in range(80))
    pipeline.train_once("first.csv", f"size,zone,y\n{rows}\n".encode())
    process, address = start_gateway(pipeline)
    client = client_of(process, address)
    rest = Gateway.of(process)
    zones, sizes = ["south", "north", "elsewhere"], [1.5, 2.0, -1.0]
    told = client.get_model_metadata(pipeline.name)
    assert [(i.name, i.datatype) for i in told.inputs] == [("size", "FP64"), ("zone", "BYTES")]
    body = {
        "inputs": [
            {"name": "zone", "datatype": "BYTES", "shape": [3], "data": zones},
            {"name": "size", "datatype": "FP64", "shape": [3], "data": sizes},
        ]
    }
    said = rest.ask("POST", f"/v2/models/{pipeline.name}/infer", json.dumps(body)).json["outputs"][0]["data"]
    raw = client.infer(
        pipeline.name,
        [input_of(numpy.array(zones, dtype=object), "zone", "BYTES"), input_of(numpy.array(sizes), "size")],
    )
    assert raw.as_numpy("prediction").tolist() == said and len(set(said)) == 3
    stub = service_pb2_grpc.GRPCInferenceServiceStub(grpc.insecure_channel(address))
    texts = ("zone", "BYTES", "bytes_contents", [zone.encode() for zone in zones])
    answer = stub.ModelInfer(typed(pipeline.name, texts, ("size", "FP64", "fp64_contents", sizes)))
    assert list(answer.outputs[0].contents.fp64_contents) == said
    bad = ("zone", "BYTES", "bytes_contents", [b"\xff", b"a", b"b"])
    size = ("size", "FP64", "fp64_contents", sizes)
    assert "not UTF-8" in refused(lambda: stub.ModelInfer(typed(pipeline.name, bad, size)), "INVALID_ARGUMENT")
    pipeline.stop_all()


def test_tokens_and_rates_count_at_this_door_too(pipeline):
    (pipeline.folder / "tokens").write_text("read reader-0123456789\n")
    pipeline.train_once("first.csv", plane(1))
    process, address = start_gateway(pipeline, tokens="tokens", requests_per_second_max=1000)
    stub = service_pb2_grpc.GRPCInferenceServiceStub(grpc.insecure_channel(address))
    live = service_pb2.ServerLiveRequest()
    assert "token is needed" in refused(lambda: stub.ServerLive(live), "UNAUTHENTICATED")
    for value in ("Bearer reader-012345678x", "Basic reader-0123456789", "reader-0123456789"):
        refused(lambda: stub.ServerLive(live, metadata=[("authorization", value)]), "UNAUTHENTICATED")
    known = [("authorization", "bearer reader-0123456789")]
    assert stub.ServerLive(live, metadata=known).live
    # Before a byte of its message is read, and whatever it asks for.
    large = service_pb2.ModelInferRequest(id="x" * 30_000_000)
    refused(lambda: stub.ModelInfer(large), "UNAUTHENTICATED")
    reader = Gateway(Gateway.of(process).port, "reader-0123456789")
    reader.wait_ready()
    client = triton.InferenceServerClient(address)
    answer = client.infer(pipeline.name, [input_of(ROWS)], headers={"authorization": "Bearer reader-0123456789"})
    assert answer.as_numpy("prediction").size == 2
    pipeline.stop_all()
    assert "0123456789" not in process.stderr

    process, address = start_gateway(pipeline, requests_per_second_max=5)
    stub = service_pb2_grpc.GRPCInferenceServiceStub(grpc.insecure_channel(address))
    words = refused(lambda: [stub.ServerLive(live) for _ in range(50)], "RESOURCE_EXHAUSTED")
    assert "too many requests" in words
    pipeline.stop_all()


def certificates(folder):
    """An authority, and a certificate of it for the gateway and for a client."""

    def openssl(*arguments):
        subprocess.run(["openssl", *arguments], cwd=folder, check=True, capture_output=True)

    key = ["-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-days", "2"]
    openssl("req", "-x509", *key, "-keyout", "ca.key", "-out", "ca.crt", "-subj", "/CN=ca")
    for name in ("gateway", "client"):
        openssl("req", "-x509", *key, "-keyout", f"{name}.key", "-out", f"{name}.crt", "-subj", f"/CN={name}",
                "-CA", "ca.crt", "-CAkey", "ca.key", "-addext", "subjectAltName=IP:127.0.0.1",
                "-addext", "basicConstraints=critical,CA:FALSE")
    return {path.name: path.read_bytes() for path in folder.glob("*.*") if path.suffix in (".key", ".crt")}


def test_tls_and_client_certificates_are_asked_for_as_over_https(pipeline):
    files = certificates(pipeline.folder)
    pipeline.train_once("first.csv", plane(1))
    process, address = start_gateway(
        pipeline,
        tls_certificate="gateway.crt",
        tls_key="gateway.key",
        tls_client_authority="ca.crt",
        tls_client_role="read",
    )
    live = service_pb2.ServerLiveRequest()

    def ask(credentials):
        with grpc.secure_channel(address, credentials) as channel:
            return service_pb2_grpc.GRPCInferenceServiceStub(channel).ServerLive(live, timeout=20 * PATIENCE).live

    assert ask(grpc.ssl_channel_credentials(files["ca.crt"], files["client.key"], files["client.crt"]))
    refused(lambda: ask(grpc.ssl_channel_credentials(files["ca.crt"])), "UNAVAILABLE")
    with grpc.insecure_channel(address) as channel:
        plain = service_pb2_grpc.GRPCInferenceServiceStub(channel)
        refused(lambda: plain.ServerLive(live, timeout=20 * PATIENCE), "UNAVAILABLE")
    pipeline.stop_all()


def test_strangers_and_crowds_harm_nobody_and_the_end_comes_in_time(pipeline):
    pipeline.train_once("first.csv", plane(1))
    process, address = start_gateway(pipeline)
    client = client_of(process, address)
    client.infer(pipeline.name, [input_of(ROWS)])
    before = memory_of(process)
    port = int(address.rsplit(":")[-1])
    preface = b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n"

    def connect(data):
        made = socket.create_connection(("127.0.0.1", port), timeout=30 * PATIENCE)
        try:
            made.sendall(data)
        except OSError:
            pass  # it was shut out before it had said all
        return made

    garbage = [b"GET / HTTP/1.1\r\nHost: a\r\n\r\n", os.urandom(100_000), preface + os.urandom(100_000),
               preface + struct.pack(">I", 2**24 - 1)[1:] + b"\x00" * 100_000, b"\x16\x03\x01" + b"\xff" * 1000]
    for data in garbage * 20:
        connect(data).close()
    crowd = [connect(preface + b"\x00\x00\x00\x04\x00\x00\x00\x00\x00") for _ in range(1000)]
    expected = [pipeline.model(1).predict(list(row)) for row in ROWS]
    assert client.infer(pipeline.name, [input_of(ROWS)]).as_numpy("prediction").tolist() == expected
    for made in crowd:
        made.close()
    assert memory_of(process) - before < 200e6

    # A client that has no time any more is told so, and takes nothing with it.
    large = numpy.zeros((600_000, 3))
    refused(lambda: client.infer(pipeline.name, [input_of(large)], client_timeout=0.001), "DEADLINE_EXCEEDED")
    assert client.infer(pipeline.name, [input_of(ROWS)]).as_numpy("prediction").tolist() == expected

    # Calls under way when the end comes: each is answered, or told that there is no more.
    outcomes = []

    def keep_asking():
        with grpc.insecure_channel(address) as channel:
            infer = service_pb2_grpc.GRPCInferenceServiceStub(channel).ModelInfer
            while True:
                try:
                    answer = infer(typed(pipeline.name, *[(f"x{i}", "FP64", "fp64_contents", [1.0]) for i in (1, 2, 3)]))
                    outcomes.append(answer.outputs[0].contents.fp64_contents[0])
                except grpc.RpcError as error:
                    outcomes.append(error.code())
                    return

    # One that has begun a call and says nothing more; the end does not wait for it longer than for others.
    silent = grpc.insecure_channel(address).stream_stream("/inference.GRPCInferenceService/ModelInfer")
    never = threading.Event()

    def nothing():
        never.wait()
        yield from ()

    waiting = silent(nothing())
    threads = [threading.Thread(target=keep_asking) for _ in range(8)]
    for thread in threads:
        thread.start()
    wait_until(lambda: len(outcomes) > 200, "calls go on", 30)
    code, seconds = process.stop(seconds=30)
    never.set()
    for thread in threads:
        thread.join(30 * PATIENCE)
    assert code == 0 and seconds < 10 * PATIENCE
    assert waiting.code() in (grpc.StatusCode.UNAVAILABLE, grpc.StatusCode.CANCELLED)
    answer = pipeline.model(1).predict([1.0, 1.0, 1.0])
    told = {outcome for outcome in outcomes if outcome != answer}
    assert told <= {grpc.StatusCode.UNAVAILABLE, grpc.StatusCode.CANCELLED}, told
    assert len(outcomes) > 200


@pytest.mark.parametrize("command", [["serve"], ["run", "--no-produce"]], ids=["serve", "run"])
@pytest.mark.parametrize("door", ["port", "grpc_port"])
def test_a_port_that_is_taken_is_said_so(pipeline, command, door):
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = taken.getsockname()[1]
        pipeline.set("serve", {"port": 0, door: port})
        ended = pipeline.run(*command)
    assert ended.returncode == 69, ended
    told = ended.stderr.decode()
    assert f"listening at 127.0.0.1 port {port}: another program does" in told, told
    assert f"set serve.{door} to another port" in told, told


@pytest.mark.parametrize("command", [["serve"], ["run", "--no-produce"]], ids=["serve", "run"])
def test_an_address_of_another_machine_is_said_so(pipeline, command):
    pipeline.set("serve", {"port": 0, "address": "192.0.2.1", "token_list": "read 0123456789abcdef"})
    ended = pipeline.run(*command)
    assert ended.returncode == 78 and b"192.0.2.1 port 0: Cannot assign" in ended.stderr, ended
