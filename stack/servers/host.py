"""What the servers need to know of this machine: its processes, its ports, its Java."""

import glob
import json
import os
import random
import re
import shutil
import signal
import socket
import time


class Trouble(Exception):
    """Something to tell the user: what was tried, why it failed and what to do."""


# --- Processes ------------------------------------------------------------------------------------


def _boot_id():
    with open("/proc/sys/kernel/random/boot_id") as file:
        return file.read().strip()


def _start_ticks(pid):
    """When the process started, in ticks since the machine did; None if it has ended.

    It has ended when its last thread has. A first thread that is gone is a zombie even while others
    are dying, and those hold the ports and files of the process until they are done.
    """
    try:
        with open(f"/proc/{pid}/stat") as file:
            fields = file.read().rpartition(")")[2].split()
    except OSError:
        return None
    threads = int(fields[17])
    return None if fields[0] in "ZX" and threads <= 1 else int(fields[19])


class PidFile:
    """Names one process and no other.

    A pid alone may by now belong to a stranger, so the time of its start is kept with it.
    """

    def __init__(self, path):
        self._path = path

    def write(self, pid):
        record = {"pid": pid, "start_ticks": _start_ticks(pid), "boot": _boot_id()}
        with open(self._path + ".tmp", "w") as file:
            json.dump(record, file)
        os.replace(self._path + ".tmp", self._path)

    def _read(self):
        try:
            with open(self._path) as file:
                return json.load(file)
        except (OSError, ValueError):
            return None

    def exists(self):
        return os.path.exists(self._path)

    def remove(self):
        if self.exists():
            os.unlink(self._path)

    def live_pid(self):
        record = self._read()
        if not record or record["start_ticks"] is None or record["boot"] != _boot_id():
            return None
        return record["pid"] if _start_ticks(record["pid"]) == record["start_ticks"] else None

    def send(self, number):
        pid = self.live_pid()
        if pid is not None:
            try:
                os.kill(pid, number)
            except ProcessLookupError:
                pass

    def wait_until_gone(self, seconds_max):
        deadline = time.monotonic() + seconds_max
        while self.live_pid() is not None:
            if time.monotonic() > deadline:
                return False
            time.sleep(0.02)
        return True

    def stop(self, seconds_max, at_once=False):
        """SIGTERM, then SIGKILL. Returns how it went, or None if nothing ran."""
        if self.live_pid() is None:
            self.remove()
            return None
        how = "killed" if at_once else "stopped"
        self.send(signal.SIGKILL if at_once else signal.SIGTERM)
        if not self.wait_until_gone(seconds_max):
            how = f"killed, as it did not stop within {seconds_max} s"
            self.send(signal.SIGKILL)
            if not self.wait_until_gone(10):
                raise Trouble(f"process {self.live_pid()} does not go away, not even by SIGKILL")
        self.remove()
        return how


# --- Ports ----------------------------------------------------------------------------------------


def port_is_free(port):
    with socket.socket() as sock:
        sock.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            sock.bind(("127.0.0.1", port))
        except OSError:
            return False
    return True


def pick_free_port(taken):
    """Picks from below the ports of outgoing connections, or one of those might get it first."""
    for _ in range(1000):
        port = random.randrange(15000, 32000)
        if port not in taken and port_is_free(port):
            return port
    raise Trouble("found no free port between 15000 and 32000 on 127.0.0.1")


def _command_line(pid):
    with open(f"/proc/{pid}/cmdline", "rb") as file:
        return file.read().replace(b"\0", b" ").decode(errors="replace").strip()


def describe_holder(port):
    """Says which process listens on the port, as far as this user may know."""
    inodes = set()
    for table in ("/proc/net/tcp", "/proc/net/tcp6"):
        try:
            with open(table) as file:
                for line in list(file)[1:]:
                    fields = line.split()
                    if fields[3] == "0A" and int(fields[1].rpartition(":")[2], 16) == port:
                        inodes.add(f"socket:[{fields[9]}]")
        except OSError:
            pass
    for link in glob.glob("/proc/[0-9]*/fd/*"):
        try:
            if os.readlink(link) in inodes:
                pid = int(link.split("/")[2])
                command = _command_line(pid)
                stack = re.search(r"-Dweir\.stack=(\S+)", command)
                if stack:
                    return f"process {pid}, a server of the stack in {stack[1]}"
                return f"process {pid} ({command[:100]})"
        except OSError:
            pass
    return "a process that this user may not see"


# --- Java -----------------------------------------------------------------------------------------

# Options for a program that ends after a second or two: no time to pay back a thorough compiler.
SHORT_RUN = ["-Xmx256m", "-XX:+UseSerialGC", "-XX:TieredStopAtLevel=1"]


def _java_version(java):
    """The major version, from a file that each Java carries: asking Java itself is slow."""
    home = os.path.dirname(os.path.dirname(os.path.realpath(java)))
    try:
        with open(os.path.join(home, "release")) as file:
            found = re.search(r'^JAVA_VERSION="(\d+)', file.read(), re.M)
            return int(found[1]) if found else 0
    except OSError:
        return 0


def find_java():
    candidates = sorted(glob.glob("/usr/lib/jvm/java-17-openjdk-*/bin/java"))
    if os.environ.get("JAVA_HOME"):
        candidates.append(os.path.join(os.environ["JAVA_HOME"], "bin", "java"))
    candidates.append(shutil.which("java") or "")
    for java in candidates:
        if os.access(java, os.X_OK) and 17 <= _java_version(java) <= 21:
            return java
    raise Trouble(
        "found no Java 17 to 21, which Kafka and HDFS need. Run stack/setup, which installs it."
    )


def class_path_of(root, name):
    jars = os.path.join(root, ".weir", "deps", name)
    if not os.path.exists(os.path.join(jars, ".ready")):
        raise Trouble(
            f"the jars of {name} are not there ({jars}). Run stack/setup, which fetches them."
        )
    return os.path.join(os.path.realpath(jars), "*")
