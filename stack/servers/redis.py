"""Redis: bounded, nothing kept on disk. What has a time to live is a cache's, and may be evicted."""

import shutil
import socket

from host import Trouble
from server import Server


class Redis(Server):
    name = "redis"
    ports = {"redis": 6379}
    stop_seconds_max = 10

    def command(self):
        # Debian's redis-tools holds the whole server in redis-check-rdb, which looks at the name
        # that it is called by.
        executable = shutil.which("redis-server") or shutil.which("redis-check-rdb")
        if executable is None:
            raise Trouble("found no redis-server. Run stack/setup, which installs it.")
        return [
            "redis-server",
            "--bind",
            "127.0.0.1",
            "--port",
            str(self.port()),
            "--daemonize",
            "no",
            "--maxmemory",
            "256mb",
            "--maxmemory-policy",
            "volatile-lru",
            "--save",
            "",
            "--appendonly",
            "no",
            "--set-proc-title",
            "no",
            "--dir",
            self.home,
        ], executable

    def trouble(self):
        try:
            with socket.create_connection(("127.0.0.1", self.port()), timeout=2) as sock:
                sock.sendall(b"PING\r\n")
                answer = sock.recv(64)
        except OSError as error:
            return f"no answer at {self.address()} ({error})"
        return (
            None if answer == b"+PONG\r\n" else f"an answer at {self.address()} that is not Redis's"
        )
