"""What a SIGKILL of a scorer costs: how long until predictions are committed again.

Two scorers share a steady flow and one is killed, in turn. Its outputs lie in the partitions that its
inputs lay in (keys, partitioner and number are the same), so that a partition tells whose it is.
"""

import math
import random
import signal
import time
from dataclasses import dataclass

from harness import say, wait_until
from pipeline import Pipeline

RATE = 2_000
SCORERS = ("a", "b")
FLOWING_MS = 2_000  # a partition flows if it has had so many commits in this time
FLOWING_COMMITS = 10
RECOVERY_SECONDS_MAX = 90


@dataclass
class Kill:
    """Times after the kill, in ms."""

    anywhere: float  # to the next commit in any partition
    everywhere: float  # until each partition has had one
    visible: float  # until each has had one that read_committed readers are given
    silence: float  # the longest time meanwhile in which nothing was committed in any partition
    others: float  # the longest time meanwhile without a commit in a partition of the other scorer


class KillBench:
    """Kills of one pipeline's scorers; several may go on beside each other, in threads."""

    def __init__(self, stack, weir, name, session_timeout_ms):
        settings = {}
        if session_timeout_ms:
            settings["WEIR_KAFKA_SESSION_TIMEOUT_MS"] = str(session_timeout_ms)
        self._pipeline = Pipeline(stack, weir, name, **settings)
        self._name = name
        self._ids = {}  # producer id by scorer
        self._live = {}
        self._started = 0  # the last one, in ms since 1970

    def run(self, phase, restart, count):
        self._phase = phase
        self._live = {}
        flow = self._pipeline.start_flow(phase, RATE)
        for scorer in SCORERS:  # one after the other, so that each can be told by its producer id
            known = self._pipeline.producers()
            self._start(scorer)
            if scorer not in self._ids:
                new = wait_until(lambda: self._pipeline.producers() - known, f"{scorer} has committed")
                self._ids[scorer] = new.pop()
        kills = []
        for number in range(count):
            wait_until(self._flows, f"both scorers of {self._name} are at work", RECOVERY_SECONDS_MAX)
            time.sleep(random.uniform(1, 2))  # between heartbeats and commits, anywhere
            kills.append(self._kill(SCORERS[number % 2], restart))
            say(f"{self._name}, {'restarted' if restart else 'not restarted'}: {told(kills[-1])}")
        wait_until(self._flows, f"both scorers of {self._name} are at work", RECOVERY_SECONDS_MAX)
        for process in (flow, *self._live.values()):
            phase.end(process)
        return kills

    def audit(self):
        self._pipeline.audit()

    def _start(self, scorer):
        self._started = time.time() * 1000
        self._live[scorer] = self._pipeline.start(
            self._phase, "score", name=scorer, WEIR_SCORE_INSTANCE=f"{self._name}-{scorer}"
        )

    def _flows(self):
        since = max(self._started, time.time() * 1000 - FLOWING_MS)
        at_work = set()
        for log in self._pipeline.predictions:
            lately = [each for each in log.seen_since(since) if each.visible_at < math.inf]
            if len(lately) < FLOWING_COMMITS:
                return False
            at_work |= {each.producer[0] for each in lately}
        return at_work == set(self._ids.values())

    def _kill(self, scorer, restart):
        for log in self._pipeline.predictions:
            log.read_on()
        doomed = {
            each.producer
            for log in self._pipeline.predictions
            for each in log.commits
            if each.producer[0] == self._ids[scorer]
        }
        killed = time.time() * 1000
        others = [
            number
            for number, log in enumerate(self._pipeline.predictions)
            if log.commits[-1].producer[0] != self._ids[scorer]
        ]
        self._phase.end(self._live[scorer], signal.SIGKILL)
        if restart:
            self._start(scorer)

        def since_then():
            found = []
            for log in self._pipeline.predictions:
                # What the killed one had sent off may be marked a little later: that is no recovery.
                later = [e for e in log.seen_since(killed) if e.at >= killed]
                found.append([e for e in later if e.producer not in doomed])
            seen = all(any(e.visible_at < math.inf for e in each) for each in found)
            return found if seen else None  # what is hidden was committed, and counts as that

        found = wait_until(
            since_then, f"{self._name} has recovered from a kill", RECOVERY_SECONDS_MAX
        )
        kill = judge(killed, found, others)
        if not restart:
            self._start(scorer)
        return kill


def judge(killed, found, others):
    everywhere = max(min(e.at for e in each) for each in found)
    gaps = [gap(killed, everywhere, (e.at for e in found[number])) for number in others]
    return Kill(
        anywhere=min(e.at for each in found for e in each) - killed,
        everywhere=everywhere - killed,
        visible=max(min(e.visible_at for e in each) for each in found) - killed,
        silence=gap(killed, everywhere, (e.at for each in found for e in each)),
        others=max(gaps),
    )


def gap(since, until, times):
    """The longest from one to the next."""
    ordered = sorted({since, until, *(at for at in times if at < until)})
    return max(b - a for a, b in zip(ordered, ordered[1:]))


def told(kill):
    return (
        f"next commit anywhere after {kill.anywhere / 1000:.2f} s, in every partition after "
        f"{kill.everywhere / 1000:.2f} s, for readers {kill.visible / 1000:.2f} s, silent for "
        f"{kill.silence / 1000:.2f} s, where the other scores {kill.others / 1000:.2f} s"
    )
