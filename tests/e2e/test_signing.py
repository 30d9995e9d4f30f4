"""Control records signed with a key: what nobody who is trusted has signed moves nobody."""

import json
import signal

import pytest
from confluent_kafka import Producer

from support.promises import check_promises
from support.tables import plane
from test_audit import audit, found_in

# RFC 8032, section 7.1: the key pair of test 2, and the secret key of test 1. They are no secret.
# In PEM, which is put together here, as a file that holds a private key is refused.


def pem(kind, text):
    return f"-----BEGIN {kind} KEY-----\n{text}\n-----END {kind} KEY-----\n"


PRIVATE = pem("PRIVATE", "MC4CAQAwBQYDK2VwBCIEIEzNCJso/5banbbDRuwRTg9bijGfNaumJNqM9u1PuKb7")
PUBLIC = pem("PUBLIC", "MCowBQYDK2VwAyEAPUAXw+hDiVqStwqnTRt+vJyYLM8uxJaMwM1V8Sr0Zgw=")
STRANGER = pem("PRIVATE", "MC4CAQAwBQYDK2VwBCIEIJ1hsZ3v/VpguoRK9JLsLMREScVpezJpGXA7rAMcrn9g")


@pytest.fixture
def keys(pipeline):
    """Files with the keys; the option that a trainer is given."""
    for name, text in (("control.key", PRIVATE), ("control.pub", PUBLIC), ("other.key", STRANGER)):
        path = pipeline.folder / name
        path.write_text(text)
        path.chmod(0o600)
    return ("-s", f"control.signing_key={pipeline.folder / 'control.key'}")


def trust(pipeline):
    pipeline.set("control.trusted_keys", str(pipeline.folder / "control.pub"))


def write_control(pipeline, record):
    producer = Producer({"bootstrap.servers": pipeline.stack.kafka})
    producer.produce(pipeline.topic_name("control"), json.dumps(record).encode())
    assert producer.flush(60) == 0


def test_a_forged_resume_opens_no_gate(pipeline, keys):
    trust(pipeline)
    trainer = pipeline.start("train", *keys, WEIR_CRASH_AT="acknowledged")
    scorer = pipeline.start("score")
    pipeline.start("produce")
    pipeline.drop("first.csv", plane(1))
    pipeline.wait_for_predictions(20, epoch=1)
    pipeline.drop("second.csv", plane(2))
    assert trainer.wait(60) == -signal.SIGKILL
    # Everybody has halted, and nobody is there to end it: now comes somebody who would.
    first = next(record for record in pipeline.control() if record["type"] == "resume")
    forged = {**first, "epoch": 2, "outcome": "failed"}
    write_control(pipeline, forged)
    said = "ignored a forged control record"
    pipeline.wait_until(lambda: said in scorer.stderr, "the scorer has seen the forgery")
    status = json.loads(pipeline.ok("status", "-o", "json"))
    assert status["gate"]["open"] is False, status
    # The trainer goes on as if nothing had been.
    pipeline.start("train", *keys, name="successor")
    pipeline.wait_for_predictions(20, epoch=2)
    pipeline.stop_all()
    code, report = audit(pipeline)
    assert code == 1 and set(found_in(report)) == {"control_forged"}
    assert len(found_in(report)["control_forged"]) == 1
    signed = [record for record in pipeline.control() if record != forged]
    assert all(len(record["signature"]) == 128 for record in signed)
    assert [record["epoch"] for record in signed] == [1, 1, 2, 2]


def test_a_trainer_whom_nobody_would_believe_does_not_start(pipeline, keys):
    trust(pipeline)
    wrong = {
        (): "set control.signing_key",
        ("-s", f"control.signing_key={pipeline.folder / 'other.key'}"): "does not hold the public half",
        ("-s", "control.signing_key=/nowhere.key"): "/nowhere.key: No such file or directory",
        ("-s", f"control.signing_key={pipeline.folder / 'control.pub'}"): "openssl genpkey",
        ("-s", f"control.trusted_keys={pipeline.folder / 'control.key'}"): "openssl pkey",
    }
    for options, sentence in wrong.items():
        done = pipeline.run("train", "--once", *options)
        assert done.returncode == 78, (options, done.stderr)
        assert sentence in done.stderr.decode(), (options, done.stderr)


def test_keys_can_be_given_to_a_pipeline_that_had_none(pipeline, keys):
    pipeline.train_once("first.csv", plane(1))
    trust(pipeline)
    pipeline.drop("second.csv", plane(2))
    refused = pipeline.run("train", "--once", *keys)
    assert refused.returncode == 78, refused.stderr
    assert "control.unsigned_epochs" in refused.stderr.decode()
    assert pipeline.versions() == [1]
    pipeline.set("control.unsigned_epochs", 1)
    pipeline.ok("train", "--once", *keys)
    assert pipeline.versions() == [1, 2]
    pipeline.send([(b"a", b'{"x1": 1, "x2": 2, "x3": 3}')])
    pipeline.ok("score", "--until-end")
    evidence = check_promises(pipeline)
    assert ["signature" in record for _, record in evidence.control] == [False, False, True, True]
