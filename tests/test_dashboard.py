"""packaging/monitoring/dashboard.json asks for what there is, in Grafana's form."""

import json
import re
from collections.abc import Iterator
from itertools import combinations
from pathlib import Path
from typing import Any, Final

import msgspec
import pytest
from tests.test_monitoring import EXPOSED, MONITORING, promtool, selectors, unknown

Panel = dict[str, Any]

DASHBOARD: Final[dict[str, Any]] = json.loads(
    (MONITORING / "dashboard.json").read_text()
)
PANELS: Final[list[Panel]] = DASHBOARD["panels"]
SHOWING: Final = [panel for panel in PANELS if panel["type"] != "row"]

VARIABLES: Final = {each["name"] for each in DASHBOARD["templating"]["list"]}
OWN: Final = {"__rate_interval", "__all"}
"""Grafana's."""

WIDTH: Final = 24
"""Columns of a dashboard."""

CHOSEN: Final = {"type": "prometheus", "uid": "${datasource}"}


def queries() -> Iterator[tuple[str, str]]:
    """Each expression, and what its series are called."""
    for panel in SHOWING:
        for target in panel["targets"]:
            yield target["expr"], target["legendFormat"]
    for each in DASHBOARD["annotations"]["list"]:
        yield each["expr"], ""


def texts(value: object) -> Iterator[str]:
    """Every text in it."""
    if isinstance(value, str):
        yield value
    elif isinstance(value, dict):
        for each in value.values():
            yield from texts(each)
    elif isinstance(value, list):
        for each in value:
            yield from texts(each)


def test_rows_come_in_the_order_of_what_is_asked() -> None:
    rows = [panel["title"] for panel in PANELS if panel["type"] == "row"]
    assert rows == [
        "At a glance",
        "Plugin $plugin",
        "Latency",
        "Database",
        "Ledger",
        "The host's process",
    ]
    (repeated,) = [panel for panel in PANELS if "repeat" in panel]
    assert (repeated["type"], repeated["repeat"]) == ("row", "plugin")


@pytest.mark.parametrize("expr", [expr for expr, _ in queries()])
def test_a_query_asks_for_what_the_host_tells(expr: str) -> None:
    assert list(selectors(expr))
    assert unknown(expr) == []


def test_prometheus_takes_every_query(tmp_path: Path) -> None:
    rules = [
        {"record": f"query:{n}", "expr": expr.replace("$__rate_interval", "2m")}
        for n, (expr, _) in enumerate(queries())
    ]
    path = tmp_path / "rules.yml"
    path.write_bytes(msgspec.yaml.encode({"groups": [{"name": "all", "rules": rules}]}))
    done = promtool("check", "rules", path)
    assert done.returncode == 0, done.stdout + done.stderr


def test_series_are_called_by_labels_that_they_have() -> None:
    told = {name for _, labels in EXPOSED for name, _ in labels} | {"instance"}
    for expr, legend in queries():
        for label in re.findall(r"{{(\w+)}}", legend):
            assert label in told
            # What is summed up has only what it is summed up by.
            for by in re.findall(r"\bby ?\(([^)]*)\)", expr):
                assert label in by.split(", "), expr


def test_each_panel_asks_the_prometheus_that_was_chosen() -> None:
    for panel in SHOWING:
        assert panel["datasource"] == CHOSEN
        assert all(target["datasource"] == CHOSEN for target in panel["targets"])
    (source,) = (
        each for each in DASHBOARD["templating"]["list"] if each["type"] == "datasource"
    )
    assert (source["name"], source["query"]) == ("datasource", "prometheus")


def test_every_variable_is_one_that_can_be_chosen() -> None:
    used = {
        name for text in texts(DASHBOARD) for name in re.findall(r"\$\{?(\w+)", text)
    }
    assert used - OWN == VARIABLES


def test_variables_are_filled_from_what_the_host_tells() -> None:
    for each in DASHBOARD["templating"]["list"]:
        if each["type"] == "query":
            found = re.fullmatch(r"label_values\((.+), (\w+)\)", each["definition"])
            assert found is not None
            assert each["query"]["query"] == each["definition"]
            assert unknown(found[1]) == []


def test_panels_have_ids_titles_words_and_a_place_of_their_own() -> None:
    ids = [panel["id"] for panel in PANELS]
    assert len(set(ids)) == len(ids)
    assert all(panel["title"] for panel in PANELS)
    assert all(panel["description"].endswith(".") for panel in SHOWING)
    covered = [
        {
            (x, y)
            for x in range(place["x"], place["x"] + place["w"])
            for y in range(place["y"], place["y"] + place["h"])
        }
        for place in (panel["gridPos"] for panel in PANELS)
    ]
    assert max(x for each in covered for x, _ in each) < WIDTH
    assert all(one.isdisjoint(other) for one, other in combinations(covered, 2))
