"""Nothing of the machine that a file was written on is in it."""

import re

import pytest

from tree import files, report, text

# Hosts that may be named; of tests, also those without a dot and those reserved for examples.
HOSTS = {
    "github.com", "www.apache.org", "apache.org", "localhost", "127.0.0.1", "0.0.0.0",
    "maven.apache.org", "www.w3.org", "www.itl.nist.gov", "keepachangelog.com", "semver.org",
    "kafka.apache.org", "hadoop.apache.org", "datatracker.ietf.org", "doi.org",
}
TEXTS = [name for name in files() if not name.endswith((".png", ".ico", ".gz"))]


def test_no_absolute_path_of_a_machine():
    # Built from parts, so that this file does not find itself.
    pattern = r"(?<![\w./*-])/(?:%s)/[\w.-]+" % "|".join(["work", "home", "root", "Users", "mnt"])
    faults = [f"{name}:{number}: {line.strip()[:80]}" for name in TEXTS
              for number, line in enumerate(text(name).splitlines(), 1) if re.search(pattern, line)]
    assert not faults, report(faults, "paths of somebody's machine:")


def test_no_host_but_those_in_the_list():
    faults = []
    for name in TEXTS:
        for host in re.findall(r"https?://(?:[^\s/@\"']+@)?([A-Za-z0-9._-]+)", text(name)):
            host = host.rstrip(".").lower()
            example = "." not in host or re.search(r"\.(example|test|invalid|localhost)$|^10\.", host)
            if host not in HOSTS and not (example and re.match(r"src/|tests/|docs/", name)):
                faults.append(f"{name}: {host}")
    assert not faults, report(sorted(set(faults)), "hosts outside the list in this test:")


@pytest.mark.parametrize("word", ["index-url", "extra-index", "registry.npmjs", "proxy.golang",
                                  "artifactory", "GOPROXY", "PIP_INDEX"])
def test_no_registry_is_set_in_a_file(word):
    faults = [name for name in TEXTS if word in text(name) and "tests/structure/" not in name]
    assert not faults, report(faults, f"'{word}' belongs to the machine, not to the project:")


def test_no_secret_by_its_shape():
    pattern = (r"-----BEGIN [A-Z ]*PRIVATE KEY|\b(?:AKIA|ghp_|github_pat_|xox[bp]-)[0-9A-Za-z_]{12,}")
    faults = [name for name in TEXTS if re.search(pattern, text(name))]
    assert not faults, report(faults, "this looks like a secret:")
