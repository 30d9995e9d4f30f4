"""Scorers as one group: who goes, comes back or is gone holds up nobody but itself, and not for long."""

import json
import signal
import time

import pytest

from support.promises import check_promises
from support.steady_producer import SteadyProducer, longest_gap
from support.tables import plane

GAP_MS_MAX = 2000
RATE = 300


def start_scorer(pipeline, instance, **variables):
    return pipeline.start("score", name=f"scorer-{instance}", WEIR_SCORE_INSTANCE=instance, **variables)


def holdings(pipeline):
    """The partitions of each scorer, as it says itself."""
    held = {}
    for each in json.loads(pipeline.ok("status", "-o", "json"))["partitions"]:
        held.setdefault(each["member"], set()).add(each["partition"])
    return held


def wait_for_shares(pipeline, names):
    def shared():
        held = holdings(pipeline)
        mine = [held.get(f"scorer-{name}", set()) for name in names]
        return held if all(mine) and sum(map(len, mine)) == 3 else None

    return pipeline.wait_until(shared, f"{names} share the partitions", every=0.5)


def gaps(pipeline, since, until, partitions):
    """By partition, the longest time without a prediction, in milliseconds."""
    found = {}
    for partition in partitions:
        times = [
            r.timestamp
            for r in pipeline.topic("predictions").read_to_end()
            if r.partition == partition and since <= r.timestamp <= until
        ]
        found[partition] = longest_gap([since, *times, until])
    return found


def now_ms():
    return time.time() * 1000


@pytest.mark.long
def test_a_scorer_that_is_killed_and_comes_back_at_once_holds_nobody_up(pipeline):
    # A long session: who waits for one to end is found out.
    pipeline.settings["kafka"]["session.timeout.ms"] = 20_000
    pipeline.write_settings()
    pipeline.train_once("first.csv", plane(1))
    live = {name: start_scorer(pipeline, name) for name in "ab"}
    with SteadyProducer(pipeline, RATE):
        pipeline.wait_for_predictions(3 * RATE, epoch=1)
        for doomed in "ab":
            held = wait_for_shares(pipeline, "ab")
            began = now_ms()
            live[doomed].kill()
            live[doomed] = start_scorer(pipeline, doomed)
            pipeline.wait_until(lambda: now_ms() > began + 7000, "some seconds have gone by")
            found = gaps(pipeline, began, now_ms() - 500, range(3))
            print(f"{doomed} killed: gaps {found}, it held {held[f'scorer-{doomed}']}")
            for partition, gap in found.items():
                own = partition in held[f"scorer-{doomed}"]
                assert gap < (2 * GAP_MS_MAX if own else GAP_MS_MAX), (doomed, held, found)
    pipeline.wait_until_all_scored()
    pipeline.stop_all()
    check_promises(pipeline)


@pytest.mark.long
def test_a_scorer_that_is_asked_to_end_hands_over_at_once(pipeline):
    pipeline.settings["kafka"]["session.timeout.ms"] = 20_000
    pipeline.write_settings()
    pipeline.train_once("first.csv", plane(1))
    start_scorer(pipeline, "stays")
    goes = start_scorer(pipeline, "goes")
    with SteadyProducer(pipeline, RATE):
        wait_for_shares(pipeline, ("stays", "goes"))
        pipeline.wait_for_predictions(RATE, epoch=1)
        began = now_ms()
        assert goes.stop(signal.SIGTERM)[0] == 0
        pipeline.wait_until(lambda: now_ms() > began + 5000, "some seconds have gone by")
        found = gaps(pipeline, began, now_ms() - 500, range(3))
        print(f"gaps {found}")
        assert max(found.values()) < 2 * GAP_MS_MAX
    pipeline.wait_until_all_scored()
    pipeline.stop_all()
    check_promises(pipeline)


@pytest.mark.long
def test_what_a_dead_scorer_had_sent_holds_up_its_partitions_no_longer_than_told(pipeline):
    pipeline.train_once("first.csv", plane(1))
    start_scorer(pipeline, "stays")
    with SteadyProducer(pipeline, RATE):
        pipeline.wait_for_predictions(RATE, epoch=1)
        doomed = start_scorer(pipeline, "dies", WEIR_CRASH_AT="offsets-sent:40")
        assert doomed.wait() == -signal.SIGKILL
        died = now_ms()

        def goes_on_everywhere():
            late = [r for r in pipeline.topic("predictions").poll() if r.timestamp > died + 3000]
            return {r.partition for r in late} == {0, 1, 2}

        # The transaction's 10 s, and the coordinator's next look within 10 s more.
        pipeline.wait_until(goes_on_everywhere, "all partitions are scored again", seconds=27)
        print(f"after {now_ms() - died:.0f} ms")
    pipeline.wait_until_all_scored()
    pipeline.stop_all()
    check_promises(pipeline)


@pytest.mark.long
def test_two_scorers_of_one_name_say_so(pipeline):
    pipeline.train_once("first.csv", plane(1))
    first = start_scorer(pipeline, "same")
    with SteadyProducer(pipeline, RATE):
        pipeline.wait_for_predictions(RATE, epoch=1)
        second = start_scorer(pipeline, "same")
        pipeline.wait_until(
            lambda: any("FENCED" in each.stderr for each in (first, second)), "one was shut out"
        )
        second.kill()
        # What is left goes on alone.
        seen = len(pipeline.topic("predictions").poll())
        pipeline.wait_for_predictions(seen + 5 * RATE)
    first_says = [line for line in first.stderr.splitlines() if "is started again" in line]
    assert any("scorer-same" in line and "shut out" in line for line in first_says), first.stderr
    pipeline.wait_until_all_scored()
    pipeline.stop_all()
    check_promises(pipeline)
