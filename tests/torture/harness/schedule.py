"""What is done to the pipeline, and when: all of it drawn from one seed."""

import random
from dataclasses import dataclass, field

ROLES = ("trainer", "scorer", "producer")


@dataclass(order=True)
class Deed:
    at: float  # seconds from the begin of the storm
    what: str = field(compare=False)
    detail: dict = field(compare=False, default_factory=dict)


def draw(options):
    """The deeds in the order of their times, and the kills that wait for a halt to hit."""
    dice = random.Random(f"{options.seed} schedule")
    seconds = options.minutes * 60
    deeds = []

    def add(what, begin=0.05, end=0.95, **detail):
        deeds.append(Deed(seconds * dice.uniform(begin, end), what, detail))

    few = max(1, options.swaps // 5)
    stopped = set(dice.sample(range(options.swaps), min(options.stops, options.swaps)))
    for number in range(options.swaps):
        # Each in its part of the time, but two may come close to each other.
        begin = 0.03 + 0.92 * number / options.swaps
        add(
            "swap",
            begin,
            begin + 0.92 / options.swaps,
            number=number,
            rows=dice.choice((200, 1000, 20_000)),
            stop_scorer=number in stopped,
        )
    for number in range(few):
        add("refuse", number=number)
    add("duplicate", 0.3)
    for _ in range(options.rollbacks):
        add("rollback", 0.2)
    for number in range(options.bounces):
        # Two of three are brokers; of two, one.
        add("datanode" if number % 3 == 1 else "broker", 0.1, 0.8)
    if options.minutes >= 1:  # it takes new trainers, and so some seconds without any
        begin = dice.uniform(0.1, 0.6)
        add("mode", begin, begin, while_training="continue")
        add("mode", begin + 0.25, begin + 0.25, while_training="halt")

    # Every role is hit; half of the kills fall into the change of a model, which is a small part of
    # the time and the hard part.
    roles = [ROLES[number % len(ROLES)] for number in range(options.kills)]
    dice.shuffle(roles)
    half = len(roles) // 2
    for role in roles[:half]:
        add("kill", 0.02, 0.98, role=role)
    aimed = [(role, dice.uniform(0, 0.7)) for role in roles[half:]]
    return sorted(deeds), aimed
