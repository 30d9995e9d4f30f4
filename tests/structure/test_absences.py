"""What ARCHITECTURE.md says is absent is absent."""

import re

from cpp import code_only, functions
from tree import is_test, report, room_of, sources, text


def lines_with(pattern, names):
    for name in names:
        for number, line in enumerate(code_only(text(name)).splitlines(), 1):
            if re.search(pattern, line):
                yield name, number


def program(*rooms, but=()):
    return [name for name in sources(".cc", ".h") if not is_test(name)
            and (not rooms or room_of(name) in rooms) and room_of(name) not in but]


def includes_of(names):
    return {(name, header) for name in names
            for header in re.findall(r"#\s*include\s*<([^>]+)>", text(name))}


def test_offsets_are_committed_in_one_place():
    names = program(but=["stream"])
    # (The bytes that a socket has put into a buffer are "committed" to it, in Beast's words.)
    found = list(lines_with(r"(?<!buffer_)(->|\.)commit\(", names))
    without = set(lines_with(r"->commit\((\{\}|\"\"), \{\}, nullptr\)", names))
    assert {name for name, _ in without} == {"src/gate/control_log.cc", "src/score/replay.cc",
                                             "src/serve/push_queue.cc"}
    faults = [f"{name}:{number}" for name, number in found
              if name != "src/score/scorer.cc" and (name, number) not in without]
    assert not faults, report(faults, "offsets are committed outside of the scorer:")
    with_offsets = [(name, number) for name, number in found if name == "src/score/scorer.cc"]
    assert len(with_offsets) == 1, "Scorer commits in more than one place, or nowhere"
    bodies = {name: (first, length) for name, first, length in functions(text("src/score/scorer.cc"))}
    first, length = bodies["Scorer::try_commit"]
    assert first <= with_offsets[0][1] < first + length, "the commit is not in Scorer::try_commit"


def test_only_the_writer_of_the_control_log_writes_it():
    faults = [f"{name}:{number}" for name, number in
              lines_with(r"ControlWriter::open\(", program(but=["gate"])) if room_of(name) != "train"]
    assert not faults, report(faults, "the control log is opened for writing outside of the trainer:")


def test_model_and_format_touch_nothing_outside():
    outside = {"fstream", "filesystem", "iostream", "thread", "cstdio", "chrono", "random", "mutex"}
    faults = [f"{name}: <{header}>" for name, header in includes_of(program("model", "format"))
              if header in outside]
    faults += [f"{name}:{number}" for name, number in
               lines_with(r"\b(getenv|fopen|std::cout|std::cerr|log::\w+\()", program("model", "format"))]
    assert not faults, report(faults, "model and format are pure functions of their input:")


def test_threads_begin_only_where_architecture_says():
    allowed = {"src/cli/supervisor.cc", "src/cli/ending.cc", "src/cli/command_run.cc", "src/cli/gateway.cc", "src/infer_grpc/server.cc",
               "src/train/dataset_chunks.h", "src/train/dataset_chunks.cc", "src/stream/kafka_client.cc",
               "src/http/server.cc", "src/serve/workers.h", "src/serve/workers.cc", "src/score/model_loader.cc", "src/store/webhdfs_file_store.cc",
               "src/cache/redis_entries.h", "src/cache/redis_entries.cc", "src/trace/tracer.h", "src/trace/tracer.cc"}
    faults = [f"{name}:{number}" for name, number in
              lines_with(r"std::j?thread\b(?!::hardware)|std::async", program()) if name not in allowed]
    assert not faults, report(faults, "a thread that ARCHITECTURE.md does not tell of:")


def test_the_environment_is_read_only_in_config_and_for_colour_and_crash_points():
    faults = []
    for name, number in lines_with(r"\bgetenv\(|\benviron\b", program(but=["config"])):
        if "NO_COLOR" in text(name) and room_of(name) == "cli" or name == "src/base/crash_point.cc":
            continue
        faults.append(f"{name}:{number}")
    assert not faults, report(faults, "the environment is read outside of config:")


def test_what_is_thrown_is_caught_in_the_same_room():
    """Errors are values; a throw is a word to the library underneath, whose exceptions end here."""
    catching = {room_of(name) for name, _ in lines_with(r"\bcatch\b", program())}
    faults = [f"{name}:{number}" for name, number in lines_with(r"\bthrow\b", program())
              if room_of(name) not in catching]
    assert not faults, report(faults, "thrown, and not caught in the same room:")


def test_roles_take_their_time_from_the_clock_they_were_given():
    faults = [f"{name}:{number}" for name, number in
              lines_with(r"this_thread|system_clock\(\)|(steady|system)_clock::now",
                         program("gate", "produce", "score"))]
    assert not faults, report(faults, "time that no test can hold:")
