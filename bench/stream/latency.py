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


def one(stack, weir, name, contestant, load, rate, seconds, warm):
    """A topic of its own, in which all is answered in the end, and rightly: else there is no figure."""
    topic, output = f"bench.{name}.{load}.input", f"bench.{name}.{load}"
    field = drain.Field(stack, weir, 0, topic)
    field.make_topics(topic, output)
    sender_name = f"{output}.sender"
    (LOG_DIR / f"{sender_name}.out").unlink(missing_ok=True)  # a phase adds to what is there
    with harness.Phase([stack.pids["kafka"]]) as phase:
        phase.start(output, [*stack.on_its_core, *contestant.endless(field, output)], field.env(output))
        arguments = [stack.kafka, topic, output, field.model.dataset, rate, warm, seconds]
        sender = phase.start(sender_name, [program("bench_latency"), *arguments])
        try:
            phase.wait(sender, warm + seconds + PATIENCE_SECONDS)
        except Trouble as trouble:
            words = (LOG_DIR / f"{sender_name}.err").read_text().strip().splitlines()[-1:]
            raise Trouble(f"{name} at {rate:,} records/s: {' '.join(words)}; {trouble}") from None
    told = json.loads((LOG_DIR / f"{sender_name}.out").read_text())
    field.records = told["sent"]
    field.expect()
    field.check(contestant, output)
    found = Latency(name, load, rate, told, phase.measured)
    say(f"{name}, {rate:,} records/s: p50 {told['p50_ms']} ms, p99 {told['p99_ms']} ms")
    return found


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
