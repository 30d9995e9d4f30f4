"""weir-worker: it needs nothing of the machine, and makes the same bytes as weir."""

import re
import subprocess

import pytest

from support.stack import WEIR
from support.tables import plane

WORKER = WEIR.parent / "weir-worker"


def readelf(*options):
    return subprocess.run(["readelf", "--wide", *options, WORKER], check=True, capture_output=True,
                          text=True).stdout


def work(*arguments, stdin=b"", **environment):
    return subprocess.run([WORKER, *arguments], input=stdin, capture_output=True, timeout=60, env=environment)


@pytest.fixture
def planned(pipeline):
    header, *lines = plane(11, rows=400).decode().splitlines()
    for number in range(3):
        part = "\n".join([header, *lines[number::3]]) + "\n"
        pipeline.hdfs.create(f"{pipeline.dataset_path}/table/part-{number}.csv", part.encode())
    pipeline.hdfs.create(f"{pipeline.dataset_path}/table/_SUCCESS", b"")
    return pipeline, pipeline.ok("plan", "--dataset", "table").splitlines()


def test_it_asks_for_no_loader_no_library_and_no_symbol_of_any_glibc():
    assert "INTERP" not in readelf("--program-headers")
    assert "NEEDED" not in readelf("--dynamic")
    assert not re.findall(r"@+GLIBC_[\d.]+", readelf("--symbols"))
    # What the kernel has to be at least, as the file says itself: that of RHEL 8 and Debian 10 is newer.
    kernel = re.search(r"ABI: (\d+)\.(\d+)", readelf("--notes"))
    assert (int(kernel[1]), int(kernel[2])) <= (4, 18)


def test_it_makes_the_states_of_weir_byte_for_byte(planned, tmp_path):
    pipeline, plan = planned
    conf = {"HADOOP_CONF_DIR": pipeline.stack.hadoop_conf_dir}
    for lines in ([plan[1]], plan, plan[::2]):
        stdin = "\n".join(lines).encode()
        for form in ([], ["--base64"]):
            theirs = pipeline.run("stats", *form, stdin=stdin)
            mine = work("stats", *form, stdin=stdin, **conf)
            assert theirs.returncode == mine.returncode == 0, (theirs.stderr, mine.stderr)
            assert mine.stdout == theirs.stdout and len(mine.stdout) > 1000
    states = [work("stats", line, **conf).stdout for line in plan]
    files = []
    for number, state in enumerate(states):
        files.append(tmp_path / f"state{number}")
        files[-1].write_bytes(state)
    merged = work("merge", *files)
    assert merged.returncode == 0 and merged.stdout == pipeline.run("merge", *files).stdout
    assert work("merge", "--ignore-duplicates", stdin=b"".join(states + states)).stdout == merged.stdout


def test_it_finds_hosts_by_name_and_reads_local_files(planned, tmp_path):
    pipeline, _ = planned
    port = pipeline.stack.namenode_http.rpartition(":")[2]
    (tmp_path / "table.csv").write_bytes(plane(3))
    for place in (f"webhdfs://localhost:{port}{pipeline.dataset_path}/table", tmp_path / "table.csv"):
        plan = pipeline.ok("plan", place).encode()
        mine = work("stats", stdin=plan)
        assert mine.returncode == 0, mine.stderr
        assert mine.stdout == pipeline.run("stats", stdin=plan).stdout


def test_it_ends_as_weir_does_where_it_cannot_go_on(planned):
    pipeline, plan = planned
    pipeline.hdfs.delete(f"{pipeline.dataset_path}/table/part-1.csv")
    conf = {"HADOOP_CONF_DIR": pipeline.stack.hadoop_conf_dir}
    for command, stdin in ((["stats"], plan[1].encode()), (["stats"], b"no line"), (["merge"], b"no state")):
        theirs, mine = pipeline.run(*command, stdin=stdin), work(*command, stdin=stdin, **conf)
        assert theirs.returncode == mine.returncode != 0
        assert mine.stderr == theirs.stderr and mine.stdout == b""
    wrong = work("fit")
    assert wrong.returncode == 2 and b"usage" in wrong.stderr
