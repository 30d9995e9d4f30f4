"""A NameNode that is slow to answer: a proxy before its HTTP port that holds every request back."""

import re
import shutil
import socket
import threading
import time
from pathlib import Path


class SlowNameNode:
    """As a context: `hadoop_conf_dir` leads a process to the NameNode through the proxy."""

    def __init__(self, stack, folder, seconds):
        host, port = stack.namenode_http.split(":")
        self._upstream = (host, int(port))
        self._seconds = seconds
        self._listener = socket.create_server(("127.0.0.1", 0))
        self._open = []
        own = "127.0.0.1:%d" % self._listener.getsockname()[1]
        conf = Path(folder) / "slow-hadoop"
        shutil.copytree(stack.hadoop_conf_dir, conf)
        site = conf / "hdfs-site.xml"
        text, count = re.subn(
            r"(<name>dfs\.namenode\.http-address</name><value>)[^<]*", rf"\g<1>{own}", site.read_text()
        )
        assert count == 1, site.read_text()
        site.write_text(text)
        self.hadoop_conf_dir = str(conf)

    def __enter__(self):
        threading.Thread(target=self._accept, daemon=True).start()
        return self

    def __exit__(self, *_):
        self._listener.close()
        for one in self._open:
            one.close()

    def _accept(self):
        while True:
            try:
                client, _ = self._listener.accept()
            except OSError:
                return
            server = socket.create_connection(self._upstream)
            self._open += [client, server]
            for source, target, seconds in ((client, server, self._seconds), (server, client, 0)):
                threading.Thread(target=self._carry, args=(source, target, seconds), daemon=True).start()

    @staticmethod
    def _carry(source, target, seconds):
        try:
            while piece := source.recv(65536):
                time.sleep(seconds)  # this is what the proxy is for
                target.sendall(piece)
            target.shutdown(socket.SHUT_WR)
        except OSError:
            return
