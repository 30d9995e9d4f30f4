"""The command line of the torture: a stack of its own, the storm, the verdict, the figures."""

import argparse
import contextlib
import fcntl
import json
import random
import resource
import shutil
import signal
import sys
import time
import traceback
from pathlib import Path

ROOT = Path(__file__).resolve().parents[3]
sys.path.insert(0, str(ROOT / "tests/e2e"))

import figures  # noqa: E402
import verdict  # noqa: E402
from storm import Storm  # noqa: E402
from support.pipeline import Pipeline  # noqa: E402
from support.stack import WEIR, stack_command, stack_in  # noqa: E402

SHORT = {
    "records": 60_000,
    "kills": 18,
    "swaps": 6,
    "stops": 2,
    "rollbacks": 1,
    "bounces": 2,
    "minutes": 1.75,
    "brokers": 1,
}
LONG = {
    "records": 1_000_000,
    "kills": 60,
    "swaps": 20,
    "stops": 6,
    "rollbacks": 3,
    "bounces": 9,
    "minutes": 15,
    "brokers": 3,
}
BESIDES_SECONDS_MAX = 120  # the stack, the drain and the verdict, of a short run


def parse(arguments):
    parser = argparse.ArgumentParser(
        prog="tests/torture/run",
        description="Runs a pipeline of separate processes on servers of its own, kills them at "
        "random, then reads everything back and judges whether the promises held. Exit code: 0 they "
        "held, 1 they did not, or the run came to nothing.",
    )
    parser.add_argument("--long", action="store_true", help="a long run: " + _told(LONG))
    for name, meaning in {
        "records": "keyed records to be written, besides those of weir produce",
        "kills": "SIGKILLs of trainers, scorers and producers",
        "swaps": "data sets that become models while it runs",
        "stops": "of these, how many find a scorer that was stopped a moment before",
        "rollbacks": "rollbacks",
        "bounces": "SIGKILLs of servers, a third of them of the DataNode, and their restarts",
    }.items():
        parser.add_argument(f"--{name}", type=int, metavar="N", help=meaning)
    parser.add_argument("--minutes", type=float, metavar="M", help="how long the storm blows")
    parser.add_argument("--brokers", type=int, choices=(1, 3), help="nodes of Kafka")
    parser.add_argument("--seed", type=int, help="of the schedule (default: another each time)")
    parser.add_argument("--dir", type=Path, default=ROOT / ".weir/torture", help="for servers and logs")
    parser.add_argument("--keep", action="store_true", help="leave the servers running at the end")
    parser.add_argument(
        "--sabotage",
        metavar="FAULT",
        help="run roles that have this fault planted (sabotage/sabotaged_broker.h): must fail",
    )
    parser.add_argument("--report", type=Path, metavar="FILE", help="write the outcome as JSON")
    parser.epilog = "Without --long: " + _told(SHORT)
    options = parser.parse_args(arguments)
    for name, value in (LONG if options.long else SHORT).items():
        if getattr(options, name) is None:
            setattr(options, name, value)
    if min(options.records, options.swaps, options.minutes) <= 0:
        parser.error("--records, --swaps and --minutes must be more than 0")
    if options.seed is None:
        options.seed = random.randrange(1_000_000)
    return options


def _told(values):
    return ", ".join(f"--{name} {value}" for name, value in values.items())


def time_out(*_):
    raise TimeoutError("the run takes too long")


def end_by_signal(number, _):
    raise SystemExit(128 + number)


@contextlib.contextmanager
def own_stack(directory, options):
    """Servers of this run alone, gone at its end however it ends."""
    stack_directory = directory / "stack"
    if stack_directory.exists():
        stack_command("down", stack_directory, "--kill", "--wipe")
    up = ("up", stack_directory, "--only", "kafka,hdfs", "--brokers", str(options.brokers))
    try:
        stack_command(*up, "--ports", "auto", seconds=300)
        yield stack_in(stack_directory)
    finally:
        signal.alarm(0)
        for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
            signal.signal(number, signal.SIG_IGN)
        if options.keep:
            print(f"the servers are left running: stack/down --dir {stack_directory} --wipe")
        elif stack_directory.exists():
            stack_command("down", stack_directory, "--kill", "--wipe")


def torture(options, stack, folder):
    """The report: figures, and faults by where they were found."""
    pipeline = Pipeline(f"torture-{options.seed}", stack, folder)
    storm = Storm(options, pipeline)
    try:
        storm.run()
        began = time.monotonic()
        remains = verdict.Remains(pipeline, options.records, storm.sums)
        faults, judge = verdict.judge_streams(remains)
        report = {"figures": figures.gather(storm, judge), "faults": {}}
        found = {
            "topics": str(faults) if faults else None,
            "folders": verdict.folder_faults(remains),
            "weir audit": verdict.audit(pipeline),
            "the run itself": shortcomings(options, storm),
        }
        report["faults"] = {where: what for where, what in found.items() if what}
        report["figures"]["time to judge"] = f"{time.monotonic() - began:.1f} s"
        if not report["faults"] and judge.features <= verdict.KEPT_RECORDS_MAX:
            tried, missed = verdict.unnoticed(remains)
            report["tamperings"] = tried
            if missed:
                report["faults"]["tamperings that were not noticed"] = "\n".join(missed)
        memory = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
        report["figures"]["memory of the harness"] = f"{memory / 1024:.0f} MiB"
        return report
    finally:
        pipeline.close()


def shortcomings(options, storm):
    """Where the run was milder than it was meant to be: it proves less, so it does not pass."""
    watch = storm.watch
    short = []
    for what, wanted, had in [
        ("SIGKILLs", options.kills, len(storm.crew.kills)),
        ("swaps", options.swaps, watch.outcomes("trained") + watch.outcomes("failed") - 1),
        ("rollbacks", options.rollbacks, watch.outcomes("rolled_back")),
    ]:
        if had < wanted:
            short.append(f"{had} {what}, {wanted} were wanted")
    return "; ".join(short)


def show(options, report):
    print()
    for name, value in report.get("figures", {}).items():
        print(f"{name:<44} {value}")
    if report.get("tamperings"):
        print(f"{'tamperings, each named by the checker':<44} {len(report['tamperings'])}")
    again = " ".join(f"--{name} {getattr(options, name)}" for name in ("seed", *SHORT))
    for where, what in report["faults"].items():
        print(f"\nFAULT, {where}: {what}")
    print(f"\n{'FAILED' if report['faults'] else 'All promises held'}: tests/torture/run {again}")


def main():
    options = parse(sys.argv[1:])
    assert WEIR.exists(), f"no program at {WEIR}: build it first"
    for number in (signal.SIGTERM, signal.SIGHUP):
        signal.signal(number, end_by_signal)
    signal.signal(signal.SIGALRM, time_out)
    options.dir.mkdir(parents=True, exist_ok=True)
    with open(options.dir / "lock", "w") as lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            raise SystemExit(f"another run is at work in {options.dir}; give --dir") from None
        folder = options.dir / f"seed-{options.seed}-{time.strftime('%H%M%S')}"
        folder.mkdir()
        print(f"seed {options.seed}, logs in {folder}", file=sys.stderr, flush=True)
        signal.alarm(int(options.minutes * 60 * 1.5) + BESIDES_SECONDS_MAX)
        report = {"seed": options.seed, "faults": {}}
        with own_stack(options.dir, options) as stack:
            try:
                report |= torture(options, stack, folder)
            except Exception as error:  # a failed run is an outcome, to be told with its seed
                traceback.print_exc()
                report["faults"]["the run"] = str(error) or repr(error)
    # Of a sabotaged run the failure is no news.
    if (options.sabotage or not report["faults"]) and not options.keep:
        shutil.rmtree(folder)
    if options.report:
        options.report.write_text(json.dumps(report, indent=2))
    show(options, report)
    return 1 if report["faults"] else 0


sys.exit(main())
