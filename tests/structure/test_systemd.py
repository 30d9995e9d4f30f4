"""The units of deploy/systemd, by systemd's own tools and by the program that they start."""

import re
import shlex
import shutil
import subprocess
from pathlib import Path

import pytest
import yaml

from tree import ROOT, files, report, text

WEIR = ROOT / "build/release/src/cli/weir"
UNITS = [name for name in files() if re.match(r"deploy/systemd/.*\.(service|target)$", name)]
SERVICES = [name for name in UNITS if name.endswith(".service")]
EXPOSURE_MAX = 1.5  # of 10, as `systemd-analyze security` counts it
CONFIGURATION = "pipeline: orders\nstore: hdfs://namenode:9870\ndataset: {target: y}\n"


def option(unit, name):
    return re.findall(rf"^{name}=(.*)$", text(unit), re.M)


def command(unit):
    (line,) = option(unit, "ExecStart")
    return shlex.split(line)


@pytest.fixture(scope="module")
def units(tmp_path_factory):
    """Copies that start the program of this clone: systemd-analyze wants it to be there."""
    folder = tmp_path_factory.mktemp("units")
    for name in UNITS:
        (folder / Path(name).name).write_text(text(name).replace("/usr/bin/weir ", f"{WEIR} "))
    return folder


def analyze(*arguments):
    tool = shutil.which("systemd-analyze")
    assert tool, "no systemd-analyze: stack/setup --for test"
    done = subprocess.run([tool, *map(str, arguments)], capture_output=True, text=True, timeout=60)
    return done.returncode, done.stdout + done.stderr


def test_systemd_has_nothing_to_say_of_the_units(units):
    assert len(SERVICES) == 5
    paths = [units / Path(name).name.replace("@.", "@3.") for name in UNITS]
    shutil.copy(units / "weir-score@.service", units / "weir-score@3.service")
    code, said = analyze("verify", "--man=no", *paths)
    assert (code, said) == (0, "")


def test_a_unit_with_a_mistake_is_found(units, tmp_path):
    for right, wrong in (("StateDirectory=", "StateDirectry="), ("UMask=0077", "UMask=0999"),
                         ("ExecStart=", "ExecStart=/no/such/program ")):
        broken = tmp_path / "weir-serve.service"
        broken.write_text((units / "weir-serve.service").read_text().replace(right, wrong, 1))
        assert analyze("verify", "--man=no", broken)[1] != "", wrong


@pytest.mark.parametrize("name", SERVICES)
def test_a_service_is_shut_in(units, name):
    unit = units / Path(name).name
    code, said = analyze("security", "--offline=true", f"--threshold={int(EXPOSURE_MAX * 10)}", unit)
    assert code == 0, said
    open_unit = unit.read_text().replace("ProtectSystem=strict\n", "").replace("CapabilityBoundingSet=\n", "")
    unit.with_name("open.service").write_text(open_unit)
    assert analyze("security", "--offline=true", f"--threshold={int(EXPOSURE_MAX * 10)}", unit.with_name("open.service"))[0] != 0


def test_all_services_are_shut_in_alike():
    """systemd has no way to share what stands in each."""
    shared = {text(name).partition("Type=exec")[2].partition("[Install]")[0] for name in SERVICES}
    assert len(shared) == 1 and len(shared.pop().splitlines()) > 40


@pytest.mark.parametrize("name", SERVICES)
def test_the_program_takes_the_command_line(name, tmp_path):
    """Words that it does not know end it with 2; where all are in order, it reads the settings, and ends with 78 as
    those are not."""
    program, *words = command(name)
    assert program == "/usr/bin/weir"
    where = words.index("--config") + 1
    assert words[where] == "/etc/weir/weir.yaml"
    words[where] = str(tmp_path / "weir.yaml")
    (tmp_path / "weir.yaml").write_text("pipline: orders\n")
    done = subprocess.run([WEIR, *words], capture_output=True, text=True, timeout=60)
    assert done.returncode == 78 and "pipline" in done.stderr, done.stderr
    done = subprocess.run([WEIR, *words, "--no-such-word"], capture_output=True, text=True, timeout=60)
    assert done.returncode == 2, done.stderr


@pytest.mark.parametrize("name", SERVICES)
def test_what_it_sets_is_in_order(name, tmp_path):
    """Variables that are spelt wrong would be settings of nothing."""
    (tmp_path / "weir.yaml").write_text(CONFIGURATION)
    environment = dict(line.split("=", 1) for line in option(name, "Environment"))
    values = {key: value.replace("%l", "host-1").replace("%i", "3") for key, value in environment.items()}
    shown = subprocess.run(
        [WEIR, "config", "show", "-c", tmp_path / "weir.yaml"], capture_output=True, text=True,
        env={"STATE_DIRECTORY": "/var/lib/weir", **values})
    assert shown.returncode == 0, shown.stderr
    settings = yaml.safe_load(shown.stdout)
    assert settings["serve"]["state_dir"] == "/var/lib/weir"
    if "score" in name:
        assert settings["score"]["instance"] == "host-1-3"
    else:
        assert values == {}


def test_they_wait_for_a_clean_end_and_give_up_on_bad_settings_alone():
    bound = int(re.search(r"kEndsWithin\{([\d']+)\}", text("src/cli/ending.h"))[1].replace("'", ""))
    told = subprocess.run([WEIR, "--help"], capture_output=True, text=True).stdout
    assert " 2 usage," in told and " 78 bad configuration." in told
    faults = []
    for name in SERVICES:
        if not 2 * bound / 1000 <= int(option(name, "TimeoutStopSec")[0]) <= 30:
            faults.append(f"{name}: TimeoutStopSec")
        if option(name, "Restart") != ["on-failure"] or option(name, "RestartPreventExitStatus") != ["2 78"]:
            faults.append(f"{name}: Restart")
        if option(name, "StartLimitIntervalSec") != ["0"]:
            faults.append(f"{name}: gives up on a broker that is away for long")
    assert not faults, report(faults, "units:")


def test_the_user_of_the_units_can_be_made(tmp_path):
    done = subprocess.run(
        ["systemd-sysusers", f"--root={tmp_path}", "--dry-run", ROOT / "deploy/systemd/weir.sysusers"],
        capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    assert {option(name, "User")[0] for name in SERVICES} == {"weir"}
    assert "Creating user 'weir'" in done.stdout + done.stderr
