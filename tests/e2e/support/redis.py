"""A Redis of a test's own, which may be killed, stopped and written to; and as much of a client as that takes."""

import shutil
import signal
import socket
import subprocess

from support.waiting import wait_until


def executable():
    # Debian's redis-tools holds the whole server in redis-check-rdb, which looks at the name that
    # it is called by.
    found = shutil.which("redis-server") or shutil.which("redis-check-rdb")
    assert found, "this machine has no redis-server: run stack/setup"
    return found


def _free_port():
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


class RedisServer:
    def __init__(self, folder, *options):
        self.port = _free_port()
        self._folder = folder
        self._options = options
        self._process = None
        self.start()

    @property
    def address(self):
        return f"127.0.0.1:{self.port}"

    def start(self):
        self._process = subprocess.Popen(
            ["redis-server", "--bind", "127.0.0.1", "--port", str(self.port), "--save", "",
             "--appendonly", "no", "--daemonize", "no", "--set-proc-title", "no",
             "--dir", str(self._folder), *self._options],
            executable=executable(),
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
        )
        wait_until(self._answers, f"redis answers at {self.address}")

    def _answers(self):
        assert self._process.poll() is None, "redis-server has ended"
        try:
            return self.call("PING") == b"PONG"
        except OSError:
            return False

    def call(self, *words):
        return self.calls([words])[0]

    def calls(self, commands):
        """All at once; a refusal is an answer, as a text that begins with '-'."""
        with socket.create_connection(("127.0.0.1", self.port), timeout=60) as connection:
            parts = []
            for words in commands:
                parts.append(b"*%d\r\n" % len(words))
                for word in words:
                    word = word if isinstance(word, bytes) else str(word).encode()
                    parts.append(b"$%d\r\n%s\r\n" % (len(word), word))
            connection.sendall(b"".join(parts))
            reader = connection.makefile("rb")
            return [_reply(reader) for _ in commands]

    def names(self, pattern="weir:cache:*"):
        found, cursor = set(), b"0"
        while True:
            cursor, some = self.call("SCAN", cursor, "MATCH", pattern, "COUNT", 1000)
            found.update(some)
            if cursor == b"0":
                return sorted(found)

    def kill(self):
        self._process.kill()
        self._process.wait()

    def stall(self):
        self._process.send_signal(signal.SIGSTOP)

    def resume(self):
        self._process.send_signal(signal.SIGCONT)


def _reply(reader):
    line = reader.readline()[:-2]
    kind, rest = line[:1], line[1:]
    if kind in (b"+", b":"):
        return rest
    if kind == b"-":
        return line
    if kind == b"$":
        return None if rest == b"-1" else reader.read(int(rest) + 2)[:-2]
    assert kind == b"*", line
    return [_reply(reader) for _ in range(int(rest))]
