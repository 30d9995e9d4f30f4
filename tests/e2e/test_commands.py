"""The commands that a person types, and what they answer when something is wrong."""

import csv
import io
import json
import math
import os
import signal
import socket
import statistics
import subprocess
import time

import pytest

from support.process import clean_environment
from support.promises import check_promises
from support.stack import WEIR
from support.tables import BOSTON, plane, read_table

ESCAPE = b"\x1b"


def json_lines(text):
    return [json.loads(line) for line in text.splitlines()]


def closed_port():
    """An address where nobody listens."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return f"127.0.0.1:{probe.getsockname()[1]}"


@pytest.fixture
def trained(pipeline):
    pipeline.train_once("first.csv", plane(1))
    return pipeline


# ---- predict, describe, drop ----


def test_predict_gives_the_values_that_the_stream_gives(trained):
    names, rows = read_table(plane(77, rows=40))
    (trained.folder / "rows.csv").write_bytes(plane(77, rows=40))
    records = [
        (str(n).encode(), json.dumps(dict(zip(names[:3], row))).encode())
        for n, row in enumerate(rows)
    ]
    trained.send(records)
    trained.ok("score", "--until-end")
    streamed = {
        int(r.key): json.loads(r.value)["prediction"] for r in check_promises(trained).predictions
    }
    table = list(csv.DictReader(io.StringIO(trained.ok("predict", "rows.csv"))))
    assert list(table[0]) == [*names, "prediction"]
    assert [float(row["prediction"]) for row in table] == [streamed[n] for n in range(len(rows))]

    in_json = json_lines(trained.ok("predict", "rows.csv", "--output", "json"))
    assert [line["prediction"] for line in in_json] == [streamed[n] for n in range(len(rows))]
    assert {line["model"] for line in in_json} == {1}
    # Columns by name, not by place, and none but those of the model.
    shuffled = "x3,id,x1,x2\n" + "".join(
        f"{row[2]!r},id{n},{row[0]!r},{row[1]!r}\n" for n, row in enumerate(rows)
    )
    again = trained.run("predict", "-", "--output", "json", "--model", "1", stdin=shuffled.encode())
    assert again.returncode == 0
    assert [line["prediction"] for line in json_lines(again.stdout)] == [
        streamed[n] for n in range(len(rows))
    ]


def test_predict_names_the_rows_that_it_cannot_score_and_scores_the_others(trained):
    done = trained.run("predict", "-", stdin=b"x1,x2,x3\n1,2,3\n1,,3\n4,5\n7,8,9\n")
    assert done.returncode == 1
    answers = [line.rsplit(",", 1)[1] for line in done.stdout.decode().splitlines()[1:]]
    assert [bool(answer) for answer in answers] == [True, False, False, True]
    assert "line 3" in done.stderr.decode() and "line 4" in done.stderr.decode()

    done = trained.run("predict", "-", stdin=b"x1,x2,X3\n1,2,3\n")
    assert done.returncode == 65
    assert done.stdout == b""
    assert b"'x3'" in done.stderr and b"the nearest is" in done.stderr


def test_predict_gives_no_number_that_is_none(trained):
    # Each term overflows, so that their sum is an infinity or no number at all.
    rows = b"x1,x2,x3\n1.7e308,1.7e308,-1.7e308\n1,2,3\n"
    done = trained.run("predict", "-", "-o", "json", stdin=rows)
    assert done.returncode == 1
    overflown, good = json_lines(done.stdout)
    assert overflown["prediction"] is None and math.isfinite(good["prediction"])
    (told,) = json_lines(done.stderr)
    assert "line 2" in told["message"] and told["level"] == "error"
    done = trained.run("predict", "-", stdin=rows)
    assert done.returncode == 1
    assert done.stdout.splitlines()[1].endswith(b",")
    assert b"line 2: the prediction is not a finite number" in done.stderr


def test_output_that_cannot_be_written_is_no_success(trained):
    (trained.folder / "few.csv").write_bytes(plane(5, rows=20))
    for command in ("predict few.csv", "describe few.csv", "models list", "config show"):
        with open("/dev/full", "wb") as full:
            done = subprocess.run(
                [WEIR, *command.split()],
                cwd=trained.folder,
                env=clean_environment(trained.stack),
                stdin=subprocess.DEVNULL,
                stdout=full,
                stderr=subprocess.PIPE,
                timeout=60,
            )
        assert done.returncode == 74, command
        assert b"stdout" in done.stderr, command


def test_describe_tells_columns_and_statistics(pipeline):
    (pipeline.folder / "boston.csv").write_bytes(BOSTON)
    names, rows = read_table(BOSTON)
    described = json.loads(pipeline.ok("describe", "boston.csv", "-o", "json"))
    assert described["rows"] == len(rows)
    assert [column["name"] for column in described["columns"]] == names
    for column, values in zip(described["columns"], zip(*rows)):
        assert (column["type"], column["numbers"]) == ("number", len(rows))
        assert (column["min"], column["max"]) == (min(values), max(values))
        assert column["mean"] == pytest.approx(statistics.fmean(values), rel=1e-12)
        assert column["sd"] == pytest.approx(statistics.stdev(values), rel=1e-9)
    text = pipeline.ok("describe", "boston.csv")
    assert "506 rows, 14 columns" in text
    assert pipeline.run("describe", "no-such-file.csv").returncode == 74

    large = pipeline.run("describe", "-", "-o", "json", stdin=b"a\n1e308\n-1e308\n1e308\n-1e308\n")
    (column,) = json.loads(large.stdout)["columns"]
    assert (column["mean"], column["min"], column["max"]) == (0, -1e308, 1e308)
    assert column["sd"] == pytest.approx(math.sqrt(4 / 3) * 1e308)


def test_drop_uploads_whole_under_the_files_name_and_never_over_another(pipeline):
    data = plane(1)
    (pipeline.folder / "set.csv").write_bytes(data)
    told = pipeline.ok("drop", "set.csv")
    assert told.strip().endswith(f"{pipeline.dataset_path}/set.csv")
    assert pipeline.hdfs.read(f"{pipeline.dataset_path}/set.csv") == data
    in_json = pipeline.ok("drop", "set.csv", "--as", "in-json.csv", "--output", "json")
    (told,) = json_lines(in_json)
    assert told["dataset"].endswith(f"{pipeline.dataset_path}/in-json.csv")
    pipeline.hdfs.delete(f"{pipeline.dataset_path}/in-json.csv")

    (pipeline.folder / "set.csv").write_bytes(plane(2))
    done = pipeline.run("drop", "set.csv")
    assert done.returncode in (1, 74)
    assert b"set.csv is already there" in done.stderr
    assert pipeline.hdfs.read(f"{pipeline.dataset_path}/set.csv") == data
    assert pipeline.dropped() == ["set.csv"]  # and no temporary file beside it

    (pipeline.folder / "empty.csv").write_bytes(b"")
    assert pipeline.run("drop", "empty.csv").returncode == 65
    assert pipeline.run("drop", "no-such.csv").returncode == 74
    assert pipeline.run("drop", ".").returncode != 0
    assert pipeline.dropped() == ["set.csv"]


def test_drop_takes_hostile_names_as_names_or_refuses_them(pipeline):
    (pipeline.folder / "set.csv").write_bytes(plane(1))
    refused = ["../up.csv", "a/b.csv", "/etc.csv", "..", ".", ".hidden.csv", "_marked.csv"]
    # A trainer would never look at these, or takes them for its own.
    refused += ["x.tmp", "x.csv._COPYING_", "x.inprogress", "used", "rejected"]
    for name in refused:
        done = pipeline.run("drop", "set.csv", "--as", name)
        assert done.returncode == 2, (name, done.stderr)
        assert done.stdout == b""
    assert pipeline.hdfs.names(pipeline.root) in ([], ["dataset"])
    assert pipeline.dropped() == []

    taken = [
        "%2e%2e%2fup.csv",
        "a b+c&d=e;f?g#h.csv",
        'quote"s\'.csv',
        "ünï→.csv",
        "--output.csv",
        "$(id)`id`.csv",
        "back\\slash.csv",
        "x" * 251 + ".csv",
    ]
    for name in taken:
        pipeline.ok("drop", "set.csv", f"--as={name}")
    assert pipeline.dropped() == sorted(taken)
    # These would split the lines of logs and listings.
    for name in ("new\nline.csv", "return\r.csv", "tab\t.csv"):
        done = pipeline.run("drop", "set.csv", "--as", name)
        assert done.returncode == 2
        assert len(done.stderr.splitlines()) == 1 and not done.stdout
    assert pipeline.dropped() == sorted(taken)


def test_a_data_set_with_a_hostile_name_goes_the_whole_way(pipeline):
    name = "a b+c%2f&d=e;f?g#h'→.csv"
    pipeline.train_once(name, plane(1))
    assert pipeline.used() == [name.replace(".csv", ".1.csv")]
    pipeline.drop("bad%00.csv", b"x1,y\n1,a\n")
    assert pipeline.run("train", "--once").returncode == 1
    check_promises(pipeline)


# ---- models ----


def test_models_are_listed_shown_and_rolled_back(pipeline):
    run = pipeline.start("run", "--rate", "50")
    pipeline.drop("first.csv", plane(1))
    pipeline.wait_for_predictions(20, epoch=1)
    pipeline.drop("second.csv", plane(2))
    pipeline.wait_for_predictions(20, epoch=2)

    listed = json_lines(pipeline.ok("models", "list", "-o", "json"))
    assert [(m["version"], m["live"]) for m in listed] == [(1, False), (2, True)]
    assert listed[1]["parent_version"] == 1
    assert len(pipeline.ok("models", "list").splitlines()) == 3
    shown = json.loads(pipeline.ok("models", "show", "1", "-o", "json"))
    assert shown["model"] == pipeline.hdfs.read_json(f"{pipeline.model_path(1)}/model.json")
    assert shown["dataset"]["path"] == f"{pipeline.dataset_path}/first.csv"

    told = pipeline.ok("models", "rollback", "1")
    assert "version 1" in told and "epoch 3" in told
    resume = pipeline.wait_for_resume(3)
    assert (resume["version"], resume["outcome"]) == (1, "rolled_back")
    pipeline.wait_for_predictions(20, epoch=3)
    # What comes next is a version of its own, not one that was taken back.
    pipeline.drop("third.csv", plane(3))
    assert pipeline.wait_for_resume(4)["version"] == 4
    pipeline.wait_for_predictions(20, epoch=4)
    assert run.stop()[0] == 0
    evidence = check_promises(pipeline, all_scored=False)
    of_epoch_3 = {
        json.loads(r.value)["model"]
        for r in evidence.predictions
        if json.loads(r.value)["epoch"] == 3
    }
    assert of_epoch_3 == {1}
    assert pipeline.versions() == [1, 2, 4]
    check_reigns(pipeline, evidence)


def check_reigns(pipeline, evidence):
    """What `models show` says of each version's offsets is what the predictions say."""
    resumes = [record for _, record in evidence.control if record["type"] == "resume"]
    places = sorted(
        (answer["partition"], answer["offset"], answer["epoch"])
        for answer in map(lambda r: json.loads(r.value), evidence.predictions)
    )
    for version in pipeline.versions():
        shown = json.loads(pipeline.ok("models", "show", version, "-o", "json"))["reigns"]
        own = [resume for resume in resumes if resume["version"] == version]
        assert [(r["epoch"], r["outcome"], r["by"], r["since"]) for r in shown] == [
            (r["epoch"], r["outcome"], r["by"], r["at"]) for r in own
        ]
        for reign in shown:
            epoch = reign["epoch"]
            assert reign["in_force"] == (epoch == resumes[-1]["epoch"])
            expected = []
            for partition in sorted({p for p, _, e in places if e == epoch}):
                offsets = [o for p, o, e in places if (p, e) == (partition, epoch)]
                later = [o for p, o, e in places if p == partition and e > epoch]
                expected.append(
                    {
                        "partition": partition,
                        "first": offsets[0],
                        "next": min(later, default=None),
                    }
                )
            assert expected and reign["partitions"] == expected, (reign, expected)
        told = pipeline.ok("models", "show", version)
        assert f"model {version}: linear, trained 2" in told
        assert "/dataset/" in told and "trained on" in told
        for reign in shown:
            rows = [line.split() for line in told.splitlines()]
            for at in reign["partitions"]:
                next_text = at["next"] if at["next"] is not None else "force"
                assert any(
                    row[:2] == [str(reign["epoch"]), reign["outcome"]]
                    and str(at["first"]) in row
                    and (row[-1] == str(next_text) or at["next"] is None and row[-1] == "since")
                    for row in rows
                ), (told, at)


def test_a_model_is_shown_without_its_offsets_where_kafka_is_away(trained):
    done = trained.run("models", "show", "1", "-o", "json", "-X", "bootstrap.servers=127.0.0.1:1")
    assert done.returncode == 0
    shown = json.loads(done.stdout)
    assert shown["version"] == 1 and shown["reigns"] is None
    assert b"cannot tell which offsets the model has answered" in done.stderr
    done = trained.run("models", "show", "1", "-X", "bootstrap.servers=127.0.0.1:1")
    assert done.returncode == 0
    assert b"model 1: linear" in done.stdout and b"EPOCH" not in done.stdout


def test_a_version_that_is_broken_does_not_hide_the_others_from_the_list(trained):
    trained.hdfs.mkdirs(trained.model_path(7))
    trained.hdfs.create(f"{trained.model_path(7)}/manifest.json", b"{")
    done = trained.run("models", "list", "-o", "json")
    assert done.returncode == 1
    assert [line["version"] for line in json_lines(done.stdout)] == [1]
    (told,) = json_lines(done.stderr)
    assert "0000000007/manifest.json: not a model manifest, or not a whole one" in told["message"]


def test_a_model_without_held_out_rows_has_no_figures_in_the_list(pipeline):
    pipeline.set("dataset.test_fraction", 0.01)
    pipeline.train_once("all.csv", plane(1, rows=6))
    (_, row) = pipeline.ok("models", "list").splitlines()
    assert row.split()[-3:-1] == ["-", "-"]


def test_a_version_that_is_not_there_can_be_neither_shown_nor_put_in_force(trained):
    for command in (("show", "7"), ("rollback", "7")):
        done = trained.run("models", *command)
        assert done.returncode == 74
        assert b"no model version 7 in" in done.stderr
    assert len(trained.control()) == 2


# ---- settings ----


def test_config_check_names_file_line_and_the_nearest_name(pipeline):
    assert "in order" in pipeline.ok("config", "check")
    (pipeline.folder / "bad.yaml").write_text(
        "pipeline: p\ndataset:\n  target: y\n  test_fractoin: 0.5\nmodle: {}\n"
    )
    done = pipeline.run("config", "check", "-c", "bad.yaml")
    assert done.returncode == 78
    assert done.stdout == b""
    first, second = done.stderr.decode().splitlines()
    assert "bad.yaml:4:" in first and "dataset.test_fraction" in first
    assert "bad.yaml:5:" in second and "model" in second
    # Every command refuses it in the same way, before it touches a server.
    for command in ("run", "train", "score", "produce", "doctor"):
        assert pipeline.run(command, "-c", "bad.yaml").returncode == 78, command
    assert pipeline.run("config", "check", "-c", "no-such.yaml").returncode == 78
    # Kafka's own properties too.
    for wrong, word in (
        ("acks=1", b"exactly-once"),
        ("plugin.library.paths=x.so", b"runs code"),
        ("session.timeout.mss=1", b"'session.timeout.ms'"),
        ("security.protocol=none", b"security.protocol"),
    ):
        done = pipeline.run("config", "check", "-X", wrong)
        assert done.returncode == 78 and not done.stdout, wrong
        assert word in done.stderr, (wrong, done.stderr)
    done = pipeline.run("config", "check", "-c", "bad.yaml", "-o", "json")
    assert done.returncode == 78
    (told,) = json_lines(done.stderr)
    assert "dataset.test_fraction" in told["message"] and "bad.yaml:5:" in told["message"]


def test_config_show_tells_where_each_setting_is_from(pipeline):
    text = pipeline.ok(
        "config", "show", "-o", "json", "-s", "produce.rate=max", WEIR_DATASET_SEED="42"
    )
    settings = {line["name"]: line for line in json_lines(text)}
    assert settings["pipeline"]["value"] == pipeline.name
    assert settings["pipeline"]["origin"].startswith("weir.yaml:")
    assert settings["dataset.seed"] == {
        "name": "dataset.seed",
        "value": "42",
        "origin": settings["dataset.seed"]["origin"],
    }
    assert "WEIR_DATASET_SEED" in settings["dataset.seed"]["origin"]
    assert settings["produce.rate"]["value"] == "max"
    assert "command line" in settings["produce.rate"]["origin"]
    assert settings["score.commit_interval"]["origin"].startswith("weir.yaml:")
    assert settings["train.halt_timeout"]["origin"] == "default"


def test_usage_errors_end_with_exit_code_2_and_help_with_0(pipeline):
    wrong = [
        [],
        ["--no-such-option"],
        ["no-such-command"],
        ["run", "--no-such-option"],
        ["run", "--for", "soon"],
        ["models"],
        ["models", "show"],
        ["models", "show", "one"],
        ["predict"],
        ["describe", "a", "b"],
        ["run", "--output", "xml"],
    ]
    for arguments in wrong:
        done = pipeline.run(*arguments)
        assert done.returncode == 2, (arguments, done.stderr)
        assert done.stderr and not done.stdout, arguments
    for arguments in (["--help"], ["run", "--help"], ["models", "list", "--help"]):
        done = pipeline.run(*arguments)
        assert done.returncode == 0 and done.stdout and not done.stderr
    version = pipeline.ok("--version")
    assert version.startswith("weir ") and "librdkafka 2." in version


# ---- servers that are away ----


def test_doctor_finds_everything_in_order(pipeline):
    lines = json_lines(pipeline.ok("doctor", "-o", "json"))
    assert len(lines) >= 5
    assert all(line["ok"] for line in lines)
    assert all(line.startswith("ok ") for line in pipeline.ok("doctor").splitlines())
    # It leaves nothing behind in the folders.
    assert pipeline.dropped() == []
    assert pipeline.versions() == []


def timed(pipeline, *command, **variables):
    began = time.monotonic()
    done = pipeline.run(*command, **variables)
    return done, time.monotonic() - began


@pytest.mark.parametrize("command", ["doctor", "run", "train", "score", "produce"])
def test_a_broker_that_is_not_there_is_told_within_15_seconds(pipeline, command):
    nowhere = closed_port()
    done, seconds = timed(pipeline, command, "-X", f"bootstrap.servers={nowhere}")
    told = (done.stdout + done.stderr).decode()
    assert done.returncode == 69, told
    assert seconds < 15
    assert nowhere in told
    if command == "doctor":
        assert "FAIL" in told and "bootstrap.servers" in told


@pytest.mark.parametrize("command", ["doctor", "run", "train", "drop"])
def test_a_namenode_that_is_not_there_is_told_within_15_seconds(pipeline, command):
    conf = pipeline.folder / "hadoop"
    conf.mkdir()
    nowhere = closed_port()
    (conf / "core-site.xml").write_text(
        "<configuration><property><name>fs.defaultFS</name>"
        "<value>hdfs://127.0.0.1:1</value></property></configuration>"
    )
    (conf / "hdfs-site.xml").write_text(
        "<configuration><property><name>dfs.namenode.http-address</name>"
        f"<value>{nowhere}</value></property></configuration>"
    )
    (pipeline.folder / "set.csv").write_bytes(plane(1))
    arguments = [command, "set.csv"] if command == "drop" else [command]
    done, seconds = timed(pipeline, *arguments, HADOOP_CONF_DIR=str(conf))
    told = (done.stdout + done.stderr).decode()
    assert done.returncode == 69, told
    assert seconds < 15
    assert nowhere in told


def test_a_broker_that_takes_connections_and_never_answers_is_told_within_15_seconds(pipeline):
    with socket.create_server(("127.0.0.1", 0)) as silent:
        address = f"127.0.0.1:{silent.getsockname()[1]}"
        done, seconds = timed(pipeline, "score", "-X", f"bootstrap.servers={address}")
    assert done.returncode == 69, done.stderr
    assert seconds < 15
    assert address in done.stderr.decode()


@pytest.mark.parametrize("command", ["score", "train", "produce", "run"])
def test_a_command_that_waits_for_its_first_contact_ends_at_once(pipeline, command):
    with socket.create_server(("127.0.0.1", 0)) as silent:
        address = f"127.0.0.1:{silent.getsockname()[1]}"
        process = pipeline.start(command, "-X", f"bootstrap.servers={address}")
        silent.settimeout(60)
        connection, _ = silent.accept()
        with connection:
            code, seconds = process.stop(signal.SIGINT)
    assert code == 0, process.stderr
    assert seconds < 1


# ---- pipes and terminals ----


def into_head(pipeline, command, lines, seconds):
    """`weir COMMAND | head -LINES`; the exit code is that of weir, where it failed."""
    return subprocess.run(
        ["bash", "-o", "pipefail", "-c", f"{WEIR} {command} | head -{lines}"],
        cwd=pipeline.folder,
        env=clean_environment(pipeline.stack),
        capture_output=True,
        timeout=seconds,
    )


def test_output_to_a_pipe_that_is_closed_ends_quietly(trained):
    (trained.folder / "many.csv").write_bytes(plane(5, rows=20_000))
    for command in ("predict many.csv", "predict many.csv -o json", "config show"):
        done = into_head(trained, command, 1, seconds=60)
        assert len(done.stdout.splitlines()) == 1
        assert len(done.stderr.splitlines()) <= 1, done.stderr
        assert done.returncode in (0, 128 + signal.SIGPIPE), done.returncode


def test_a_run_into_head_ends_cleanly_once_head_has_seen_enough(pipeline):
    pipeline.drop("first.csv", plane(1))
    done = into_head(pipeline, "run --rate 100 -o json", 3, seconds=90)
    assert len(done.stdout.splitlines()) == 3
    assert b"stdout" not in done.stderr, "a reader that goes is no fault"
    assert done.returncode == 128 + signal.SIGPIPE, done.stderr
    # It has left its group and said goodbye: nobody waits for it.
    said = [json.loads(record.value) for record in pipeline.topic("members").read_to_end()]
    left = {member["role"] for member in said if member["type"] == "left"}
    assert left == {"producer", "scorer", "trainer"}
    pipeline.ok("score", "--until-end", seconds=90)
    check_promises(pipeline)


def test_a_run_whose_reader_has_gone_still_ends_and_loses_nothing(pipeline):
    read_end, write_end = os.pipe()
    run = subprocess.Popen(
        [WEIR, "run", "--rate", "100", "--output", "json"],
        cwd=pipeline.folder,
        env=clean_environment(pipeline.stack),
        stdin=subprocess.DEVNULL,
        stdout=write_end,
        stderr=subprocess.PIPE,
    )
    os.close(write_end)
    os.close(read_end)
    try:
        pipeline.drop("first.csv", plane(1))
        code = run.wait(90)
        assert code == 128 + signal.SIGPIPE, code
        assert b"terminate called" not in run.stderr.read()
    finally:
        run.kill()
        run.wait()
        run.stderr.close()
    follower = pipeline.start("run", "--no-produce")
    pipeline.wait_for_resume(1)
    pipeline.wait_until_all_scored()
    assert follower.stop()[0] == 0
    check_promises(pipeline)


def test_json_output_is_one_object_a_line_on_both_streams(pipeline):
    run = pipeline.start("run", "--output", "json", "--rate", "50", "--verbose")
    pipeline.drop("first.csv", plane(1))
    pipeline.wait_for_predictions(10)
    pipeline.send([(b"bad", b"\x00\xff\n\x1b[31m")])
    pipeline.drop("bad.csv", b"\x1b[31mx,y\n1,2\n")
    pipeline.wait_for_resume(2)
    pipeline.wait_for("dead", lambda records: records, "a dead letter")
    assert run.stop()[0] == 0
    lines = json_lines(run.stdout)
    assert {"train", "halt", "resume", "prediction", "summary"} <= {line["type"] for line in lines}
    messages = json_lines(run.stderr)
    assert messages and all({"time", "level", "message"} <= line.keys() for line in messages)


def on_a_terminal(pipeline, *command, until, **variables):
    """Runs a command on a terminal, with a Ctrl-C once it wrote `until`; (exit code, what it wrote)."""
    ours, its = os.openpty()
    child = subprocess.Popen(
        [WEIR, *command],
        cwd=pipeline.folder,
        env=clean_environment(pipeline.stack, TERM="xterm-256color", **variables),
        stdin=subprocess.DEVNULL,
        stdout=its,
        stderr=its,
    )
    os.close(its)
    written = b""
    while True:
        try:
            part = os.read(ours, 65536)
        except OSError:  # EIO: the child's end is closed
            break
        if not part:
            break
        if until in written + part and until not in written:
            child.send_signal(signal.SIGINT)
        written += part
    os.close(ours)
    return child.wait(60), written


def test_colours_are_for_terminals_only_and_no_color_is_honoured(trained):
    code, coloured = on_a_terminal(trained, "run", until=b"model 1 is in force")
    assert code == 0
    assert ESCAPE in coloured
    code, plain = on_a_terminal(trained, "run", until=b"model 1 is in force", NO_COLOR="1")
    assert code == 0
    assert b"model 1" in plain and ESCAPE not in plain
    piped = trained.run("run", "--for", "3s", "--verbose", TERM="xterm-256color")
    assert piped.returncode == 0
    assert ESCAPE not in piped.stdout and ESCAPE not in piped.stderr


def test_numbers_are_written_so_that_they_read_back_to_the_same_bits(trained):
    done = trained.run("predict", "-", "-o", "json", stdin=b"x1,x2,x3\n1e-300,0.1,-3e15\n")
    (line,) = json_lines(done.stdout)
    assert math.isfinite(line["prediction"])
    model = trained.model(1)
    p = model.intercept
    for coefficient, value in zip(model.coefficients, (1e-300, 0.1, -3e15)):
        p = p + coefficient * value
    assert line["prediction"] == p
