"""Toxiproxy, for tests: it stands before Kafka and HDFS and breaks connections when it is told to.

A client that is told by Kafka where the brokers are would go round any proxy. So there are lanes: for
each, Kafka has a listener of its own, and tells those who come by it the address of that lane's proxy.
"""

import json
import os
import urllib.request

from host import Trouble
from server import Server

# Enough for two tests at once that have trainer, producer and scorer each behind a proxy of its own.
LANES = tuple(f"lane-{number}" for number in range(1, 7))


def listener_of(lane):
    """The name of the port that Kafka itself has for a lane; what is named as the lane is the proxy's."""
    return f"kafka-{lane}"


LISTENER_PORTS = {listener_of(lane): 9192 + number for number, lane in enumerate(LANES)}


class Toxiproxy(Server):
    name = "toxiproxy"
    ports = {"toxiproxy": 8474, **{lane: 9292 + number for number, lane in enumerate(LANES)}}
    stop_seconds_max = 10

    def _proxies(self):
        return os.path.join(self.home, "proxies.json")

    def prepare(self):
        with open(self._proxies(), "w") as file:
            json.dump(
                [
                    {
                        "name": lane,
                        "listen": self.address(lane),
                        "upstream": self.address(listener_of(lane)),
                        "enabled": True,
                    }
                    for lane in LANES
                ],
                file,
                indent=2,
            )

    def command(self):
        program = os.path.join(
            self.stack.root, ".weir", "deps", "toxiproxy", "bin", "toxiproxy-server"
        )
        if not os.access(program, os.X_OK):
            raise Trouble(
                f"found no {program}. Run stack/setup --for test, which builds it."
            )
        api = ["-host", "127.0.0.1", "-port", str(self.port())]
        return [program, *api, "-config", self._proxies()], None

    def trouble(self):
        opener = urllib.request.build_opener(urllib.request.ProxyHandler({}))
        try:
            with opener.open(f"http://{self.address()}/proxies", timeout=2) as answer:
                missing = set(LANES) - set(json.load(answer))
        except (OSError, ValueError) as error:
            return f"no answer at {self.address()} ({getattr(error, 'reason', error)})"
        return f"it has not opened {', '.join(sorted(missing))}" if missing else None
