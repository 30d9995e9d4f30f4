"""Apache Kafka: one process that is broker and controller, on 127.0.0.1 alone."""

import base64
import os
import shutil
import socket
import struct
import uuid

from host import SHORT_RUN, class_path_of, find_java
from server import Server

LOG_SETTINGS = """\
status=error
appender.out.type=Console
appender.out.name=out
appender.out.layout.type=PatternLayout
appender.out.layout.pattern=%d{ISO8601} %-5p %c{1}: %m%n
rootLogger.level=info
rootLogger.appenderRef.out.ref=out
"""


class Kafka(Server):
    name = "kafka"
    ports = {"kafka": 9092, "controller": 9093}

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
        # One replica of everything, as there is one broker. Few partitions of the internal topics,
        # as each one is created at the first use and that is waited for.
        return {
            "process.roles": "broker,controller",
            "node.id": 1,
            "controller.quorum.voters": f"1@{self.address('controller')}",
            "listeners": f"PLAINTEXT://{self.address()},CONTROLLER://{self.address('controller')}",
            "advertised.listeners": f"PLAINTEXT://{self.address()}",
            "controller.listener.names": "CONTROLLER",
            "listener.security.protocol.map": "PLAINTEXT:PLAINTEXT,CONTROLLER:PLAINTEXT",
            "log.dirs": os.path.join(self.home, "data"),
            "auto.create.topics.enable": "false",
            "default.replication.factor": 1,
            "offsets.topic.replication.factor": 1,
            "offsets.topic.num.partitions": 4,
            "transaction.state.log.replication.factor": 1,
            "transaction.state.log.min.isr": 1,
            "transaction.state.log.num.partitions": 4,
            "share.coordinator.state.topic.replication.factor": 1,
            "share.coordinator.state.topic.min.isr": 1,
            "group.initial.rebalance.delay.ms": 0,
            # A broker that was killed may come back only after its old session has ended; 9 s would
            # be usual.
            "broker.session.timeout.ms": 4000,
            "broker.heartbeat.interval.ms": 500,
        }

    def prepare(self):
        with open(os.path.join(self.home, "log4j2.properties"), "w") as file:
            file.write(LOG_SETTINGS)
        settings = os.path.join(self.home, "server.properties")
        with open(settings, "w") as file:
            for key, value in self._settings().items():
                file.write(f"{key}={str(value)}\n".replace("\\", "\\\\"))
        formatted = os.path.join(self.home, "formatted")
        if not os.path.exists(formatted):
            shutil.rmtree(os.path.join(self.home, "data"), ignore_errors=True)
            cluster_id = (
                base64.urlsafe_b64encode(uuid.uuid4().bytes).decode().rstrip("=").replace("-", "w")
            )
            self.run_once(
                "formatting its folder",
                self._java(
                    SHORT_RUN, "kafka.tools.StorageTool", "format", "-t", cluster_id, "-c", settings
                ),
            )
            open(formatted, "w").close()

    def command(self):
        return (
            self._java(["-Xmx1g"], "kafka.Kafka", os.path.join(self.home, "server.properties")),
            None,
        )

    def trouble(self):
        """Asks what every client asks first, the API versions: answered once the broker serves."""
        request = struct.pack(
            ">hhih", 18, 0, 7, -1
        )  # ApiVersions, version 0, correlation id 7, no client id
        try:
            with socket.create_connection(("127.0.0.1", self.port()), timeout=2) as sock:
                sock.sendall(struct.pack(">i", len(request)) + request)
                answer = sock.recv(10)
        except OSError as error:
            return f"no answer at {self.address()} ({error})"
        if len(answer) < 10 or struct.unpack(">ih", answer[4:10]) != (7, 0):
            return f"an answer at {self.address()} that is not Kafka's"
        return None
