"""The Helm chart, without a cluster: linted and rendered by Helm's own packages, each object decoded strictly into its type of
Kubernetes, KEDA or Prometheus' operator (tests/chart), and what it would run is put to the program itself."""

import json
import re
import subprocess
from functools import cache

import pytest
import yaml

from tree import ROOT, report, text

CHECK = ROOT / ".weir/deps/chart-check/bin/chart-check"
CHART = ROOT / "deploy/helm/weirkeeper"
WEIR = ROOT / "build/release/src/cli/weir"
VALUES = ROOT / "tests/chart/values"
CASES = sorted(path.stem for path in VALUES.glob("*.yaml"))
# Words of a role's environment that are none of weir's.
OTHERS = {"HADOOP_CONF_DIR", "READ_TOKEN", "OTEL_EXPORTER_OTLP_ENDPOINT"}


def check(values, chart=CHART):
    return subprocess.run([CHECK, chart, "prod", values], capture_output=True, text=True, timeout=60)


@cache
def rendered(case):
    done = check(VALUES / f"{case}.yaml")
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout)


def of_kind(case, *kinds):
    return [one for one in rendered(case) if one["kind"] in kinds]


def workloads(case):
    return {one["metadata"]["labels"]["app.kubernetes.io/component"]: one
            for one in of_kind(case, "Deployment", "StatefulSet")}


def container(workload):
    (one,) = workload["spec"]["template"]["spec"]["containers"]
    return one


def with_changes(tmp_path, changes):
    """The least values, with others in the place of some: {"scorer/replicas": 9}."""
    values = yaml.safe_load((VALUES / "least.yaml").read_text())
    for path, value in changes.items():
        *folders, name = path.split("/")
        place = values
        for folder in folders:
            place = place.setdefault(folder, {})
        place[name] = value
    (tmp_path / "values.yaml").write_text(yaml.safe_dump(values))
    return tmp_path / "values.yaml"


@pytest.mark.parametrize("case", CASES)
def test_it_renders_without_a_fault(case):
    roles = set(workloads(case))
    assert roles == {"least": {"scorer", "trainer", "gateway"}, "scorers-alone": {"scorer", "trainer"},
                     "everything": {"scorer", "trainer", "gateway", "watcher"}}[case]
    kinds = {one["kind"] for one in rendered(case)}
    optional = {"ScaledObject", "TriggerAuthentication", "ServiceMonitor"}
    assert kinds & optional == (optional if case == "everything" else set())


@pytest.mark.parametrize("right, wrong", [
    ("enableServiceLinks:", "enableServicesLinks:"),
    ("minReadySeconds:", "minimumReadySeconds:"),
    ("      triggers:", "      trigger:"),
    ("fieldPath: metadata.name", "fieldPath: [metadata.name]"),
    ("apiVersion: policy/v1", "apiVersion: policy/v2"),
    ("bearerTokenSecret:", "bearerTokenSecrets:"),
])
def test_a_mistake_in_a_template_is_found(tmp_path, right, wrong):
    subprocess.run(["cp", "-r", CHART, tmp_path / "weirkeeper"], check=True)
    right, wrong = right.strip(), wrong.strip()
    holders = [path for path in (tmp_path / "weirkeeper/templates").iterdir() if right in path.read_text()]
    assert holders, f"no template has {right}"
    for path in holders:
        path.write_text(path.read_text().replace(right, wrong))
    done = check(VALUES / "everything.yaml", tmp_path / "weirkeeper")
    assert done.returncode == 1 and done.stderr != ""


@pytest.mark.parametrize("changes, said", [
    ({"config/pipeline": ""}, "config.pipeline"),
    ({"config/store": ""}, "config.store"),
    ({"config/store": "file:///data"}, "config.store"),
    ({"config/kafka": {"bootstrap.servers": "k:1", "sasl.password": "secret"}}, "sasl.password"),
    ({"config/serve": {"token_list": "read 3f0c5a1de7b24c0f9a61"}}, "token_list"),
    ({"config/score": {"instance": "one"}}, "instance"),
    ({"secrets/gatewayTokens/name": ""}, "secrets.gatewayTokens"),
    ({"scorer": {"replicas": 5}}, "5 scorers (pods and config.score.threads) for 4 partitions"),
    ({"scorer": {"replicas": 2}, "config/score": {"threads": 3}}, "6 scorers (pods and config.score.threads) for 4 partitions"),
    ({"scorer": {"replica": 3}}, "replica"),
    ({"scorer": {"keda": {"enabled": True, "maxReplicas": 1}}}, "minReplicas"),
    ({"scorer": {"keda": {"enabled": True, "sasl": "plaintext"}}}, "secrets.kafkaUser"),
])
def test_values_that_cannot_work_are_refused(tmp_path, changes, said):
    done = check(with_changes(tmp_path, changes))
    assert done.returncode == 1 and said in done.stderr, done.stderr


def environment(one, pod_name):
    """As the kubelet would make it; secrets have a word of their own."""
    made = {}
    for variable in one["env"]:
        source = variable.get("valueFrom", {})
        if "secretKeyRef" in source:
            made[variable["name"]] = {
                "WEIR_SERVE_TOKEN_LIST": "read 3f0c5a1de7b24c0f9a61", "WEIR_REDIS_URL": "redis://redis:6379",
            }.get(variable["name"], "a-secret")
        elif source:
            assert source == {"fieldRef": {"fieldPath": "metadata.name"}}
            made[variable["name"]] = pod_name
        else:
            made[variable["name"]] = variable["value"]
    return made


@pytest.mark.parametrize("case", CASES)
def test_the_program_takes_each_configuration_with_each_roles_environment(case, tmp_path):
    (settings,) = of_kind(case, "ConfigMap")
    file = tmp_path / "weir.yaml"
    file.write_text(settings["data"]["weir.yaml"])
    for role, workload in workloads(case).items():
        variables = environment(container(workload), f"prod-weirkeeper-{role}-0")
        for command in ("check", "show"):
            done = subprocess.run([WEIR, "config", command, "-c", file], capture_output=True, text=True,
                                  env=variables)
            assert done.returncode == 0, done.stderr
        # Each variable is that of a setting: one that is misspelt would be nobody's.
        origins = set(re.findall(r"# env (WEIR_[A-Z_]+)", done.stdout))
        strangers = set(variables) - origins - OTHERS
        assert not strangers, f"{role}: {strangers} in\n{done.stdout}"
        shown = yaml.safe_load(done.stdout)
        if role == "scorer":
            assert shown["score"]["instance"] == "prod-weirkeeper-scorer-0"
        assert shown["serve"]["state_dir"] == "/var/lib/weir/state"


@pytest.mark.parametrize("case", CASES)
def test_the_program_takes_each_command_line(case, tmp_path):
    """As for the units of systemd: 78 is for settings, after all words were found in order."""
    (tmp_path / "weir.yaml").write_text("pipline: orders\n")
    for role, workload in workloads(case).items():
        one = container(workload)
        program, *words = one["command"] + one["args"]
        assert program == "weir"
        words[words.index("/etc/weir/weir.yaml")] = str(tmp_path / "weir.yaml")
        done = subprocess.run([WEIR, *words], capture_output=True, text=True, timeout=60)
        assert done.returncode == 78 and "pipline" in done.stderr, f"{role}: {done.stderr}"


@pytest.mark.parametrize("case", CASES)
def test_pods_have_what_they_name_and_are_shut_in(case):
    for role, workload in workloads(case).items():
        spec = workload["spec"]["template"]["spec"]
        one = container(workload)
        volumes = {volume["name"] for volume in spec["volumes"]}
        volumes |= {claim["metadata"]["name"] for claim in workload["spec"].get("volumeClaimTemplates", [])}
        mounts = {mount["name"]: mount["mountPath"] for mount in one["volumeMounts"]}
        assert set(mounts) == volumes, role
        for variable in one["env"]:
            path = variable.get("value", "")
            if path.startswith("/"):
                assert any(path == mount or path.startswith(mount + "/") for mount in mounts.values()), path
        assert spec["securityContext"]["runAsNonRoot"] and spec["enableServiceLinks"] is False
        assert one["securityContext"] == {"allowPrivilegeEscalation": False, "readOnlyRootFilesystem": True,
                                          "capabilities": {"drop": ["ALL"]}}
        assert spec["automountServiceAccountToken"] is False
        names = [variable["name"] for variable in one["env"]]
        assert len(names) == len(set(names))
        assert (spec["serviceAccountName"] == "default") == (case == "scorers-alone")


@pytest.mark.parametrize("case", CASES)
def test_what_selects_pods_finds_those_of_one_role(case):
    pods = {role: one["spec"]["template"]["metadata"]["labels"] for role, one in workloads(case).items()}
    selectors = {role: one["spec"]["selector"]["matchLabels"] for role, one in workloads(case).items()}
    found = [(f"{role} itself", selector) for role, selector in selectors.items()]
    for one in of_kind(case, "Service"):
        found.append((one["metadata"]["name"], one["spec"]["selector"]))
    for one in of_kind(case, "PodDisruptionBudget"):
        found.append((one["metadata"]["name"], one["spec"]["selector"]["matchLabels"]))
    for what, selector in found:
        roles = [role for role, labels in pods.items() if selector.items() <= labels.items()]
        assert len(roles) == 1 and roles[0] in what, (what, roles)
    services = {one["metadata"]["name"]: one for one in of_kind(case, "Service")}
    for role, one in workloads(case).items():
        if one["kind"] == "StatefulSet":
            assert services[one["spec"]["serviceName"]]["spec"]["clusterIP"] == "None"


def test_ports_fit_together():
    gateway = container(workloads("everything")["gateway"])
    ports = {port["name"]: port["containerPort"] for port in gateway["ports"]}
    assert ports == {"http": 8080, "grpc": 9000}
    variables = environment(gateway, "p")
    assert (variables["WEIR_SERVE_PORT"], variables["WEIR_SERVE_GRPC_PORT"]) == ("8080", "9000")
    for one in of_kind("everything", "Service"):
        for port in one["spec"].get("ports", []):
            assert port["targetPort"] in ports
    for probe in ("startupProbe", "livenessProbe"):
        assert gateway[probe]["httpGet"] == {"path": "/livez", "port": "http", "scheme": "HTTPS"}
    assert "https://127.0.0.1:8080/readyz" in gateway["readinessProbe"]["exec"]["command"][-1]


def test_the_monitor_reads_each_gateway_once_as_the_job_that_the_alerts_ask_for():
    (monitor,) = of_kind("everything", "ServiceMonitor")
    wanted = monitor["spec"]["selector"]["matchLabels"]
    met = [one for one in of_kind("everything", "Service") if wanted.items() <= one["metadata"]["labels"].items()]
    assert len(met) == 1
    job = met[0]["metadata"]["labels"][monitor["spec"]["jobLabel"]]
    assert f'job="{job}"' in text("deploy/prometheus/weirkeeper-alerts.yaml")


def test_a_pod_is_given_longer_to_end_than_the_program_takes():
    bound = int(re.search(r"kEndsWithin\{([\d']+)\}", text("src/cli/ending.h"))[1].replace("'", "")) / 1000
    for role, one in workloads("everything").items():
        # The gateway leaves its Service first, and answers what is under way for 5 s.
        most = 5 + 5 + bound if role == "gateway" else bound
        assert one["spec"]["template"]["spec"]["terminationGracePeriodSeconds"] >= 2 * most - 1, role


def test_scaling_asks_for_the_lag_of_the_group_and_topic_that_weir_has(tmp_path):
    """By the names that the program itself has for them."""
    large = {"scorer/keda": {"enabled": True, "lagThreshold": 2_000_000}}
    for values in (VALUES / "everything.yaml", with_changes(tmp_path, large)):
        objects = json.loads(check(values).stdout)
        (scaled,) = [one for one in objects if one["kind"] == "ScaledObject"]
        (trigger,) = scaled["spec"]["triggers"]
        (settings,) = [one for one in objects if one["kind"] == "ConfigMap"]
        (tmp_path / "weir.yaml").write_text(settings["data"]["weir.yaml"])
        shown = yaml.safe_load(subprocess.run([WEIR, "config", "show", "-c", tmp_path / "weir.yaml"],
                                              capture_output=True, text=True, check=True).stdout)
        assert trigger["metadata"]["consumerGroup"] == shown["score"]["group"]
        assert trigger["metadata"]["lagThreshold"].isdecimal(), "KEDA takes no 2e+06"
        assert trigger["metadata"]["topic"] == shown["topics"]["features"]
        assert trigger["metadata"]["bootstrapServers"] == shown["kafka"]["bootstrap.servers"]
        assert scaled["spec"]["maxReplicaCount"] <= shown["topics"]["partitions"]
        # A number of its own would be set back by each upgrade of the release.
        (scorers,) = [one for one in objects if one["metadata"]["name"] == scaled["spec"]["scaleTargetRef"]["name"]
                      and one["kind"] == "StatefulSet"]
        assert "replicas" not in scorers["spec"]


def test_each_value_has_its_place_in_the_schema():
    """The schema refuses what it does not know, so that each value has to be in it; and the other way round."""
    schema = json.loads(text("deploy/helm/weirkeeper/values.schema.json"))
    values = yaml.safe_load(text("deploy/helm/weirkeeper/values.yaml"))
    faults = []

    def compare(where, value, part):
        part = schema["definitions"][part["$ref"].rpartition("/")[2]] if "$ref" in part else part
        if not isinstance(value, dict) or part.get("additionalProperties", True):
            return
        for name in value.keys() ^ part["properties"].keys():
            faults.append(f"{where}.{name}")
        for name in value.keys() & part["properties"].keys():
            compare(f"{where}.{name}", value[name], part["properties"][name])

    compare("values", {**values, "global": {}}, schema)
    assert not faults, report(faults, "in values.yaml or in values.schema.json alone:")
