"""How long records take at a steady rate: an open loop, each record sent when it is due, whether others were answered or not.

At half of what each contestant can do, and all at half of what the slowest of them can, as bench_latency measures it.
"""

import json
from dataclasses import dataclass

import drain
import harness
from harness import LOG_DIR, Trouble, program, say

SHARE = 0.5  # of the most that each can do
WARM_SECONDS = 10  # not counted: the JVM compiles what is hot
PATIENCE_SECONDS = 150  # beyond the time of the sending itself
# Past this the sender, and so the machine, was the limit: its own times are not what was asked for.
LATE_MS_MAX = 5
FIGURES = ("p50_ms", "p99_ms", "p999_ms", "max_ms", "sent_late_p99_ms", "sent_late_max_ms")
HEADER = ["", "load", "records/s", "records", "p50 ms", "p99 ms", "p99.9 ms", "max ms", "sent late, p99", "max", ""]


@dataclass
class Latency:
    name: str
    load: str
    rate: int
    told: dict  # by bench_latency
    measured: harness.Measured | None
    trouble: str = ""  # why there are no figures

    def row(self):
        if self.trouble:
            return [self.name, self.load, f"{self.rate:,}", *["–"] * (len(HEADER) - 4), "NO FIGURES: see below"]
        late = "SENT TOO LATE" if self.told["sent_late_p99_ms"] > LATE_MS_MAX else ""
        figures = [f"{self.told[figure]:.1f}" for figure in FIGURES]
        return [self.name, self.load, f"{self.rate:,}", f"{self.told['counted']:,}", *figures, late]


@dataclass
class Steady:
    told: dict  # by bench_latency
    measured: harness.Measured
    cpu: float  # the contestant's, until all was answered


def steady(field, output, contestant, rate, warm, seconds, meanwhile=None):
    """A contestant beside bench_latency, on a topic in which all is answered in the end, and rightly: else there is no figure.
    `meanwhile`: is given the phase, the contestant's process and the sender's, once both are there."""
    field.make_topics(field.input, output)
    sender_name = f"{output}.sender"
    for kept in (output, sender_name):  # a phase adds to what is there
        for file in (LOG_DIR / f"{kept}.out", LOG_DIR / f"{kept}.err"):
            file.unlink(missing_ok=True)
    with harness.Phase([field.stack.pids["kafka"]]) as phase:
        process = phase.start(output, [*field.stack.on_its_core, *contestant.endless(field, output)], field.env(output))
        arguments = [field.stack.kafka, field.input, output, field.model.dataset, rate, warm, seconds]
        sender = phase.start(sender_name, [program("bench_latency"), *arguments])
        if meanwhile:
            meanwhile(phase, process, sender)
        try:
            phase.wait(sender, warm + seconds + PATIENCE_SECONDS)
        except Trouble as trouble:
            words = (LOG_DIR / f"{sender_name}.err").read_text().strip().splitlines()[-1:]
            raise Trouble(f"{output} at {rate:,} records/s: {' '.join(words)}; {trouble}") from None
        cpu = harness.cpu_seconds(process.pid)
    told = json.loads((LOG_DIR / f"{sender_name}.out").read_text())
    field.records = told["sent"]
    field.expect()
    field.check(contestant, output)
    return Steady(told, phase.measured, cpu)


def one(stack, weir, name, contestant, load, rate, seconds, warm):
    field = drain.Field(stack, weir, 0, f"bench.{name}.{load}.input")
    found = steady(field, f"bench.{name}.{load}", contestant, rate, warm, seconds)
    say(f"{name}, {rate:,} records/s: p50 {found.told['p50_ms']} ms, p99 {found.told['p99_ms']} ms")
    return Latency(name, load, rate, found.told, found.measured)


def tried(stack, weir, name, contestant, load, rate, seconds, warm):
    """Who gets stuck, or answers wrongly, does not keep the others from being measured."""
    try:
        return one(stack, weir, name, contestant, load, rate, seconds, warm)
    except Trouble as trouble:
        say(str(trouble))
        return Latency(name, load, rate, {}, None, str(trouble))


def measure(stack, weir, contestants, rates, seconds):
    """contestants, rates: by name; who cannot go on until it is ended is left out."""
    able = {name: each for name, each in contestants.items() if each.endless}
    warm = min(WARM_SECONDS, seconds)
    slowest = int(SHARE * min(rates[name] for name in able))
    found = []
    for name, contestant in able.items():
        own = int(SHARE * rates[name])
        found.append(tried(stack, weir, name, contestant, "own-half", own, seconds, warm))
        if own > slowest:
            found.append(tried(stack, weir, name, contestant, "same", slowest, seconds, warm))
    return found


def print_table(found, seconds):
    print(
        f"\nopen loop, {seconds:g} s, from the moment at which a record was due until a read_committed reader has its answer;"
        "\nown-half: half of its own records/s above; same: half of the slowest one's"
    )
    for line in harness.quietness([each.measured for each in found if each.measured]):
        print(f"# {line}")
    harness.table(HEADER, [each.row() for each in found])
    for each in found:
        if each.trouble:
            print(f"NO FIGURES: {each.trouble}")
