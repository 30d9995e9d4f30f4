"""The figures of a run, from what the watch saw and what was done."""

import bisect
import itertools
import statistics
from collections import Counter


def _overlap(begin, end, intervals):
    return sum(max(0.0, min(end, b) - max(begin, a)) for a, b in intervals)


def longest_gap(times, but, began):
    """The longest time between two predictions, without what of it lies in the intervals `but`."""
    merged = _merged(but)
    gaps = (
        (b - a - _overlap(a, b, merged), a - began)
        for a, b in itertools.pairwise(times)
        if b - a > 0.05
    )
    length, begin = max(gaps, default=(0.0, 0.0))
    return f"{length:.2f} s, from second {begin:.1f} on"


def _merged(intervals):
    merged = []
    for begin, end in sorted(intervals):
        if merged and begin <= merged[-1][1]:
            merged[-1] = (merged[-1][0], max(end, merged[-1][1]))
        else:
            merged.append((begin, end))
    return merged


def recoveries(kills, arrivals, disturbed):
    """Seconds from each SIGKILL of a scorer to the next prediction: (of any partition, of each).

    Those in which the stream was halted, or a server away, say something else and are left out.
    """
    first, all_of_them = [], []
    for kill in kills:
        if kill.role != "scorer":
            continue
        nexts = []
        for times in arrivals.values():
            at = bisect.bisect_right(times, kill.at)
            if at == len(times):
                break
            nexts.append(times[at] - kill.at)
        if len(nexts) < len(arrivals):
            continue  # too close to the end
        if _overlap(kill.at, kill.at + max(nexts), disturbed) == 0:
            first.append(min(nexts))
            all_of_them.append(max(nexts))
    return first, all_of_them


def _median_and_max(values):
    if not values:
        return "none"
    return f"median {statistics.median(values):.2f} s, max {max(values):.2f} s, of {len(values)}"


def gather(storm, judge):
    """name -> value, in the order in which they are printed."""
    watch = storm.watch
    halts = watch.halts()
    outages = [(begin, end) for begin, end, _ in storm.outages]
    kafka_outages = [(begin, end) for begin, end, server in storm.outages if server != "datanode"]
    times = sorted(itertools.chain.from_iterable(watch.arrivals.values()))
    lengths = [end - begin for begin, end in halts]
    first, all_of_them = recoveries(storm.crew.kills, watch.arrivals, halts + outages)
    kills = Counter(kill.role for kill in storm.crew.kills)
    return {
        "records": judge.features,
        "predictions": judge.predictions,
        "dead letters": judge.dead_letters,
        "SIGKILLs": sum(kills.values()),
        **{f"SIGKILLs of {role}s": kills[role] for role in sorted(kills)},
        "SIGSTOPs of scorers": storm.stops,
        "servers killed": ", ".join(server for _, _, server in storm.outages),
        "ended as a server was away": len(storm.crew.ends),
        "epochs": len(watch.begins),
        "swaps": watch.outcomes("trained") - 1,
        "refused": watch.outcomes("refused"),
        "failed": watch.outcomes("failed"),
        "rollbacks": watch.outcomes("rolled_back"),
        "halts": _median_and_max(lengths),
        "changes without a halt": sum(r["type"] == "train" for _, r in watch.begins.values()),
        "longest time without a prediction": longest_gap(times, [], storm.began),
        "… outside of halts": longest_gap(times, halts, storm.began),
        "… and while all servers were there": longest_gap(times, halts + kafka_outages, storm.began),
        "SIGKILL of a scorer to the next prediction": _median_and_max(first),
        "… to one of every partition": _median_and_max(all_of_them),
    }
