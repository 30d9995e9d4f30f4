"""Connections that break on purpose, through the stack's toxiproxy.

A test leases lanes to Kafka, each a way that leads there through a proxy and never round it, and makes
ways to HDFS. What goes the straight way, as the test's own readers do, notices nothing.
"""

import fcntl
import http.client
import http.server
import json
import re
import shutil
import threading
import urllib.error
import urllib.request
import uuid
from pathlib import Path

from support.waiting import wait_until

LANE = re.compile(r"lane-\d+")


class Toxiproxy:
    """Its HTTP interface."""

    def __init__(self, address):
        self._base = f"http://{address}"

    def call(self, method, path, body=None):
        data = None if body is None else json.dumps(body).encode()
        request = urllib.request.Request(self._base + path, data=data, method=method)
        try:
            with urllib.request.urlopen(request, timeout=60) as answer:
                return json.loads(answer.read() or b"null")
        except urllib.error.HTTPError as error:
            raise AssertionError(f"{method} {path}: {error.code} {error.read()!r}") from error

    def proxy(self, name):
        return Proxy(self, name)

    def make(self, name, upstream, listen="127.0.0.1:0"):
        self.call("POST", "/proxies", {"name": name, "listen": listen, "upstream": upstream})
        return Proxy(self, name)


class Proxy:
    """One way. `upstream` is what goes to the server, `downstream` what comes from it."""

    def __init__(self, toxiproxy, name):
        self._toxiproxy = toxiproxy
        self._path = f"/proxies/{name}"
        self.address = self._state()["listen"]

    def _state(self):
        return self._toxiproxy.call("GET", self._path)

    def spoil(self, kind, stream="downstream", **attributes):
        """Adds one of toxiproxy's toxics, to connections that are there and to later ones."""
        name = f"{kind}-{stream}"
        self._toxiproxy.call(
            "POST",
            self._path + "/toxics",
            {"name": name, "type": kind, "stream": stream, "attributes": attributes},
        )

    def slow(self, latency=0, jitter=0, rate=None):
        """Both ways: milliseconds for each piece of data, and kB/s."""
        for stream in ("upstream", "downstream"):
            self.spoil("latency", stream, latency=latency, jitter=jitter)
            if rate is not None:
                self.spoil("bandwidth", stream, rate=rate)

    def partition(self):
        """Bytes vanish, both ways, and no connection is closed."""
        for stream in ("upstream", "downstream"):
            self.spoil("timeout", stream, timeout=0)

    def hold(self):
        """What is sent stands still on its way to the server, and no answer ever comes."""
        self.spoil("timeout", "downstream", timeout=0)
        self.spoil("latency", "upstream", latency=600_000)

    def release(self):
        """What hold() holds reaches the server; still no answer comes."""
        self._toxiproxy.call("DELETE", f"{self._path}/toxics/latency-upstream")

    def heal(self):
        """Ends the connections of a way that was spoilt or down, and makes it new.

        As a new proxy, since toxiproxy (2.7.0) takes a toxic off each connection under one lock, and
        waits 5 s there for each piece of data that is held for a connection whose other end has gone:
        long enough for it to answer nobody.
        """
        was = self._state()
        if was["enabled"] and not was["toxics"]:
            return
        self.remove()
        self._toxiproxy.make(was["name"], was["upstream"], was["listen"])

    def down(self):
        """Ends all connections and refuses new ones."""
        self._toxiproxy.call("PATCH", self._path, {"enabled": False})

    def cut(self):
        """Ends all connections; new ones may come at once."""
        self.down()
        self._toxiproxy.call("PATCH", self._path, {"enabled": True})

    def remove(self):
        self._toxiproxy.call("DELETE", self._path)


class ProxiedHdfs:
    """A way to the NameNode and one to the DataNode that it redirects to. As a context.

    `hadoop_conf_dir` leads a process there. HDFS cannot be told that its DataNode has another address
    for some, so what the NameNode answers is forwarded by us, with the redirects rewritten.
    """

    def __init__(self, toxiproxy, stack, folder):
        name = f"hdfs-{uuid.uuid4().hex[:8]}"
        self.name_node = toxiproxy.make(f"{name}-namenode", stack.namenode_http)
        self.data_node = toxiproxy.make(f"{name}-datanode", stack.datanode_http)
        self._front = _front_of(self.name_node.address, stack.datanode_http, self.data_node.address)
        conf = Path(folder) / name
        shutil.copytree(stack.hadoop_conf_dir, conf)
        own = "127.0.0.1:%d" % self._front.server_address[1]
        site = conf / "hdfs-site.xml"
        text, count = re.subn(
            r"(<name>dfs\.namenode\.http-address</name><value>)[^<]*", rf"\g<1>{own}", site.read_text()
        )
        assert count == 1, site.read_text()
        site.write_text(text)
        self.hadoop_conf_dir = str(conf)

    def __enter__(self):
        threading.Thread(target=self._front.serve_forever, args=(0.05,), daemon=True).start()
        return self

    def __exit__(self, *_):
        self._front.shutdown()
        self._front.server_close()
        for proxy in (self.name_node, self.data_node):
            proxy.remove()


def _front_of(name_node, data_node, data_node_proxy):
    """A server that forwards to the NameNode, and names the proxy where that names the DataNode."""

    class Front(http.server.BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def forward(self):
            body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
            connection = http.client.HTTPConnection(name_node, timeout=300)
            try:
                connection.request(self.command, self.path, body or None)
                answer = connection.getresponse()
                content = answer.read()
            except (OSError, http.client.HTTPException):
                self.close_connection = True  # as the NameNode's own connection did
                return
            finally:
                connection.close()
            self.send_response_only(answer.status)
            for key, value in answer.getheaders():
                if key.lower() == "location":
                    value = value.replace(f"//{data_node}/", f"//{data_node_proxy}/")
                if key.lower() not in ("content-length", "transfer-encoding", "connection"):
                    self.send_header(key, value)
            self.send_header("Content-Length", str(len(content)))
            self.end_headers()
            self.wfile.write(content)

        do_GET = do_PUT = do_POST = do_DELETE = forward

        def handle(self):
            try:
                super().handle()
            except OSError:
                pass  # the client has gone

        def log_message(self, *_):
            pass

    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Front)
    server.daemon_threads = True
    return server


class Network:
    """Ways of one test, undisturbed at first."""

    def __init__(self, stack, folder):
        assert stack.toxiproxy, "this stack has no proxies: stack/down, then stack/up --proxies"
        self._toxiproxy = Toxiproxy(stack.toxiproxy)
        self._stack = stack
        self._folder = folder
        self._leased = []  # (proxy, the file whose lock is the lease)
        self._ways = []

    def way_to(self, address):
        """Of this test alone, to a server of its own."""
        self._ways.append(self._toxiproxy.make(f"way-{uuid.uuid4().hex[:8]}", address))
        return self._ways[-1]

    def lanes(self, count):
        """So many of those that no other test has; asked for once, or two tests might wait for each other."""
        assert not self._leased
        self._leased = wait_until(lambda: self._lease(count), f"{count} lanes are free", 180)
        lanes = [lane for lane, _ in self._leased]
        for lane in lanes:
            lane.heal()  # whatever a test that was killed has left behind
        return lanes

    def _lease(self, count):
        leased = []
        for name in sorted(filter(LANE.fullmatch, self._toxiproxy.call("GET", "/proxies"))):
            lease = open(self._stack.directory / f"{name}.lease", "w")
            try:
                fcntl.flock(lease, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except BlockingIOError:
                lease.close()
                continue
            leased.append((self._toxiproxy.proxy(name), lease))
            if len(leased) == count:
                return leased
        for _, lease in leased:
            lease.close()
        return None

    def hdfs(self):
        return ProxiedHdfs(self._toxiproxy, self._stack, self._folder)

    def close(self):
        for way in self._ways:
            way.remove()
        for lane, lease in self._leased:
            lane.heal()
            lease.close()


def through(lane):
    """The arguments of a command that reaches Kafka by that lane."""
    return ("-X", f"bootstrap.servers={lane.address}")
