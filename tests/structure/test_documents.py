"""The documents say what is so."""

import re
import subprocess
from functools import cache

import pytest

from cpp import joined_strings
from tree import ROOT, files, report, sources, text

MARKDOWN = [name for name in files() if name.endswith(".md")]
WEIR = ROOT / "build/release/src/cli/weir"


# ---- links ----

def anchors(name):
    """The anchors that GitHub makes of a document's headings."""
    plain = re.sub(r"^```.*?^```", "", text(name), flags=re.M | re.S)
    found = set()
    for heading in re.findall(r"^#+\s+(.*)$", plain, re.M):
        words = re.sub(r"[^\w\s-]", "", heading.replace("`", "").strip().lower())
        found.add(words.replace(" ", "-"))
    return found


@pytest.mark.parametrize("name", MARKDOWN)
def test_links_resolve(name):
    plain = re.sub(r"^```.*?^```|`[^`\n]*`", "", text(name), flags=re.M | re.S)
    faults = []
    for target in re.findall(r"\]\(([^)\s]+)\)", plain):
        if re.match(r"https?://|mailto:", target):
            continue
        path, _, anchor = target.partition("#")
        there = ((ROOT / name).parent / path).resolve() if path else ROOT / name
        if not there.exists():
            faults.append(target)
        elif anchor and there.suffix == ".md":
            if anchor not in anchors(str(there.relative_to(ROOT))):
                faults.append(f"{target}: no such heading")
    assert not faults, report(faults, f"links in {name} that lead nowhere:")


@pytest.mark.parametrize("name", MARKDOWN)
def test_folders_named_in_code_marks_are_there(name):
    """`docs/operations.md`, `src/gate/members.h`: what looks like a path of ours is one."""
    plain = re.sub(r"^```.*?^```", "", text(name), flags=re.M | re.S)
    folders = "|".join(sorted({path.split("/")[0] for path in files() if "/" in path}))
    faults = []
    for path in re.findall(rf"`((?:{re.escape(folders).replace(chr(92) + '|', '|')})/[\w./-]+)`", plain):
        if not (ROOT / path).exists() and not (ROOT / name).parent.joinpath(path).exists():
            faults.append(path)
    assert not faults, report(faults, f"paths in {name} that are not there:")


# ---- the two commands ----

def test_the_readme_names_the_two_commands_that_are_run():
    blocks = "\n".join(re.findall(r"^```\w*\n(.*?)^```", text("README.md"), re.M | re.S))
    for command in ("./run.sh", "./test.sh"):
        assert re.search(rf"^{re.escape(command)}\b", blocks, re.M), f"README.md has no line {command}"
        assert (ROOT / command).stat().st_mode & 0o111, f"{command} cannot be executed"
    assert re.search(r"\./test\.sh\s*$", text(".ci/run")), ".ci/run does not run ./test.sh"
    assert "tests/e2e" in text("test.sh") and "ctest" in text("test.sh")


def test_options_that_the_readme_gives_to_the_scripts_are_theirs():
    for script in ("run.sh", "test.sh"):
        for option in re.findall(rf"\./{re.escape(script)}[^\n`]*?(--[a-z-]+)", text("README.md")):
            assert option in text(script), f"{script} has no {option}"


# ---- the commands of weir ----

@cache
def commands():
    """'run', 'models list', …: as the sources declare them."""
    found = set()
    for name in sources(".cc"):
        if not name.startswith("src/cli/command_"):
            continue
        for parent, command in re.findall(
                r"(\w+)(?:\.|->)add_subcommand\(\s*\"([a-z]+)\"", text(name)):
            owner = re.search(rf'\b{parent}\s*=\s*\w+(?:\.|->)add_subcommand\(\s*"([a-z]+)"', text(name))
            found.add(f"{owner.group(1)} {command}" if owner else command)
        found.update(re.findall(r'add_file_command\(\s*app,\s*action,\s*"([a-z]+)"', text(name)))
    return {one for one in found if not any(other.startswith(one + " ") for other in found)}


def commands_in_readme():
    rows = re.findall(r"^\|\s*`weir ([^`]+)`", text("README.md"), re.M)
    return {" ".join(re.findall(r"(?<![\w-])[a-z]+\b", re.split(r"\s(?=[-\[A-Z])", row)[0]))
            for row in rows}


def test_each_command_is_in_the_readme_and_no_other():
    assert len(commands()) >= 10, "the commands were not found in src/cli"
    missing = sorted(commands() - commands_in_readme())
    invented = sorted(commands_in_readme() - commands())
    assert not missing, report(missing, "commands that the README's table lacks:")
    assert not invented, report(invented, "commands of the README's table that weir has not:")


def test_the_help_lists_the_same_commands():
    if not WEIR.exists():
        pytest.skip("no release build")
    said = subprocess.run([WEIR, "--help"], check=True, capture_output=True, text=True).stdout
    listed = re.findall(r"^  ([a-z]+) {2,}\S", said.split("Subcommands:")[1], re.M)
    assert set(listed) == {one.split()[0] for one in commands()}


# ---- tests and messages that the documents quote ----

@cache
def known_tests():
    found = set()
    for name in files():
        if re.match(r"src/.*\.(cc|h)$|tests/.*\.cc$", name):
            found.update(f"{suite}.{test}" for suite, test in
                         re.findall(r"^\s*TEST(?:_F|_P)?\(\s*(\w+),\s*(\w+)\s*\)", text(name), re.M))
        elif re.match(r"tests/.*\.py$", name):
            found.update(f"{name}::{test}" for test in
                         re.findall(r"^def (test_\w+)\(", text(name), re.M))
    return found


@pytest.mark.parametrize("name", [name for name in MARKDOWN if name.startswith("docs/")])
def test_tests_that_documents_name_are_there(name):
    named = set(re.findall(r"`([A-Z]\w+\.[a-z]\w*_\w+)`|`(tests/[\w/]+\.py::test_\w+)`", text(name)))
    faults = sorted(a or b for a, b in named if (a or b) not in known_tests())
    assert not faults, report(faults, f"tests in {name} that are not there:")


def test_promises_name_tests():
    assert len(re.findall(r"`[A-Z]\w+\.[a-z]\w*_\w+`", text("docs/promises.md"))) >= 20


def test_messages_quoted_in_operations_are_the_programs_own():
    """### `a message with … for what varies`"""
    program = "\n".join(joined_strings(text(name)) for name in sources(".cc", ".h")
                        if not name.endswith("_test.cc"))
    quoted = re.findall(r"^#{3,} `([^`]+)`", text("docs/operations.md"), re.M)
    assert len(quoted) >= 8, "docs/operations.md quotes no messages"
    faults = [message for message in quoted
              if not all(piece.strip() in program for piece in message.split("…"))]
    assert not faults, report(faults, "docs/operations.md quotes what the program never says:")


# ---- shape ----

def test_architecture_stays_short():
    lines = text("ARCHITECTURE.md").count("\n")
    assert lines <= 200, f"ARCHITECTURE.md has {lines} lines; 200 are allowed"


def test_the_readmes_pictures_fit_a_terminal():
    blocks = re.findall(r"^```text\n(.*?)^```", text("README.md"), re.M | re.S)
    faults = [line for block in blocks for line in block.splitlines() if len(line) > 80]
    assert blocks and not faults, report(faults, "lines of more than 80 columns in README.md:")


def public_headers():
    return [name for name in sources(".h") if not name.endswith(("_internal.h", "_test.h"))]


@pytest.mark.parametrize("name", public_headers())
def test_a_public_header_begins_with_its_contract(name):
    comment = re.match(r"((?://[^\n]*\n)+)#pragma once\n", text(name))
    assert comment, f"{name} does not begin with a comment and #pragma once"
    words = comment.group(1).replace("//", "").split()
    assert len(words) >= 8, f"{name} says too little: what it is for, its owner, threads, errors"
