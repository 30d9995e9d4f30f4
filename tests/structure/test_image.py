"""The image of deploy/Dockerfile, as far as it can be checked without Docker."""

import re
import subprocess

from tree import ROOT, text

WEIR = ROOT / "build/release/src/cli/weir"
# In each Debian.
GIVEN = {"libc6", "libgcc-s1", "libstdc++6"}


def packages(stage):
    return set(re.findall(r"[a-z0-9][a-z0-9+.-]+", re.search(
        r"--no-install-recommends \\?\n?(.*?)&&", stage, re.S)[1].replace("\\", " ")))


def owner(library):
    """The package of a shared library; it may be known by its folder's older name, /lib for /usr/lib."""
    path = subprocess.run(["readlink", "-f", library], capture_output=True, text=True, check=True).stdout.strip()
    for name in (path, path.removeprefix("/usr")):
        found = subprocess.run(["dpkg-query", "-S", name], capture_output=True, text=True)
        if found.returncode == 0:
            return found.stdout.partition(":")[0]
    raise AssertionError(f"{path} is of no package")


def test_the_image_has_the_libraries_that_the_program_wants():
    wanted = re.findall(r"\(NEEDED\).*\[(.*)\]", subprocess.run(
        ["readelf", "-d", WEIR], capture_output=True, text=True, check=True).stdout)
    places = dict(re.findall(r"^\s+(\S+) => (\S+)", subprocess.run(
        ["ldd", WEIR], capture_output=True, text=True, check=True).stdout, re.M))
    assert len(wanted) > 10
    needed = {owner(places[name]) for name in wanted if name in places}
    _, run = text("deploy/Dockerfile").split("FROM debian:12-slim")
    assert needed - GIVEN <= packages(run), needed - GIVEN - packages(run)
    assert {"ca-certificates", "tzdata", "curl"} <= packages(run)


def test_the_image_is_built_from_the_packages_that_the_set_up_installs():
    build, _ = text("deploy/Dockerfile").split("FROM debian:12-slim")
    command = re.search(r"\$\((sed '[^']+' stack/packages/run\.txt)\)", build)[1]
    assert "-DBUILD_TESTING=OFF" in build, "what the tests want is not installed"
    listed = set(subprocess.run(["bash", "-c", command], cwd=ROOT, capture_output=True, text=True).stdout.split())
    assert {"g++", "cmake", "libxgboost-dev", "python3", "git"} <= listed
    assert not {"maven", "redis-tools", "openjdk-17-jre-headless"} & listed
