"""The servers: those whose addresses are in the environment, or a stack of a test's own."""

import os
import subprocess
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).resolve().parents[3]
WEIR = Path(os.environ.get("WEIR_BIN", ROOT / "build/release/src/cli/weir"))


@dataclass(frozen=True)
class Stack:
    directory: Path
    kafka: str
    namenode_http: str
    datanode_http: str
    hadoop_conf_dir: str
    redis: str | None = None  # of a stack that has one
    toxiproxy: str | None = None  # of a stack that has proxies
    kafka_admin: str = ""  # a file of librdkafka's properties, where Kafka asks who is there

    def kafka_client(self):
        """The properties of a client that may do everything."""
        properties = {"bootstrap.servers": self.kafka}
        if self.kafka_admin:
            properties.update(_parse(Path(self.kafka_admin).read_text()))
        return properties


def _parse(text):
    return dict(line.split("=", 1) for line in text.splitlines() if "=" in line)


def _of_variables(variables):
    return Stack(
        Path(variables["WEIR_STACK_DIR"]),
        variables["WEIR_STACK_KAFKA"],
        variables["WEIR_STACK_NAMENODE_HTTP"],
        variables["WEIR_STACK_DATANODE_HTTP"],
        variables["HADOOP_CONF_DIR"],
        variables.get("WEIR_STACK_REDIS"),
        variables.get("WEIR_STACK_TOXIPROXY"),
        variables.get("WEIR_STACK_KAFKA_ADMIN", ""),
    )


def running_stack():
    """What test.sh exported, else the stack of this clone."""
    if "WEIR_STACK_KAFKA" in os.environ:
        return _of_variables(os.environ)
    return stack_in(ROOT / ".weir/stack")


def stack_in(directory):
    settings = directory / "stack.env"
    if not settings.exists():
        raise RuntimeError(f"no stack in {directory}: run stack/up first")
    return _of_variables(_parse(settings.read_text()))


def stack_command(command, directory, *arguments, seconds=180):
    done = subprocess.run(
        [ROOT / "stack" / command, "--dir", directory, *arguments],
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        timeout=seconds,
    )
    assert done.returncode == 0, f"stack/{command}: {done.stdout}{done.stderr}"
