"""What is shipped for Prometheus and Grafana fits together, by Prometheus' own tool and by the documents."""

import json
import re
import subprocess

import yaml

from tree import ROOT, report, text

PROMTOOL = ROOT / ".weir/deps/prometheus/usr/bin/promtool"
RULES = "deploy/prometheus/weirkeeper-alerts.yaml"
CASES = "deploy/prometheus/weirkeeper-alerts-test.yaml"
DASHBOARD = "deploy/grafana/weirkeeper.json"
# Prometheus' own, of each scrape.
GIVEN = {"up"}


def promtool(*arguments):
    done = subprocess.run(
        [PROMTOOL, *arguments], cwd=ROOT / "deploy/prometheus", capture_output=True, text=True, timeout=60
    )
    assert done.returncode == 0, done.stdout + done.stderr


def alerts():
    return [rule for group in yaml.safe_load(text(RULES))["groups"] for rule in group["rules"]]


def expressions_of_dashboard():
    dashboard = json.loads(text(DASHBOARD))
    found = [target["expr"] for panel in dashboard["panels"] for target in panel.get("targets", [])]
    found += [annotation["expr"] for annotation in dashboard["annotations"]["list"]]
    return found + [variable.get("definition", "") for variable in dashboard["templating"]["list"]]


def documented_metrics():
    return set(re.findall(r"`(weir_[a-z_]+)`", text("docs/gateway.md").partition("## Metrics")[2]))


def without_ending_of_histogram(metric):
    return re.sub(r"_(bucket|sum|count)$", "", metric)


def test_the_rules_are_rules():
    promtool("check", "rules", "weirkeeper-alerts.yaml")


def test_each_alert_fires_where_it_should_and_not_where_it_should_not():
    promtool("test", "rules", "weirkeeper-alerts-test.yaml")


def test_each_alert_has_a_case_in_which_it_fires_and_one_in_which_it_is_silent():
    cases = {rule["alert"]: set() for rule in alerts()}
    for case in yaml.safe_load(text(CASES))["tests"]:
        for asked in case["alert_rule_test"]:
            cases[asked["alertname"]].add(bool(asked["exp_alerts"]))
    lacking = [name for name, kinds in cases.items() if kinds != {True, False}]
    assert not lacking, report(lacking, "alerts that are not tested both ways:")


def test_each_alert_says_what_is_the_matter_and_what_to_do_and_is_in_the_guide():
    guide = text("docs/operations.md")
    faults = []
    for rule in alerts():
        if set(rule["annotations"]) != {"summary", "action"}:
            faults.append(f"{rule['alert']}: wants a summary and an action")
        if rule["labels"].get("severity") not in ("page", "ticket", "info"):
            faults.append(f"{rule['alert']}: wants a severity")
        if f"`{rule['alert']}`" not in guide:
            faults.append(f"{rule['alert']}: docs/operations.md does not tell of it")
    told = set(re.findall(r"`(Weir[A-Z]\w+)`", guide))
    faults += [f"{name}: docs/operations.md tells of it" for name in told - {r["alert"] for r in alerts()}]
    assert not faults, report(faults, "alerts:")


def test_rules_and_dashboard_name_metrics_that_the_documents_tell_of():
    """And test_gateway_docs.py holds those documents against a live gateway."""
    named = {}
    for source, expressions in (
        (RULES, [rule["expr"] for rule in alerts()]),
        (DASHBOARD, expressions_of_dashboard()),
    ):
        assert expressions
        for expression in expressions:
            bare = re.sub(r"\{[^}]*\}|\"[^\"]*\"|\b(by|on|without) \([^)]*\)", " ", expression)
            for metric in re.findall(r"\bweir_\w+|\bup\b", bare):
                named.setdefault(without_ending_of_histogram(metric), source)
    strangers = [f"{source}: {metric}" for metric, source in named.items() if metric not in documented_metrics() | GIVEN]
    assert not strangers, report(strangers, "metrics that docs/gateway.md has not:")
    assert len(named) > 25, "the expressions were not read"


def test_the_dashboard_can_be_imported():
    dashboard = json.loads(text(DASHBOARD))
    panels = dashboard["panels"]
    assert len({panel["id"] for panel in panels}) == len(panels)
    taken = set()
    for panel in panels:
        place = panel["gridPos"]
        assert place["x"] + place["w"] <= 24, panel["title"]
        cells = {(place["x"] + i, place["y"] + j) for i in range(place["w"]) for j in range(place["h"])}
        assert not cells & taken, f"{panel['title']} lies over another"
        taken |= cells
        if panel["type"] == "row":
            continue
        assert panel["datasource"]["uid"] == "${datasource}" and panel["targets"], panel["title"]
        for target in panel["targets"]:
            assert 'pipeline="$pipeline"' in target["expr"], panel["title"]
