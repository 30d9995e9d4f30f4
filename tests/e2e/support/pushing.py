"""Clients of a gateway that push without end, and send again what they have no answer to."""

import http.client
import json
import random
import threading

BATCH = 20


class PushingClients:
    """Each id that was accepted, and where: what is sent again has to be where it was."""

    def __init__(self, gateway, names="abcd", again=0.0):
        self._gateway = gateway
        self._again = again  # how often a batch is sent again that was accepted before
        self._stop = threading.Event()
        self._threads = [threading.Thread(target=self._run, args=(name,)) for name in names]
        self.accepted = {}  # id: (partition, offset)
        self.refused = 0  # requests, for now
        self.repeated = 0  # records that the gateway knew
        self.faults = []

    def __enter__(self):
        for thread in self._threads:
            thread.start()
        return self

    def __exit__(self, kind, *_):
        self._stop.set()
        for thread in self._threads:
            thread.join()
        if kind is None:
            assert not self.faults, self.faults[:5]

    def get_on(self, count):
        """A condition: so many more have been accepted than now."""
        goal = len(self.accepted) + count

        def reached():
            assert not self.faults, self.faults[:5]
            return len(self.accepted) >= goal

        return reached

    def _run(self, name):
        choice = random.Random(name)
        number = 0
        while not self._stop.is_set():
            try:
                if number and choice.random() < self._again:
                    self._push(name, choice.randrange(number))
                elif self._push(name, number):
                    number += 1
            except Exception as fault:  # of a thread: nobody would see it
                self.faults.append(repr(fault))
                return

    def _push(self, name, number):
        ids = [f"{name}-{number}-{i}" for i in range(BATCH)]
        body = json.dumps([{"id": i, "x1": number, "x2": 2.5, "x3": -3} for i in ids])
        try:
            answer = self._gateway.ask("POST", "/v1/messages", body, seconds=15)
        except (OSError, http.client.HTTPException):
            return False  # sent again, as it is
        if answer.status != 202:
            assert answer.status == 503 and answer.headers["Retry-After"], answer
            self.refused += 1
            return False
        for record in answer.json["records"]:
            place = (record["partition"], record["offset"])
            known = self.accepted.setdefault(record["id"], place)
            assert known == place, f"{record} was at {known}"
            self.repeated += record["repeated"]
        return True
