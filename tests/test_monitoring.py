"""packaging/monitoring asks Prometheus for what is there; each alert has its case."""

import re
import shutil
import subprocess
from collections.abc import Iterator
from itertools import product
from pathlib import Path
from typing import Final

import msgspec
import pytest
from msgspec import Struct
from tests.packaging import PACKAGING
from tests.pages import ROOT
from tests.statuses import host_status, plugin_status
from tests.test_exposition import Samples, busy, told

MONITORING: Final = PACKAGING / "monitoring"
ALERTS: Final = ROOT / "docs" / "alerts"
RULES: Final = MONITORING / "rules.yml"
CASES: Final = MONITORING / "rules_test.yml"

LIMIT: Final = 60
"""Seconds for one promtool: far more than it takes."""


class Rule(Struct, forbid_unknown_fields=True, rename={"duration": "for"}):
    alert: str
    expr: str
    labels: dict[str, str]
    annotations: dict[str, str]
    duration: str = "0s"


class Group(Struct, forbid_unknown_fields=True):
    name: str
    rules: list[Rule]


class Groups(Struct, forbid_unknown_fields=True):
    groups: list[Group]


class Expected(Struct, forbid_unknown_fields=True):
    eval_time: str
    alertname: str
    exp_alerts: list[dict[str, dict[str, str]]] = []


class Series(Struct, forbid_unknown_fields=True):
    series: str
    values: str


class Case(Struct, forbid_unknown_fields=True):
    name: str
    interval: str
    alert_rule_test: list[Expected]
    input_series: list[Series] = []


class CaseFile(Struct, forbid_unknown_fields=True):
    rule_files: list[str]
    evaluation_interval: str
    tests: list[Case]


(GROUP,) = msgspec.yaml.decode(RULES.read_text(), type=Groups).groups
NAMES: Final = sorted({rule.alert for rule in GROUP.rules})
TESTS: Final = msgspec.yaml.decode(CASES.read_text(), type=CaseFile)


def everything() -> Samples:
    """All that the host can tell, each label with some value."""
    counts = busy()
    counts.bad_payloads["build_finished"] = 1
    samples = told(counts, host_status(plugins=[plugin_status("chat")]))
    # Prometheus's own, of each target.
    return samples | {("up", frozenset({("job", "x"), ("instance", "x")})): 1.0}


EXPOSED: Final = everything()
TARGET: Final = {"job", "instance"}
"""Labels that Prometheus gives to whatever it scrapes."""

WORDS: Final = {"and", "or", "unless"}
SELECTOR: Final = re.compile(r"([a-z_][a-z0-9_]*)(?:\{([^}]*)\})?(?!\w*\s*\()")


def selectors(expr: str) -> Iterator[tuple[str, dict[str, str]]]:
    """Metrics that an expression asks for, each with what its labels have to be."""
    # Lists of labels, ranges.
    text = re.sub(r"\b(by|on|without|group_left) ?\([^)]*\)", "", expr)
    text = re.sub(r"\[[^]]*\]|\boffset \w+", "", text)
    for name, braces in SELECTOR.findall(text):
        if name not in WORDS:
            labels = dict(re.findall(r'(\w+)(?:=~|=)"([^"]*)"', braces))
            # Of alternatives each has to be there.
            for values in product(*(each.split("|") for each in labels.values())):
                yield name, dict(zip(labels, values, strict=True))


def unknown(expr: str) -> list[str]:
    """What an expression asks for that no host tells."""
    return [
        f"{name}{wanted}"
        for name, wanted in selectors(expr)
        if not any(
            name == each and fits(wanted, dict(labels)) for each, labels in EXPOSED
        )
    ]


def fits(wanted: dict[str, str], labels: dict[str, str]) -> bool:
    return all(
        name in TARGET or (name in labels and (name in FREE or labels[name] == value))
        for name, value in wanted.items()
    )


FREE: Final = {"plugin", "channel"}
"""Labels whose values are the operator's, or only there when it happened."""


def promtool(*arguments: str | Path) -> subprocess.CompletedProcess[str]:
    if shutil.which("promtool") is None:
        pytest.skip("no promtool here (Debian: prometheus)")
    return subprocess.run(
        ["promtool", *arguments],
        capture_output=True,
        text=True,
        timeout=LIMIT,
        check=False,
    )


def test_the_expressions_of_rules_are_read_as_prometheus_does() -> None:
    expr = (
        'max by (a, b) (rate(some_total{state="x", job=~"y.*"}[3m])) > 5 and on (c) up'
    )
    assert list(selectors(expr)) == [
        ("some_total", {"state": "x", "job": "y.*"}),
        ("up", {}),
    ]
    assert unknown(expr) == ["some_total{'state': 'x', 'job': 'y.*'}"]
    assert unknown('hydra_notify_plugin_state{state="asleep"}')
    assert unknown('hydra_notify_plugin_state{state=~"asleep|ready"}')
    assert unknown('hydra_notify_role{state="ready"}')
    assert not unknown('hydra_notify_plugin_state{plugin="any", state="ready"}')


@pytest.mark.parametrize("rule", GROUP.rules, ids=lambda rule: rule.alert)
def test_an_alert_asks_for_what_the_host_tells(rule: Rule) -> None:
    assert list(selectors(rule.expr))
    assert unknown(rule.expr) == []


@pytest.mark.parametrize("rule", GROUP.rules, ids=lambda rule: rule.alert)
def test_an_alert_says_what_how_bad_and_where_to_read_on(rule: Rule) -> None:
    assert rule.alert.startswith("HydraNotify")
    assert rule.labels.keys() == {"severity"}
    assert rule.labels["severity"] in {"critical", "warning", "info"}
    assert rule.annotations.keys() == {"summary", "description", "runbook_url"}
    assert (ROOT / rule.annotations["runbook_url"]).parent == ALERTS


def test_prometheus_takes_rules_and_configuration() -> None:
    for what, name in (("rules", "rules.yml"), ("config", "prometheus.yml")):
        done = promtool("check", what, MONITORING / name)
        assert done.returncode == 0, done.stdout + done.stderr


def test_each_alert_fires_in_its_case_and_is_silent_in_others() -> None:
    done = promtool("test", "rules", CASES)
    assert done.returncode == 0, done.stdout + done.stderr


def expected(case: Case) -> dict[str, bool]:
    """Whether an alert fires, as far as the case says."""
    return {each.alertname: bool(each.exp_alerts) for each in case.alert_rule_test}


def test_each_alert_has_a_case_in_which_it_fires() -> None:
    cases = [expected(case) for case in TESTS.tests]
    assert {name for case in cases for name in case if case[name]} == set(NAMES)


def test_the_first_case_is_a_healthy_host_on_which_nothing_fires() -> None:
    healthy = TESTS.tests[0]
    assert "healthy" in healthy.name
    assert expected(healthy) == dict.fromkeys(NAMES, False)
    asked = {name for rule in GROUP.rules for name, _ in selectors(rule.expr)}
    there = {each.series.partition("{")[0] for each in healthy.input_series}
    assert asked <= there
