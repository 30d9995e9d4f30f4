"""What the Helm chart would run in a cluster runs here, as processes: its commands, its configuration, its variables, its
probes and its time to end, on real servers. Images, volumes and Kubernetes itself are not here. And the whole pipeline runs under
the system-call filters of systemd's units."""

import json
import signal
import socket
import subprocess
import sys
import time

import pytest

from support.gateway import Gateway
from support.promises import check_promises
from support.stack import ROOT, WEIR
from support.tables import plane

CHECK = ROOT / ".weir/deps/chart-check/bin/chart-check"
READ, PUSH = "3f0c5a1de7b24c0f9a61", "9a41c07be2d84f1fb3aa"
SECRETS = {"WEIR_SERVE_TOKEN_LIST": f"read {READ};push {PUSH}", "READ_TOKEN": READ}


def free_port():
    with socket.socket() as one:
        one.bind(("127.0.0.1", 0))
        return one.getsockname()[1]


def render(pipeline, port):
    settings = {name: part for name, part in pipeline.settings.items() if name != "serve"}
    values = {
        "config": {**settings, "hdfs": {"user": ""}},  # that of this machine
        "hadoopConfigMap": "hadoop",
        "secrets": {"gatewayTokens": {"name": "tokens"}, "readToken": {"name": "read"}},
        "gateway": {"port": port},
    }
    file = pipeline.folder / "values.yaml"
    file.write_text(json.dumps(values))
    done = subprocess.run([CHECK, ROOT / "deploy/helm/weirkeeper", "prod", file], capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout)


class Pod:
    """A container of a workload as a process; what would be mounted lies in the pipeline's folder."""

    def __init__(self, pipeline, workload, name):
        spec = workload["spec"]["template"]["spec"]
        (self.container,) = spec["containers"]
        self.name = name
        self.grace = spec["terminationGracePeriodSeconds"]
        self.variables = {}
        for variable in self.container["env"]:
            if "secretKeyRef" in variable.get("valueFrom", {}):
                self.variables[variable["name"]] = SECRETS[variable["name"]]
            elif "fieldRef" in variable.get("valueFrom", {}):
                self.variables[variable["name"]] = name
            else:
                path = variable["value"].replace("/var/lib/weir", str(pipeline.folder / name))
                self.variables[variable["name"]] = path
        self.variables["HADOOP_CONF_DIR"] = pipeline.stack.hadoop_conf_dir
        _, *words = self.container["command"] + self.container["args"]
        self.words = [word.replace("/etc/weir", str(pipeline.folder)) for word in words]
        self.pipeline = pipeline
        self.start()

    def start(self):
        self.process = self.pipeline.start(*self.words, name=self.name, **self.variables)

    def ready(self, **variables):
        probe = self.container["readinessProbe"]["exec"]["command"]
        return subprocess.run(probe, env={"PATH": "/usr/bin:/bin", **self.variables, **variables}).returncode == 0


def start_all(pipeline, objects):
    (settings,) = [one for one in objects if one["kind"] == "ConfigMap"]
    (pipeline.folder / "weir.yaml").write_text(settings["data"]["weir.yaml"])
    pods = {}
    for one in objects:
        if one["kind"] not in ("Deployment", "StatefulSet"):
            continue
        role = one["metadata"]["labels"]["app.kubernetes.io/component"]
        pods[role] = [
            Pod(pipeline, one, f"{one['metadata']['name']}-{number}") for number in range(one["spec"]["replicas"])
        ]
    return pods


@pytest.mark.long
def test_what_the_chart_runs_scores_the_stream_and_ends_in_time(pipeline):
    port = free_port()
    pods = start_all(pipeline, render(pipeline, port))
    assert {role: len(some) for role, some in pods.items()} == {"trainer": 2, "scorer": 2, "gateway": 1}
    (gateway,) = pods["gateway"]
    client = Gateway(port, PUSH)
    gateway.process.wait_for_stderr("the gateway listens")
    assert Gateway(port).ask("GET", gateway.container["livenessProbe"]["httpGet"]["path"]).status == 200
    assert not gateway.ready(), "there is no model yet"

    pipeline.drop("first.csv", plane(1))
    pipeline.wait_for_resume(1)
    pipeline.wait_until(gateway.ready, "the gateway is ready", every=0.5)
    assert not gateway.ready(READ_TOKEN="of-somebody-else-12345")
    rows = [{name: 0.5 for name in pipeline.model(1).features} for _ in range(30)]
    assert all("prediction" in record for record in client.push(rows))

    # A pod's name is its scorer's in the group, also of one that was killed and comes again.
    names = {f"scorer-{pod.name}" for pod in pods["scorer"]}
    group = f"{pipeline.name}.scorer"
    pipeline.wait_until(lambda: pipeline.admin.static_members(group) == names, "both are static members")
    killed = pods["scorer"][0]
    killed.process.send(signal.SIGKILL)
    killed.process.wait(10)
    assert pipeline.admin.static_members(group) == names, "its place is kept"
    killed.start()
    assert all("prediction" in record for record in client.push(rows, wait="30s"))
    assert pipeline.admin.static_members(group) == names

    for some in pods.values():
        for pod in some:
            begun = time.monotonic()
            pod.process.send(signal.SIGTERM)
            assert pod.process.wait(pod.grace) == 0, pod.process.stderr[-2000:]
            assert time.monotonic() - begun < pod.grace
    check_promises(pipeline)


# ---- systemd ----

UNIT = ROOT / "deploy/systemd/weir.service"
SHUT_IN = ROOT / "tests/e2e/support/shut_in.py"


@pytest.mark.parametrize("forbidden", [
    "os.chown('/tmp', 0, 0)",
    "os.sched_setaffinity(0, {0})",
    "socket.socket(socket.AF_PACKET, socket.SOCK_RAW)",
    "mmap.mmap(-1, 4096, prot=mmap.PROT_WRITE | mmap.PROT_EXEC)",
])
def test_what_the_units_forbid_fails_under_their_filter(forbidden):
    program = f"import mmap, os, socket\ntry: {forbidden}\nexcept PermissionError: print('denied')"
    words = [sys.executable, SHUT_IN, UNIT, sys.executable, "-c", program]
    assert subprocess.run(words, capture_output=True, text=True).stdout == "denied\n"


@pytest.mark.long
def test_the_whole_pipeline_works_under_the_filter_of_the_units(pipeline):
    """Both kinds of model are trained, so that libxgboost is under it, too."""
    port = free_port()
    pipeline.set("model.algorithm", "auto")
    pipeline.set("serve.port", port)
    process = pipeline.start(
        SHUT_IN, UNIT, WEIR, "run", "-o", "json", name="run", program=sys.executable,
        STATE_DIRECTORY=str(pipeline.folder / "state"))
    pipeline.drop("first.csv", plane(1))
    pipeline.wait_for_predictions(50, epoch=1)
    gateway = Gateway(port)
    gateway.wait_ready()
    told = gateway.push([{name: 0.5 for name in pipeline.model(1).features} for _ in range(30)])
    assert all("prediction" in record for record in told), told
    assert list((pipeline.folder / "state").glob("*.sqlite")), "the gateway keeps its records where systemd says"
    process.send(signal.SIGTERM)
    assert process.wait(15) == 0, process.stderr[-2000:]
    pipeline.ok("score", "--until-end", seconds=90)  # what its producer wrote when its scorer had ended
    check_promises(pipeline)
