"""Processes that die: at every named place, and wherever they happen to be."""

import json
import signal

import pytest

from support.judge import epochs_of
from support.promises import check_promises
from support.tables import plane

KILLED = -signal.SIGKILL


@pytest.mark.long
@pytest.mark.parametrize(
    "place",
    [
        "listed",
        "halted",
        "acknowledged",
        "trained",
        "temporary-written",
        "renamed",
        "resumed",
        "moved",
    ],
)
def test_a_trainer_that_dies_is_followed_by_one_that_ends_what_was_begun(pipeline, place):
    pipeline.train_once("first.csv", plane(1))
    pipeline.start("score")
    pipeline.start("produce", "--rate", "20")
    pipeline.wait_for_predictions(5, epoch=1)
    doomed = pipeline.start("train", name="doomed", WEIR_CRASH_AT=place)
    pipeline.drop("second.csv", plane(2))
    assert doomed.wait() == KILLED

    pipeline.start("train", name="next")
    assert pipeline.wait_for_resume(2)["outcome"] == "trained"
    pipeline.wait_until(
        lambda: pipeline.used() == ["first.1.csv", "second.2.csv"], "second.csv is moved"
    )
    pipeline.wait_for_predictions(10, epoch=2)
    pipeline.stop_all()
    pipeline.start("score")
    pipeline.wait_until_all_scored()
    pipeline.stop_all()
    evidence = check_promises(pipeline)
    assert pipeline.versions() == [1, 2]
    assert pipeline.dropped() == []
    assert len(evidence.control) == 4


@pytest.mark.long
@pytest.mark.parametrize("place", ["polled", "produced", "scored", "offsets-sent", "committed", "model-loaded"])
def test_a_scorer_that_dies_is_followed_by_one_that_scores_the_rest_once(pipeline, place):
    pipeline.train_once("first.csv", plane(1))
    pipeline.set("score.commit_interval", "1ms")
    message = b'{"x1": 1, "x2": 2.5, "x3": -3}'
    sent = 0

    def send_more():
        nonlocal sent
        pipeline.send([(str(sent + n).encode(), message) for n in range(50)])
        sent += 50

    send_more()
    # The second time, that is with a transaction behind it and more to come.
    times = 1 if place == "model-loaded" else 2
    doomed = pipeline.start("score", name="doomed", WEIR_CRASH_AT=f"{place}:{times}")
    pipeline.wait_until(lambda: not doomed.running() or send_more(), "it has died", every=0.2)
    assert doomed.exit_code() == KILLED
    send_more()
    pipeline.ok("score", "--until-end", seconds=90)
    evidence = check_promises(pipeline)
    assert len(evidence.predictions) == sent


@pytest.mark.long
def test_every_role_may_be_killed_in_the_middle_of_the_run(pipeline):
    roles = {
        name: pipeline.start(*command, name=name)
        for name, command in {
            "train": ("train",),
            "score": ("score",),
            "produce": ("produce", "--rate", "100"),
        }.items()
    }
    pipeline.drop("first.csv", plane(1))
    pipeline.wait_for_predictions(50, epoch=1)
    for epoch, name in enumerate(["score", "produce", "train"], 2):
        before = len(pipeline.topic("predictions").poll())
        # In the middle of a change of model, too: the halt may meet a member that is dead.
        if name == "train":
            pipeline.drop(f"{epoch}.csv", plane(epoch))
            pipeline.wait_for_begin(epoch)
            roles[name].kill()
        else:
            roles[name].kill()
            pipeline.drop(f"{epoch}.csv", plane(epoch))
            pipeline.wait_for_begin(epoch)
        roles[name] = pipeline.start(*roles_command(name), name=f"{name}-again")
        assert pipeline.wait_for_resume(epoch)["version"] == epoch
        pipeline.wait_for_predictions(before + 20, seconds=90)
        pipeline.wait_for_predictions(10, epoch=epoch)
    for name in ("produce", "train"):
        assert roles[name].stop()[0] == 0
    pipeline.wait_until_all_scored()
    assert roles["score"].stop()[0] == 0
    check_promises(pipeline)
    assert pipeline.versions() == [1, 2, 3, 4]


def roles_command(name):
    return ("produce", "--rate", "100") if name == "produce" else (name,)


@pytest.mark.long
def test_a_whole_run_may_be_killed_and_started_again(pipeline):
    first = pipeline.start("run", "--rate", "200")
    pipeline.drop("first.csv", plane(1))
    pipeline.wait_for_predictions(100, epoch=1)
    first.kill()
    second = pipeline.start("run", "--rate", "200")
    pipeline.drop("second.csv", plane(2))
    pipeline.wait_for_predictions(100, epoch=2)
    assert second.stop()[0] == 0
    pipeline.ok("score", "--until-end", seconds=90)
    evidence = check_promises(pipeline)
    assert len(epochs_of(evidence.control)) == 2


def test_records_that_arrive_while_the_stream_is_halted_are_scored_once_by_the_next_model(pipeline):
    pipeline.train_once("first.csv", plane(1))
    scorer = pipeline.start("score")
    before = [(f"before-{n}".encode(), b'{"x1": 1, "x2": 2, "x3": 3}') for n in range(30)]
    pipeline.send(before)
    pipeline.wait_for_predictions(30, epoch=1)
    # A trainer that dies between the acknowledgements and the model leaves the stream halted.
    doomed = pipeline.start("train", WEIR_CRASH_AT="acknowledged")
    pipeline.drop("second.csv", plane(2))
    assert doomed.wait() == KILLED
    waiting = [(f"waiting-{n}".encode(), b'{"x1": 4, "x2": 5, "x3": 6}') for n in range(200)]
    pipeline.send(waiting)
    # The scorer says again and again that it is halted: it is alive, and scores nothing.
    heard = len(pipeline.topic("members").read_to_end())
    pipeline.wait_for("members", lambda records: len(records) >= heard + 2, "two heartbeats")
    assert len(pipeline.topic("predictions").read_to_end()) == 30

    trainer = pipeline.start("train")
    pipeline.wait_for_predictions(200, epoch=2)
    assert trainer.stop()[0] == 0
    assert scorer.stop()[0] == 0
    evidence = check_promises(pipeline)
    epoch_of = {r.key: json.loads(r.value)["epoch"] for r in evidence.predictions}
    assert all(epoch_of[key] == 1 for key, _ in before)
    assert all(epoch_of[key] == 2 for key, _ in waiting)
