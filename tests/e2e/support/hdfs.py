"""HDFS by its REST interface, over nothing but Python's own library."""

import getpass
import json
import socket
import string
import urllib.error
import urllib.parse
import urllib.request


class Hdfs:
    def __init__(self, namenode_http, user=None):
        self._base = f"http://{namenode_http}/webhdfs/v1"
        self._user = user or getpass.getuser()

    def _url(self, path, op, **parameters):
        query = urllib.parse.urlencode({"op": op, "user.name": self._user, **parameters})
        return f"{self._base}{urllib.parse.quote(path)}?{query}"

    def _call(self, method, path, op, **parameters):
        request = urllib.request.Request(self._url(path, op, **parameters), method=method)
        with urllib.request.urlopen(request, timeout=60) as answer:
            return json.loads(answer.read() or b"null")

    def exists(self, path):
        return self.status(path) is not None

    def status(self, path):
        try:
            return self._call("GET", path, "GETFILESTATUS")["FileStatus"]
        except urllib.error.HTTPError as error:
            if error.code == 404:
                return None
            raise

    def names(self, path):
        """The names in a folder, sorted; none where there is no such folder."""
        try:
            entries = self._call("GET", path, "LISTSTATUS")["FileStatuses"]["FileStatus"]
        except urllib.error.HTTPError as error:
            if error.code == 404:
                return []
            raise
        return sorted(entry["pathSuffix"] for entry in entries)

    def read(self, path):
        # Not by urllib's own redirect: a DataNode's address may hold letters that it cannot send.
        location = self._call("GET", path, "OPEN", noredirect="true")["Location"]
        location = urllib.parse.quote(location, safe=string.punctuation)
        with urllib.request.urlopen(location, timeout=60) as answer:
            return answer.read()

    def read_json(self, path):
        return json.loads(self.read(path))

    def mkdirs(self, path):
        assert self._call("PUT", path, "MKDIRS")["boolean"]

    def rename(self, path, to):
        assert self._call("PUT", path, "RENAME", destination=to)["boolean"], f"{path} -> {to}"

    def delete(self, path):
        return self._call("DELETE", path, "DELETE", recursive="true")["boolean"]

    def _data_node(self, path, **parameters):
        """Where the DataNode takes a new file's bytes."""
        answer = self._call(
            "PUT", path, "CREATE", overwrite="false", noredirect="true", **parameters
        )
        return urllib.parse.quote(answer["Location"], safe=string.punctuation)

    def create(self, path, data):
        request = urllib.request.Request(self._data_node(path), data=data, method="PUT")
        with urllib.request.urlopen(request, timeout=60) as answer:
            assert answer.status == 201

    def put(self, path, data):
        """As `hdfs dfs -put`: under another name first, then renamed."""
        self.create(path + "._COPYING_", data)
        self.rename(path + "._COPYING_", path)

    def begin_upload(self, path, data, send, **parameters):
        """An upload that has sent only the first `send` bytes; the caller ends it or breaks it."""
        return HalfUpload(self._data_node(path, **parameters), data, send)


class HalfUpload:
    def __init__(self, location, data, send):
        parts = urllib.parse.urlsplit(location)
        self._rest = data[send:]
        self._socket = socket.create_connection((parts.hostname, parts.port), timeout=60)
        head = (
            f"PUT {parts.path}?{parts.query} HTTP/1.1\r\nHost: {parts.netloc}\r\n"
            f"Content-Type: application/octet-stream\r\nContent-Length: {len(data)}\r\n\r\n"
        )
        self._socket.sendall(head.encode() + data[:send])

    def finish(self):
        self._socket.sendall(self._rest)
        answer = ""
        while " 201 " not in answer:
            received = self._socket.recv(4096).decode(errors="replace")
            assert received, answer
            answer += received  # the first may be "100 Continue"
        self._socket.close()

    def close(self):
        self._socket.close()
