"""A Kafka by TLS and SCRAM with an authorizer: the table of rights in docs/security.md, no more and no less.

Each role is a process of its own under a user of its own. Where a right is taken away, another user is
made, so that many of them are tried side by side.
"""

import json
import re
import socket
import ssl
import stat
import struct
import subprocess
import uuid
from dataclasses import replace

import pytest
from confluent_kafka import KafkaError, KafkaException, Producer
from confluent_kafka.admin import AdminClient

from support.kafka import log_ends, send_all
from support.pipeline import Pipeline
from support.secure import KINDS, Right, SecureKafka, documented_rights, least_rights
from support.stack import stack_command, stack_in
from support.tables import plane
from support.waiting import wait_until

pytestmark = pytest.mark.xdist_group("secure stack")

EXIT_DENIED = 74
ROLES_OF_RUN = ("trainer", "scorer", "producer", "gateway")
COMMAND_OF_ROLE = {
    "trainer": "train",
    "scorer": "score",
    "producer": "produce",
    "watcher": "watch",
    "gateway": "serve",
}


@pytest.fixture(scope="module")
def secure_stack(stack):
    # At a known place, so that what a run that was killed left behind is found.
    directory = stack.directory / "secure"
    if directory.exists():
        stack_command("down", directory, "--kill", "--wipe")
    stack_command(
        "up", directory, "--only", "kafka", "--secure", "--ports", "auto", seconds=300
    )
    of_kafka = stack_in(directory)
    yield replace(stack, directory=directory, kafka=of_kafka.kafka, kafka_admin=of_kafka.kafka_admin)
    stack_command("down", directory, "--kill", "--wipe")


@pytest.fixture(scope="module")
def kafka(secure_stack):
    return SecureKafka(secure_stack)


@pytest.fixture
def make_pipelines(kafka, secure_stack, tmp_path):
    """Makes pipelines whose topics are there; what they started ends with the test."""
    made = []

    def make(count, partitions=1):
        fresh = []
        for _ in range(count):
            name = f"secured-{uuid.uuid4().hex[:8]}"
            folder = tmp_path / name
            folder.mkdir()
            fresh.append(Pipeline(name, secure_stack, folder))
            properties = secure_stack.kafka_client()
            properties.pop("sasl.username")
            properties.pop("sasl.password")
            fresh[-1].set("kafka", {**properties, "session.timeout.ms": 6000})
        made.extend(fresh)
        kafka.make_topics([pipeline.name for pipeline in fresh], partitions)
        return fresh

    yield make
    for pipeline in made:
        pipeline.close()
        pipeline.hdfs.delete(pipeline.root)


def login(user):
    name, password = user
    return {"WEIR_KAFKA_SASL_USERNAME": name, "WEIR_KAFKA_SASL_PASSWORD": password}


def with_least_rights(kafka, pipeline, *roles):
    """role -> a user with just what the table gives it"""
    users = kafka.make_users([[(right, pipeline.name) for right in least_rights(r)] for r in roles])
    return dict(zip(roles, users))


def assert_names(text, user, right, pipeline):
    """The right, whose it is, and how to grant it."""
    name = right.name_in(pipeline.name)
    found = re.search(rf"denies user '{user[0]}': [^;]*\b{right.operation} on {right.resource} {name}", text)
    assert found, f"{right}:\n{text[-3000:]}"
    grant = f"--operation {right.operation} --{right.resource} {name}"
    assert f"--allow-principal User:{user[0]}" in text and grant in text, text[-3000:]


def assert_ends_for_want_of(right, process, user, pipeline):
    assert process.wait(60) == EXIT_DENIED, f"{right}:\n{process.stderr[-3000:]}"
    assert_names(process.stderr, user, right, pipeline)
    pipeline.processes.remove(process)  # or waiting for others would take it for a failure


# ---- the whole job ----


@pytest.mark.long
def test_the_whole_job_runs_with_each_role_under_a_user_of_just_its_rights(kafka, make_pipelines):
    (pipeline,) = make_pipelines(1, partitions=2)
    users = with_least_rights(
        kafka, pipeline, "trainer", "scorer", "producer", "watcher", "auditor", "operator"
    )

    def start(role, *options):
        return pipeline.start(COMMAND_OF_ROLE[role], "--verbose", *options, **login(users[role]))

    processes = [start("trainer"), start("scorer"), start("producer", "--rate", "100")]
    processes.append(start("watcher"))
    pipeline.drop("first.csv", plane(1))
    pipeline.wait_for_predictions(30, epoch=1)
    pipeline.drop("second.csv", plane(2))
    pipeline.wait_for_predictions(30, epoch=2)
    pipeline.ok("models", "rollback", "1", **login(users["operator"]))
    pipeline.wait_for_predictions(30, epoch=3)
    used = f"{pipeline.dataset_path}/used/second.2.csv"
    pipeline.ok("train", "--now", used, **login(users["operator"]))
    pipeline.wait_for_predictions(30, epoch=4)

    auditor = login(users["auditor"])
    status = json.loads(pipeline.ok("status", "-o", "json", **auditor))
    assert status["model"] == 4 and status["epoch"] == 4
    assert {member["role"] for member in status["members"]} == {
        *("scorer", "producer", "trainer", "watcher")
    }
    assert len(status["partitions"]) == 2
    assert "live" in pipeline.ok("models", "list", **auditor)
    shown = json.loads(pipeline.ok("models", "show", "2", "-o", "json", **auditor))
    assert "2" in json.dumps(shown)

    passwords = [password for _, password in users.values()]
    for process in processes:
        with open(f"/proc/{process.pid}/cmdline") as file:
            assert not any(password in file.read() for password in passwords)
    assert processes[2].stop()[0] == 0
    pipeline.wait_until_all_scored()
    pipeline.stop_all()
    report = json.loads(pipeline.ok("audit", "-o", "json", **auditor))
    assert report["breaches"] == 0 and report["counts"]["epochs"] == 4
    assert report["counts"]["compared"] == report["counts"]["features"] >= 90

    said = "".join(process.stdout + process.stderr for process in processes)
    shown = pipeline.ok("config", "show", **login(users["scorer"]))
    shown += pipeline.ok("config", "show", "-o", "json", **login(users["scorer"]))
    assert users["scorer"][0] in shown and "********" in shown
    assert not any(password in said + shown for password in passwords)


def test_what_the_documents_grant_to_run_doctor_and_replay_is_enough(kafka, make_pipelines):
    (pipeline,) = make_pipelines(1)

    def grant(*rights):
        (user,) = kafka.make_users([[(right, pipeline.name) for right in rights]])
        return login(user)

    def on_topic(operation, kind):
        return Right("other", operation, "topic", f"<pipeline>.{kind}")

    everything = {
        (right.operation, right.name): right
        for role in ROLES_OF_RUN
        for right in least_rights(role)
    }
    pipeline.drop("first.csv", plane(1))
    running = pipeline.start("run", "--rate", "100", **grant(*everything.values()))
    pipeline.wait_for_predictions(30)
    assert running.stop()[0] == 0

    doctor = grant(on_topic("Read", "control"), *(on_topic("Describe", kind) for kind in KINDS))
    pipeline.ok("doctor", **doctor)

    again = ("replay", "replay.dead")
    id_of_replay = f"<pipeline>.replay.{pipeline.name}.replay"
    rights = [
        on_topic("Read", "features"),
        *(on_topic("Write", kind) for kind in again),
        Right("other", "Write", "transactional-id", id_of_replay),
    ]
    replay = ("score", "--from", "earliest", "--model", "1", "--to", pipeline.topic_name("replay"))
    for kind in again:
        pipeline.admin.create_topic(pipeline.topic_name(kind), 1)
    pipeline.ok(*replay, **grant(*rights, *(on_topic("Read", kind) for kind in again)))


# ---- each right, taken away ----


def test_the_table_has_every_role():
    roles = [right.role for right in documented_rights()]
    assert {role: roles.count(role) for role in roles} == {
        "trainer": 9,
        "scorer": 10,
        "producer": 3,
        "watcher": 6,
        "gateway": 10,
        "auditor": 7,
        "operator": 3,
    }


def command_that_needs(right):
    if right.role in COMMAND_OF_ROLE:
        return (COMMAND_OF_ROLE[right.role],)
    if right.role == "operator":
        asks_for_answer = (right.operation, right.kind()) == ("Read", "members")
        return ("train", "--now") if asks_for_answer else ("models", "rollback", "1")
    return ("status",) if right.kind() == "members" else ("audit",)


def test_without_any_one_right_a_role_does_not_begin_and_says_which(kafka, make_pipelines):
    (pipeline,) = make_pipelines(1)
    # A rollback wants a model, and an audit something to look at.
    trainer = with_least_rights(kafka, pipeline, "trainer")["trainer"]
    pipeline.drop("first.csv", plane(1))
    pipeline.ok("train", "--once", "--quiet", **login(trainer))

    # This one is missed only when a scorer does not halt: see the test of roles at work.
    rights = [r for r in documented_rights() if (r.role, r.kind()) != ("trainer", "scorer-*")]
    users = kafka.make_users(
        [
            [(other, pipeline.name) for other in least_rights(right.role) if other != right]
            for right in rights
        ]
    )
    begun = []
    for right, user in zip(rights, users):
        command = command_that_needs(right)
        name = "-".join((right.role, right.operation, right.kind()))
        # Two gateways do not share a folder.
        own = {"WEIR_SERVE_STATE_DIR": str(pipeline.folder / name)}
        begun.append(pipeline.start(*command, name=name, **login(user), **own))
        if len(begun) % 8 == 0:  # as many at a time as a small machine likes
            for process in begun:
                process.wait(90)
    for right, user, process in zip(rights, users, begun):
        assert_ends_for_want_of(right, process, user, pipeline)


def test_all_rights_that_are_missing_are_named_at_once(kafka, make_pipelines):
    (pipeline,) = make_pipelines(1)
    (nobody,) = kafka.make_users([[]])
    done = pipeline.run("score", **login(nobody))
    assert done.returncode == EXIT_DENIED
    for right in least_rights("scorer"):
        if right.resource == "topic":
            assert f"{right.operation} on topic {right.name_in(pipeline.name)}" in done.stderr.decode()


def test_where_topics_are_missing_the_right_to_make_them_is_named(kafka, make_pipelines):
    (pipeline,) = make_pipelines(1)
    producer = with_least_rights(kafka, pipeline, "producer")["producer"]
    pipeline.admin.delete_pipeline(f"{pipeline.name}.features")
    done = pipeline.run("produce", **login(producer))
    topic = f"{pipeline.name}.features"
    assert done.returncode == EXIT_DENIED, done.stderr
    assert f"Create on topic {topic};" in done.stderr.decode()
    assert f"--operation Create --topic {topic}" in done.stderr.decode()


@pytest.mark.long
def test_a_role_at_work_that_loses_a_right_ends_and_says_which(kafka, make_pipelines):
    # What a trainer says of itself to weir status it need not say: it goes on without.
    of_trainer = [
        right
        for right in least_rights("trainer")
        if (right.operation, right.kind()) != ("Write", "members")
    ]
    # Predictions and dead letters are read before a first start alone.
    of_scorer = [
        right
        for right in least_rights("scorer")
        if (right.operation, right.kind()) not in (("Read", "predictions"), ("Read", "dead"))
    ]
    of_producer = least_rights("producer")
    pipelines = make_pipelines(len(of_trainer))
    assert len(of_scorer) == len(pipelines)

    def begin(rights):
        """A role in each pipeline, with all its rights; (pipeline, user, the right that it will lose, process)"""
        role = rights[0].role
        mine = least_rights(role)
        users = kafka.make_users(
            [[(each, pipeline.name) for each in mine] for pipeline, _ in zip(pipelines, rights)]
        )
        return [
            (pipeline, user, right, pipeline.start(COMMAND_OF_ROLE[role], **login(user)))
            for pipeline, user, right in zip(pipelines, users, rights)
        ]

    def take_away(roles):
        kafka.take_away([(user[0], right, pipeline.name) for pipeline, user, right, _ in roles])

    for pipeline in pipelines:
        pipeline.set("train.halt_timeout", "1s")
        pipeline.drop("first.csv", plane(1))
    trainers = begin(of_trainer)
    for pipeline in pipelines:
        pipeline.wait_for_resume(1)
    scorers = begin(of_scorer)
    for pipeline, *_ in scorers:
        pipeline.wait_for("members", tells_of("partitions"), "the scorer has its partition")
    # Rows: what a scorer does with its first ones is asked for when its right is gone.
    take_away(scorers)
    for pipeline in pipelines:
        good, bad = b'{"x1": 1, "x2": 2, "x3": 3}', b"no row"
        pipeline.send([(b"k", good), (b"k", bad)] * 20)
    for pipeline, user, right, process in scorers:
        assert_ends_for_want_of(right, process, user, pipeline)

    producers = begin(of_producer)
    for pipeline, *_ in producers:
        pipeline.wait_for("members", tells_of("model", "producer"), "the producer has its rows")
    take_away(producers)
    for pipeline, user, right, process in producers:
        assert_ends_for_want_of(right, process, user, pipeline)

    # What one scorer left undone another one does, once.
    another = with_least_rights(kafka, pipelines[0], "scorer", "auditor")
    pipelines[0].ok("score", "--until-end", **login(another["scorer"]))
    report = json.loads(pipelines[0].ok("audit", "-o", "json", **login(another["auditor"])))
    assert report["breaches"] == 0 and report["counts"]["dead_letters"] == 20

    take_away(trainers)
    for pipeline in pipelines:
        leave_a_scorer_that_will_not_halt(kafka, pipeline)
        pipeline.drop("second.csv", plane(2))
    for pipeline, user, right, process in trainers:
        if right.kind() in ("predictions", "dead"):
            # It watches them, and decides nothing by them.
            wait_until(lambda p=pipeline: resumed(p, 2), f"{right}: epoch 2 has ended")
            assert f"Describe on topic {right.name_in(pipeline.name)};" in process.stderr
            assert process.stop()[0] == 0
        else:
            assert_ends_for_want_of(right, process, user, pipeline)


def tells_of(member_field, role="scorer"):
    """Whether a member of the role has said something of this kind."""

    def look(records):
        told = [json.loads(record.value) for record in records]
        return any(record.get(member_field) for record in told if record.get("role") == role)

    return look


def resumed(pipeline, epoch):
    return any(r["type"] == "resume" and r["epoch"] == epoch for r in pipeline.control())


def leave_a_scorer_that_will_not_halt(kafka, pipeline):
    ghost = {
        "type": "alive",
        "member": "scorer-ghost",
        "role": "scorer",
        "transactional_id": f"{pipeline.name}.scorer-ghost",
    }
    record = (b"scorer-ghost", json.dumps(ghost).encode())
    send_all(kafka.stack.kafka_client(), pipeline.topic_name("members"), [record])


# ---- the control log ----


def refusal_of(client, topic):
    """What the broker says to a record on this topic."""
    told = []
    producer = Producer({**client, "log_level": 0})
    producer.produce(topic, b"{}", on_delivery=lambda error, _: told.append(error))
    assert producer.flush(60) == 0
    return told[0]


def refusal_of_id(client, transactional_id):
    producer = Producer({**client, "log_level": 0, "transactional.id": transactional_id})
    with pytest.raises(KafkaException) as raised:
        producer.init_transactions(60)
    return raised.value.args[0].code()


def test_nobody_but_the_trainer_writes_to_the_control_log_or_takes_its_transactional_id(
    kafka, make_pipelines
):
    (pipeline,) = make_pipelines(1)
    control = pipeline.topic_name("control")
    roles = ("trainer", "scorer", "producer", "watcher", "auditor", "operator")
    clients = {
        role: kafka.properties(*user)
        for role, user in with_least_rights(kafka, pipeline, *roles).items()
    }
    trainer = clients.pop("trainer")
    for role, client in clients.items():
        error = refusal_of(client, control)
        assert error is not None, f"{role} has written to the control log"
        assert error.code() == KafkaError.TOPIC_AUTHORIZATION_FAILED, role
        code = refusal_of_id(client, f"{pipeline.name}.trainer")
        assert code == KafkaError.TRANSACTIONAL_ID_AUTHORIZATION_FAILED, role
    assert log_ends(kafka.stack.kafka_client(), control) == {0: 0}
    assert refusal_of(trainer, control) is None
    assert log_ends(kafka.stack.kafka_client(), control) == {0: 1}


# ---- who is let in at all ----


def test_a_login_that_is_not_taken_is_told_within_seconds(kafka, make_pipelines):
    (pipeline,) = make_pipelines(1)
    user = with_least_rights(kafka, pipeline, "scorer")["scorer"]
    stranger = pipeline.folder / "stranger.pem"
    subprocess.run(
        ["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1"]
        + ["-nodes", "-keyout", stranger.with_suffix(".key"), "-out", stranger]
        + ["-subj", "/CN=stranger"],
        check=True,
        capture_output=True,
    )
    cases = {
        "password": ((), {**login(user), "WEIR_KAFKA_SASL_PASSWORD": "guessed"}),
        "authority": (("-X", f"ssl.ca.location={stranger}"), login(user)),
        "plain": (("-X", "security.protocol=PLAINTEXT"), login(user)),
    }
    expected = {
        "password": (74, "SASL authentication error", "kafka.sasl.password"),
        "authority": (78, "certificate verify failed", "ssl.ca.location"),
        "plain": (69, "kafka.security.protocol, 'plaintext'", pipeline.stack.kafka),
    }
    processes = {
        (case, command): pipeline.start(command, *options, name=f"{case}-{command}", **variables)
        for case, (options, variables) in cases.items()
        for command in ("score", "audit")
    }
    for (case, command), process in processes.items():
        code, *words = expected[case]
        assert process.wait(30) == code, f"{case} {command}:\n{process.stderr}"
        assert all(word in process.stderr for word in words), f"{case} {command}:\n{process.stderr}"
        assert "guessed" not in process.stderr


def test_a_password_on_the_command_line_is_warned_of_and_not_repeated(pipeline):
    done = pipeline.run("config", "check", "-X", "sasl.password=hush", "-s", "kafka.ssl.key.password=hush")
    text = (done.stdout + done.stderr).decode()
    assert done.returncode == 0 and "kafka.sasl.password" in text and "kafka.ssl.key.password" in text
    assert "every user of this machine" in text and "hush" not in text


def request(number, version, body=b""):
    words = struct.pack(">hhih", number, version, 7, -1) + body
    return struct.pack(">i", len(words)) + words


METADATA_OF_ALL = request(3, 1, struct.pack(">i", -1))


def answer_to(port, context=None):
    """What a listener says to a request for all topics, without a login; b'' where it hangs up."""
    with socket.create_connection(("127.0.0.1", port), timeout=10) as sock:
        try:
            if context:
                sock = context.wrap_socket(sock, server_hostname="127.0.0.1")
            sock.sendall(METADATA_OF_ALL)
            return sock.recv(65536)
        except (ssl.SSLError, ConnectionError):
            return b""


def test_without_a_password_no_door_opens(secure_stack, kafka, make_pipelines):
    make_pipelines(1)
    ports = json.loads((secure_stack.directory / "ports.json").read_text())
    secrets = secure_stack.directory / "secrets"
    trusting = ssl.create_default_context(cafile=str(secrets / "ca.pem"))
    for door in ("kafka", "controller"):
        for context in (None, trusting):
            answer = answer_to(ports[door], context)
            assert not answer.startswith(b"\0") and b"secured-" not in answer, (door, context, answer)
    # A password opens the door for clients only, and shows nothing that was not granted.
    (nobody,) = kafka.make_users([[]])
    client = {**kafka.properties(*nobody), "log_level": 0}
    assert not AdminClient(client).list_topics(timeout=30).topics
    with pytest.raises(KafkaException):
        AdminClient(
            {**client, "bootstrap.servers": f"127.0.0.1:{ports['controller']}"}
        ).list_topics(timeout=2)


def test_the_secure_broker_listens_on_loopback_and_keeps_its_secrets_to_itself(secure_stack):
    ports = json.loads((secure_stack.directory / "ports.json").read_text())
    heard = set()
    for table in ("/proc/net/tcp", "/proc/net/tcp6"):
        with open(table) as file:
            for line in list(file)[1:]:
                address, state = line.split()[1], line.split()[3]
                if state == "0A" and int(address.rpartition(":")[2], 16) in (
                    ports["kafka"],
                    ports["controller"],
                ):
                    heard.add(address.rpartition(":")[0])
    # Java binds an IPv4 address on an IPv6 socket.
    assert heard and heard <= {"0100007F", "0000000000000000FFFF00000100007F"}, heard

    secrets = secure_stack.directory / "secrets"
    assert stat.S_IMODE(secrets.stat().st_mode) == 0o700
    for path in secrets.iterdir():
        assert stat.S_IMODE(path.stat().st_mode) == 0o600, path
    settings = secure_stack.directory / "kafka/server.properties"
    assert stat.S_IMODE(settings.stat().st_mode) == 0o600
    passwords = [path.read_text() for path in secrets.glob("*.password")]
    assert len(passwords) == 2 and all(len(password) >= 32 for password in passwords)
    private = [path for path in secrets.iterdir() if "PRIVATE KEY" in path.read_text()]
    assert [path.name for path in private] == ["broker.pem"], "the authority's key is gone"
    record = json.loads((secure_stack.directory / "pids/kafka").read_text())
    with open(f"/proc/{record['pid']}/cmdline") as file:
        assert not any(password in file.read() for password in passwords)
    log = (secure_stack.directory / "logs/kafka.log").read_text(errors="replace")
    assert not any(password in log for password in passwords)
