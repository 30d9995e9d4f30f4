"""Who may know whom. The table is the design; ARCHITECTURE.md draws it."""

import re

import pytest

from tree import files, is_test, report, room_of, sources, text

# Lowest first: a room includes headers of its own and of those named here, which all stand above it.
ROOMS = {
    "base": [],
    "record": ["base"],
    "http": ["base"],
    "trace": ["base"],
    "config": ["base"],
    "format": ["base", "record"],
    "store": ["base", "record", "config"],
    "stream": ["base", "record"],
    "model": ["base", "record"],
    "redis": ["base"],
    "cache": ["base", "record", "model", "redis"],
    "registry": ["base", "record", "format", "store", "model"],
    "gate": ["base", "record", "stream"],
    "train": ["base", "record", "trace", "format", "store", "stream", "model", "registry", "gate"],
    "produce": ["base", "record", "format", "stream", "registry", "gate"],
    "score": ["base", "record", "trace", "format", "stream", "model", "cache", "registry", "gate"],
    "watch": ["base", "record", "format", "stream", "model", "registry", "gate", "produce"],
    # Judges the others, so it shares none of their code but the shapes of control records.
    "audit": ["base", "record", "store", "stream"],
    "predictions": ["base", "record", "format", "stream", "redis"],
    "serve": ["base", "record", "http", "trace", "format", "store", "stream", "model", "cache",
              "registry", "gate", "predictions"],
    "infer_grpc": ["base", "format", "serve"],
    "cli": ["base", "record", "config", "format", "store", "stream", "model", "registry", "gate",
            "train", "produce", "score", "watch", "audit", "redis", "cache", "predictions", "http",
            "trace", "serve", "infer_grpc"],
}
MIDDLE_ROW = ["format", "store", "stream", "model"]
# The roles are tested on in-memory stores and with each other; nothing else looks further.
TESTS_ALSO = {"score": ["store"], "produce": ["store", "model"], "watch": ["store"]}

# The library behind an #include <…>, the rooms that wrap it, and the files there that may see it.
CODE = r"\.cc$"
LIBRARIES = [
    (r"librdkafka/", ["stream"], r"\.cc$|_internal\.h$"),
    (r"curl/", ["store", "trace"], CODE),
    (r"hiredis/", ["redis"], CODE),
    (r"boost/", ["http"], r"\.cc$|_internal\.h$"),
    (r"zlib\.h$", ["http"], CODE),
    (r"sqlite3\.h$", ["predictions"], r"\.cc$|_internal\.h$"),
    (r"grpc/|grpcpp/|google/protobuf/|open_inference/", ["infer_grpc"], r"\.cc$|_internal\.h$"),
    (r"CLI/", ["cli"], r"\.(cc|h)$"),
    (r"yaml-cpp/|pugixml\.hpp$", ["config"], CODE),
    (r"simdjson\.h$", ["format", "audit"], CODE),
    (r"Eigen/", ["model"], CODE),
    (r"openssl/|spdlog/|date/", ["base"], CODE),
    # Trees are grown by it in one place; everyone else has trees of the project's own.
    (r"xgboost/", ["model"], r"/boosted_training\.cc$"),
    (r"nlohmann/json_fwd\.hpp$", ["record", "model", "registry", "serve", "audit"], r"\.h$"),
    (r"nlohmann/", ["record", "trace", "store", "stream", "model", "registry", "train", "watch", "serve",
                    "audit", "cli"], CODE),
    (r"tl/expected\.hpp$", list(ROOMS), r"\.(cc|h)$"),
    # The system's own.
    (r"unistd\.h$|fcntl\.h$|poll\.h$|sys/|pwd\.h$",
     ["base", "config", "store", "redis", "predictions", "infer_grpc", "cli"], r"\.(cc|h)$"),
    (r"netdb\.h$", ["infer_grpc"], CODE),
    (r"termios\.h$", ["cli"], r"/terminal\.cc$"),
    (r"p?thread\.h$|signal\.h$", ["base", "cli"], CODE),
    (r"nss\.h$", ["cli"], r"/worker/main\.cc$"),
    (r"(link|elf)\.h$", ["cli"], r"/build_identity\.cc$"),
    (r"arpa/|netinet/", ["store"], r"/block_reader\.cc$"),
    (r"[a-z]*mintrin\.h$", ["format", "model", "store"], r"\.(cc|h)$"),
]
LIBRARIES_OF_TESTS = r"(gtest|gmock|benchmark|nlohmann|librdkafka|xgboost|sys|netinet|arpa)/|[a-z]+\.h$"


def includes(name, form):
    return re.findall(rf"^\s*#\s*include\s*{form}", text(name), re.M)


def test_the_table_is_downhill():
    order = list(ROOMS)
    for room, known in ROOMS.items():
        for other in known:
            assert order.index(other) < order.index(room), f"{room} stands above {other}"
    for room in MIDDLE_ROW:
        assert not set(ROOMS[room]) & set(MIDDLE_ROW), f"{room} knows another of the middle row"


def test_each_folder_of_src_is_a_room():
    found = {room_of(name) for name in files() if re.match(r"src/[^/]+/", name)}
    assert found == set(ROOMS), "a folder under src/ and no room in the table, or the reverse"


def test_rooms_include_only_what_the_table_allows():
    faults = []
    for name in sources(".cc", ".h"):
        room = room_of(name)
        allowed = {room, *ROOMS[room]}
        if is_test(name):
            allowed |= set(TESTS_ALSO.get(room, []))
        for included in includes(name, r'"([^"]+)"'):
            other = included.split("/")[0]
            if "/" not in included:
                faults.append(f'{name}: "{included}" does not name its room')
            elif other not in allowed:
                faults.append(f'{name}: {room} includes "{included}"')
    assert not faults, report(faults, "includes that go uphill or sideways:")


def test_the_build_links_only_what_the_table_allows():
    faults = []
    for room in ROOMS:
        declared = re.search(r"weir_room\(\s*(\w+)([^)]*)\)", text(f"src/{room}/CMakeLists.txt"))
        assert declared and declared.group(1) == room
        words = declared.group(2).split()
        if "DEPS" not in words:
            continue
        for word in words[words.index("DEPS") + 1:]:
            if word.isupper():
                break
            if word not in ROOMS[room]:
                faults.append(f"src/{room}/CMakeLists.txt: DEPS {word}")
    assert not faults, report(faults, "libraries linked that the table does not allow:")


def test_libraries_stay_with_the_room_that_wraps_them():
    faults = []
    for name in sources(".cc", ".h"):
        for included in includes(name, r"<([^>]+)>"):
            if re.fullmatch(r"[a-z_0-9]+", included):
                continue  # the C++ standard library
            if is_test(name) and re.match(LIBRARIES_OF_TESTS, included):
                continue
            rule = next((rule for rule in LIBRARIES if re.match(rule[0], included)), None)
            if rule is None:
                faults.append(f"{name}: <{included}> is in no room of the table LIBRARIES")
            elif room_of(name) not in rule[1] or not re.search(rule[2], name):
                faults.append(f"{name}: <{included}>")
    assert not faults, report(faults, "headers of others outside the files that wrap them:")


@pytest.mark.parametrize("room", ROOMS)
def test_each_room_has_a_readme(room):
    name = f"src/{room}/README.md"
    assert name in files(), f"{name} is missing: what flows in and out, why, what does not belong"
    assert len(text(name).split()) > 30, f"{name} says next to nothing"
    # A formatter of code that is let loose on it leaves no heading, and indents what are sentences.
    first, *rest = text(name).splitlines()
    assert re.match(rf"# {room}\b", first), f"{name} does not begin with the heading '# {room}'"
    code = False
    for line in rest:
        code ^= line.startswith("```")
        assert code or len(line) - len(line.lstrip()) < 4, f"{name} is mangled at '{line.strip()}'"
