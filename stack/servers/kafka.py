"""Apache Kafka: nodes that are broker and controller both, on 127.0.0.1 alone; one, or three.

Of three, one may be away: topics have three replicas, and two must have a record before it counts.
A secure one (secure.py) takes nobody without a password, and nobody to more than he has a right to.
"""

import base64
import os
import shutil
import socket
import struct
import uuid

import secure
from host import SHORT_RUN, class_path_of, find_java
from server import Server
from toxiproxy import LANES, LISTENER_PORTS, listener_of

LOG_SETTINGS = """\
status=error
appender.out.type=Console
appender.out.name=out
appender.out.layout.type=PatternLayout
appender.out.layout.pattern=%d{ISO8601} %-5p %c{1}: %m%n
rootLogger.level=info
rootLogger.appenderRef.out.ref=out
"""


# How many nodes there can be: a quorum of two would stand still without either of them.
BROKERS = (1, 3)

# The names of the nodes, and so of their folders, logs and pid files.
ALL_NAMES = ("kafka", "kafka-1", "kafka-2", "kafka-3")


def default_ports(brokers):
    """name of each port -> its default, node by node."""
    return {name: port for node in range(1, brokers + 1) for name, port in _ports(brokers, node)}


def _ports(brokers, node):
    ending = "" if brokers == 1 else f"-{node}"
    first = 9092 + 2 * (node - 1)
    return ((f"kafka{ending}", first), (f"controller{ending}", first + 1))


def nodes(stack):
    return [Kafka(stack, node) for node in range(1, stack.brokers + 1)]


def write_cluster_id(stack):
    """One for all nodes, made before the first of them is formatted."""
    path = _cluster_id_file(stack)
    if not os.path.exists(path):
        letters = base64.urlsafe_b64encode(uuid.uuid4().bytes).decode().rstrip("=")
        with open(path + ".tmp", "w") as file:
            file.write(letters.replace("-", "w"))
        os.replace(path + ".tmp", path)


def _cluster_id_file(stack):
    return os.path.join(stack.dir, "kafka-cluster-id")


class Kafka(Server):
    def __init__(self, stack, node):
        self.node = node
        self.ports = dict(_ports(stack.brokers, node))
        if stack.proxies:
            self.ports.update(LISTENER_PORTS)
        self.name = next(iter(self.ports))
        super().__init__(stack)

    def data(self):
        return [self.home, *([secure.folder_of(self.stack)] if self.stack.secure else [])]

    def _controller(self):
        return self.address(list(self.ports)[1])

    def _java(self, options, main_class, *arguments):
        return [
            find_java(),
            *options,
            *self.java_marks(),
            "-Djava.awt.headless=true",
            f"-Dlog4j2.configurationFile={os.path.join(self.home, 'log4j2.properties')}",
            "-cp",
            class_path_of(self.stack.root, "kafka"),
            main_class,
            *arguments,
        ]

    def _settings(self):
        # Few partitions of the internal topics, as each one is created at the first use and that is
        # waited for.
        replicas = self.stack.brokers
        in_sync_min = 1 if replicas == 1 else 2
        voters = (f"{node.node}@{node._controller()}" for node in nodes(self.stack))
        return {
            "process.roles": "broker,controller",
            "node.id": self.node,
            "controller.quorum.voters": ",".join(voters),
            **self._listeners(),
            "log.dirs": os.path.join(self.home, "data"),
            "auto.create.topics.enable": "false",
            "default.replication.factor": replicas,
            "min.insync.replicas": in_sync_min,
            "offsets.topic.replication.factor": replicas,
            "offsets.topic.num.partitions": 4,
            "transaction.state.log.replication.factor": replicas,
            "transaction.state.log.min.isr": in_sync_min,
            "transaction.state.log.num.partitions": 4,
            "share.coordinator.state.topic.replication.factor": replicas,
            "share.coordinator.state.topic.min.isr": in_sync_min,
            "group.initial.rebalance.delay.ms": 0,
            # A broker that was killed may come back only after its old session has ended; 9 s would
            # be usual.
            "broker.session.timeout.ms": 4000,
            "broker.heartbeat.interval.ms": 500,
        }

    def _listeners(self):
        """Who comes by a lane is sent to that lane's proxy; all others come straight."""
        if self.stack.secure:
            own = secure.settings(self.stack, self.address(), self._controller())
            return {**own, "controller.listener.names": "CONTROLLER"}
        lanes = LANES if self.stack.proxies else ()
        names = ["PLAINTEXT", "CONTROLLER", *map(str.upper, lanes)]
        own = [self.address(), self._controller(), *(self.address(listener_of(lane)) for lane in lanes)]
        told = {name: address for name, address in zip(names, own) if name != "CONTROLLER"}
        told.update({lane.upper(): f"127.0.0.1:{self.stack.ports[lane]}" for lane in lanes})
        return {
            "listeners": ",".join(map("{}://{}".format, names, own)),
            "advertised.listeners": ",".join(map("{}://{}".format, told.keys(), told.values())),
            "controller.listener.names": "CONTROLLER",
            "inter.broker.listener.name": "PLAINTEXT",
            "listener.security.protocol.map": ",".join(f"{name}:PLAINTEXT" for name in names),
            **{f"listener.name.{lane}.num.network.threads": 1 for lane in lanes},
        }

    def prepare(self):
        with open(os.path.join(self.home, "log4j2.properties"), "w") as file:
            file.write(LOG_SETTINGS)
        settings = os.path.join(self.home, "server.properties")
        lines = (f"{key}={value}\n".replace("\\", "\\\\") for key, value in self._settings().items())
        secure.write_private(settings, "".join(lines))
        formatted = os.path.join(self.home, "formatted")
        if not os.path.exists(formatted):
            shutil.rmtree(os.path.join(self.home, "data"), ignore_errors=True)
            with open(_cluster_id_file(self.stack)) as file:
                cluster_id = file.read()
            arguments = ["format", "-t", cluster_id, "-c", settings]
            users = os.path.join(self.home, "first-users")
            if self.stack.secure:
                secure.write_first_users(self.stack, users)
                arguments.append("@" + users)
            try:
                self.run_once(
                    "formatting its folder",
                    self._java(SHORT_RUN, "kafka.tools.StorageTool", *arguments),
                )
            finally:
                if self.stack.secure:
                    os.unlink(users)
            open(formatted, "w").close()

    def command(self):
        heap = "-Xmx1g" if self.stack.brokers == 1 else "-Xmx400m"
        return (
            self._java([heap], "kafka.Kafka", os.path.join(self.home, "server.properties")),
            None,
        )

    def trouble(self):
        """Asks for the brokers of the cluster: this one is among them once it serves."""
        try:
            with socket.create_connection(("127.0.0.1", self.port()), timeout=2) as plain:
                with self._logged_in(plain) as sock:
                    answer = _ask(sock, METADATA, struct.pack(">i", 0))  # of no topic
        except (OSError, ValueError) as error:
            return f"no answer at {self.address()} ({error})"
        if self.node not in _broker_ids(answer):
            return f"{self.address()} answers, but is not yet a member of its cluster"
        return None

    def _logged_in(self, plain):
        if not self.stack.secure:
            return plain
        sock = secure.wrap(self.stack, plain)
        login = secure.ScramLogin(secure.ADMIN, secure.password_of(self.stack, secure.ADMIN))
        mechanism = secure.MECHANISM.encode()
        _ask(sock, SASL_HANDSHAKE, struct.pack(">h", len(mechanism)) + mechanism)
        _say(sock, login.final(_say(sock, login.first())))
        return sock


# (number, version) of a request.
METADATA = (3, 1)
SASL_HANDSHAKE = (17, 1)
SASL_AUTHENTICATE = (36, 0)


def _ask(sock, kind, body):
    """The answer to a request, without the correlation id; ValueError if it is none of Kafka's."""
    request = struct.pack(">hhih", *kind, 7, -1) + body  # correlation id 7, no client id
    sock.sendall(struct.pack(">i", len(request)) + request)
    answer = _receive(sock)
    if answer[:4] != struct.pack(">i", 7):
        raise ValueError("what comes is not an answer of Kafka's")
    return answer[4:]


def _say(sock, words):
    """What the server says to one message of a login."""
    answer = _ask(sock, SASL_AUTHENTICATE, struct.pack(">i", len(words)) + words)
    try:
        error, reason_length = struct.unpack_from(">hh", answer)
        at = 4 + max(reason_length, 0)
        (length,) = struct.unpack_from(">i", answer, at)
    except struct.error:
        raise ValueError("an answer to a login that is cut short") from None
    if error != 0:
        raise ValueError("it does not take our password")
    return answer[at + 4 : at + 4 + length]


def _receive(sock):
    """One answer, without its length."""
    data = b""
    while len(data) < 4 or len(data) < 4 + struct.unpack(">i", data[:4])[0]:
        received = sock.recv(65536)
        if not received or len(data) > 1_000_000:
            break
        data += received
    return data[4:]


def _broker_ids(answer):
    """The node ids in an answer to Metadata, version 1."""
    found = set()
    try:
        (count,) = struct.unpack_from(">i", answer, 0)
        at = 4
        for _ in range(count):
            node, host_length = struct.unpack_from(">ih", answer, at)
            at += 6 + host_length + 4
            (rack_length,) = struct.unpack_from(">h", answer, at)
            at += 2 + max(rack_length, 0)
            found.add(node)
    except struct.error:
        pass
    return found
