"""Who is let in by TLS, by a certificate, and how often: the gateway as clients of others meet it."""

import json
import select
import socket
import ssl
import subprocess
import warnings

import pytest

from support.gateway import Gateway
from support.tables import plane

RECORD = {"x1": 1, "x2": 2.5, "x3": -3}


def certificate(folder, name, issuer=None, subject=None):
    """A key and a certificate for 127.0.0.1, signed by itself or by `issuer`."""
    key, pem = folder / f"{name}.key", folder / f"{name}.pem"
    command = ["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes"]
    command += ["-keyout", key, "-out", pem, "-subj", f"/CN={subject or name}", "-days", "2"]
    if issuer:
        command += ["-CA", issuer[1], "-CAkey", issuer[0], "-addext", "basicConstraints=critical,CA:FALSE"]
        command += ["-addext", "subjectAltName=IP:127.0.0.1"]
    subprocess.run(command, check=True, capture_output=True)
    return key, pem


def context(authority, shown=None):
    made = ssl.create_default_context(cafile=str(authority[1]))
    if shown:
        made.load_cert_chain(str(shown[1]), str(shown[0]))
    return made


@pytest.fixture
def secrets(pipeline):
    authority = certificate(pipeline.folder, "authority")
    return {
        "authority": authority,
        "server": certificate(pipeline.folder, "server", authority),
        "client": certificate(pipeline.folder, "client", authority),
        "stranger": certificate(pipeline.folder, "stranger"),
    }


def serving(pipeline, secrets, **settings):
    key, chain = secrets["server"]
    pipeline.set("serve", {"port": 0, "tls_certificate": str(chain), "tls_key": str(key), **settings})
    return Gateway.of(pipeline.start("serve", name="gateway"))


def test_clients_are_told_in_tls_and_nothing_in_the_clear(pipeline, secrets):
    gateway = serving(pipeline, secrets)
    gateway.tls = context(secrets["authority"])
    assert gateway.get("/livez")["ok"]
    plain = Gateway(gateway.port)
    with pytest.raises(OSError):
        plain.get("/livez")
    with pytest.raises(ssl.SSLCertVerificationError):
        Gateway(gateway.port, tls=context(secrets["stranger"])).get("/livez")
    old = context(secrets["authority"])
    with warnings.catch_warnings(action="ignore"):  # Python finds it old, too
        old.minimum_version = old.maximum_version = ssl.TLSVersion.TLSv1_1
    with pytest.raises(OSError):
        Gateway(gateway.port, tls=old).get("/livez")
    assert gateway.get("/livez")["ok"]


def test_a_certificate_lets_in_and_gives_a_role(pipeline, secrets):
    pipeline.train_once("first.csv", plane(1))
    (pipeline.folder / "tokens").write_text("push pusher-0123456789\n")
    gateway = serving(
        pipeline,
        secrets,
        tokens="tokens",
        tls_client_authority=str(secrets["authority"][1]),
        tls_client_role="read",
    )
    shown = context(secrets["authority"], secrets["client"])
    pipeline.start("score", name="scorer")
    reader = Gateway(gateway.port, tls=shown)
    reader.wait_ready()
    assert reader.get("/v1/models")["live"] == 1
    assert reader.push(RECORD, status=403)["status"] == 403
    assert Gateway(gateway.port, "pusher-0123456789", tls=shown).push(RECORD)[0]["state"] == "predicted"
    # Neither without a certificate, nor with another authority's: TLS 1.3 tells at the first read.
    for other in (None, secrets["stranger"]):
        for token in (None, "pusher-0123456789"):
            with pytest.raises(OSError):
                Gateway(gateway.port, token, tls=context(secrets["authority"], other)).get("/livez")


def test_a_client_that_is_still_sending_hears_of_the_refusal_over_tls(pipeline, secrets):
    gateway = serving(pipeline, secrets, body_bytes_max="1MB")
    with socket.create_connection(("127.0.0.1", gateway.port), timeout=20) as plain:
        with context(secrets["authority"]).wrap_socket(plain, server_hostname="127.0.0.1") as client:
            client.sendall(
                b"POST /v1/messages HTTP/1.1\r\nHost: 127.0.0.1\r\nContent-Length: 99000000\r\n\r\n"
            )
            select.select([client], [], [], 20)  # the refusal is here; a client such as this looks later
            reset = select.poll()
            reset.register(client, select.POLLERR)
            for _ in range(5):
                client.sendall(b"x" * 50_000)
                assert not reset.poll(100)
            heard = b""
            while piece := client.recv(65536):
                heard += piece
    assert heard.startswith(b"HTTP/1.1 413 "), heard[:200]
    assert json.loads(heard.partition(b"\r\n\r\n")[2])["status"] == 413


def test_a_client_that_asks_too_often_is_told_to_wait(pipeline):
    pipeline.set("serve", {"port": 0, "requests_per_second_max": 5})
    gateway = Gateway.of(pipeline.start("serve", name="gateway"))
    answers = [gateway.ask("GET", "/openapi.json") for _ in range(40)]
    refused = [answer for answer in answers if answer.status == 429]
    assert refused and all(int(answer.headers["Retry-After"]) >= 1 for answer in refused)
    assert answers[0].status == 200
    assert {gateway.ask("GET", "/livez").status for _ in range(40)} == {200}, "a supervisor's question is in nobody's rate"
