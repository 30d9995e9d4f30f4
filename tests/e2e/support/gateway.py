"""A client of the gateway: plain HTTP, a connection for each request."""

import http.client
import json
import re

from support.waiting import PATIENCE, wait_until


class Answer:
    def __init__(self, response):
        self.status = response.status
        self.headers = response.headers
        self.body = response.read()

    @property
    def json(self):
        return json.loads(self.body)

    def __repr__(self):
        return f"{self.status} {self.body[:500]!r}"


class Gateway:
    def __init__(self, port, token=None, tls=None):
        self.port = port
        self.token = token
        self.tls = tls  # an ssl.SSLContext

    @classmethod
    def of(cls, process, token=None):
        """The gateway of a process that has just been started."""
        process.wait_for_stderr("the gateway listens")
        return cls(int(re.search(r"the gateway listens\s+url=\S*:(\d+)", process.stderr)[1]), token)

    def ask(self, method, path, body=None, seconds=30, **headers):
        options = {"timeout": seconds * PATIENCE}
        if self.tls:
            connection = http.client.HTTPSConnection("127.0.0.1", self.port, context=self.tls, **options)
        else:
            connection = http.client.HTTPConnection("127.0.0.1", self.port, **options)
        headers = {name.replace("_", "-"): value for name, value in headers.items()}
        if self.token:
            headers.setdefault("Authorization", f"Bearer {self.token}")
        try:
            connection.request(method, path, body, headers)
            return Answer(connection.getresponse())
        finally:
            connection.close()

    def get(self, path, status=200, **options):
        answer = self.ask("GET", path, **options)
        assert answer.status == status, answer
        return answer.json

    def push(self, records, wait="10s", status=200, **headers):
        """Gives the records of the answer."""
        path = "/v1/messages" + (f"?wait={wait}" if wait else "")
        body = records if isinstance(records, (str, bytes)) else json.dumps(records)
        answer = self.ask("POST", path, body, **headers)
        assert answer.status == status, answer
        return answer.json["records"] if status < 300 else answer.json

    def post_actuals(self, actuals, status=202, **headers):
        body = actuals if isinstance(actuals, (str, bytes)) else json.dumps(actuals)
        answer = self.ask("POST", "/v1/actuals", body, **headers)
        assert answer.status == status, answer
        return answer.json

    def wait_ready(self, seconds=30):
        def look():
            return self.ask("GET", "/readyz").status == 200 or None

        wait_until(look, "the gateway is ready", seconds)
