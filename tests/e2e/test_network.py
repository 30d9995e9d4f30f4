"""A network that cuts, delays, narrows and swallows, between one process and the servers it talks to."""

import json
import random

import pytest

from support.network import through
from support.promises import check_promises
from support.steady_producer import SteadyProducer
from support.tables import plane

pytestmark = [pytest.mark.long, pytest.mark.xdist_group("network")]


def predictions_go_on(pipeline, count=30, seconds=60):
    """So many more than there are now, in whatever epoch."""
    now = len(pipeline.topic("predictions").read_to_end(120))
    pipeline.wait_for_predictions(now + count, seconds=seconds)


def test_a_scorer_whose_connections_are_cut_again_and_again_goes_on_and_loses_nothing(
    pipeline, network
):
    lane = network.lanes[0]
    pipeline.train_once("first.csv", plane(1))
    scorer = pipeline.start("score", *through(lane))
    chance = random.Random(7)
    with SteadyProducer(pipeline, rate=300):
        predictions_go_on(pipeline)
        for breaking in (lane.cut, lane.down, lambda: lane.spoil("reset_peer", timeout=20)) * 3:
            # At any moment of a transaction: as one is begun every 50 ms.
            pipeline.wait_until(lambda: chance.random() < 0.1, "chance", every=0.007)
            breaking()
            lane.heal()
            predictions_go_on(pipeline)
    pipeline.wait_until_all_scored()
    assert scorer.stop()[0] == 0
    check_promises(pipeline)
