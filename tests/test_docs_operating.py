"""docs/operating.md names what there is: log lines, tests, sections, files."""

import ast
import json
import re
import shlex
import subprocess
from functools import cache
from pathlib import Path

import pytest
from tests.languages import need
from tests.pages import ROOT, missing_tests, rows, section
from tests.statuses import NOW, host_status, plugin_status
from tests.test_logs import run

import hydra_notify
from hydra_notify import limits
from hydra_notify.cli.options import EXIT_USAGE
from hydra_notify.cli.status_picture import picture
from hydra_notify.daemon import Exit
from hydra_notify.logs import FORMS
from hydra_notify.metrics import Counts, LedgerState, PluginState, Role
from hydra_notify.problems import health, problems
from hydra_notify.status import Latency, PendingStatus, Trend
from hydra_notify_sdk.wire import limits as wire_limits

PAGE = (ROOT / "docs" / "operating.md").read_text()
HOST = Path(hydra_notify.__file__).parent


@cache
def words_of_the_host() -> str:
    """Every text in the host's code, one after the other."""
    texts = [
        node.value
        for path in HOST.rglob("*.py")
        for node in ast.walk(ast.parse(path.read_text()))
        if isinstance(node, ast.Constant) and isinstance(node.value, str)
    ]
    # What logging fills in is nobody's words.
    return re.sub(r"%(\.\d)?[sdrfg]", "…", "\n".join(texts))


LOG_LINES = [
    row[0].strip("`")
    for row in rows(section(PAGE, "What the log says, and what to do"))
    if row[0].startswith("`")
]


@pytest.mark.parametrize("line", LOG_LINES)
def test_a_line_of_the_log_is_one_that_the_host_writes(line: str) -> None:
    parts = [part for part in re.split(r"…|[:;,()] ?", line) if len(part.strip()) > 3]
    assert parts
    assert [part for part in parts if part not in words_of_the_host()] == []


def test_there_are_lines_of_the_log_to_look_for() -> None:
    assert len(LOG_LINES) > 15
    assert "nobody has ever written this" not in words_of_the_host()


def test_every_section_it_points_to_is_there() -> None:
    titles = re.findall(r"^#+ (.+)$", PAGE, re.M)
    anchors = {re.sub(r"[^a-z0-9 -]", "", t.lower()).replace(" ", "-") for t in titles}
    assert set(re.findall(r"\]\(#([^)]+)\)", PAGE)) <= anchors


def test_every_file_it_points_to_is_there() -> None:
    links = re.findall(r"\]\(([^)#]+)\)", PAGE)
    assert [link for link in links if not (ROOT / "docs" / link).exists()] == []
    paths = re.findall(r"`(tests/[^`:]+)`", PAGE)
    assert [path for path in paths if not (ROOT / path).exists()] == []


def test_every_exit_status_is_explained() -> None:
    statuses = {int(row[0]) for row in rows(PAGE) if row[0].isdigit()}
    assert statuses >= {EXIT_USAGE, *Exit}


@pytest.mark.parametrize(
    "words",
    [
        f"have {limits.DRAIN_GRACE:.0f} s to answer",
        f"At most about {limits.STOP_LIMIT + limits.CLEAR_ON_EXIT:.0f} s",
        f"after {limits.ACTIVE_SILENCE:.0f} s of silence",
        f"within two sweeps of {limits.SWEEP_INTERVAL:.0f} s",
        f"within {limits.LEDGER_LOOK:.0f} s the host uses it",
        f"{2**limits.RETRY_CAP_EXPONENT:,} s, or when the plugin asks",
        f"`give_up_after` ({limits.GIVE_UP_AFTER / 86_400:.0f} days)",
        f"at most its window, {wire_limits.MAX_IN_FLIGHT} or less",
    ],
)
def test_a_number_on_the_page_is_that_of_the_host(words: str) -> None:
    assert words in " ".join(PAGE.split())


def test_the_status_on_the_page_is_what_the_command_prints() -> None:
    chat = plugin_status(
        "chat",
        state=PluginState.BLOCKED,
        queued=31,
        window=4,
        latency=Latency(0.21, 0.9, 512),
        last_error="401 invalid_auth",
        last_error_at=NOW - 240,
    )
    rate = Trend(10.0, [0.4])
    mail = plugin_status(
        "mail", in_flight=1, rate=rate, latency=Latency(0.04, 0.31, 840)
    )
    counts = Counts(role=Role.ACTIVE, listening=True, ledger=LedgerState.ACTIVE)
    found = problems(counts, [chat, mail])
    how, words = health(counts, found)
    status = host_status(
        plugins=[chat, mail],
        problems=found,
        health=how,
        words=words,
        open_events=32,
        pending=PendingStatus(31, NOW - 250, NOW - 12),
        events=rate,
        deliveries=rate,
    )
    lines = [line.plain.rstrip() for line in picture(status, 88)]
    assert "```\n" + "\n".join(lines) + "\n```\n" in PAGE


GROUPS = {"P": 26, "H": 10, "D": 16, "E": 15, "O": 10}
"""Rows of each part of the fault matrix."""

REASON = "Not on one machine: "


def rows_of_the_matrix() -> list[list[str]]:
    return [row for row in rows(section(PAGE, "The fault matrix")) if row[0] != "#"]


def test_every_fault_has_its_row_in_order() -> None:
    expected = [f"{g}{n}" for g, count in GROUPS.items() for n in range(1, count + 1)]
    assert [row[0] for row in rows_of_the_matrix()] == expected


@pytest.mark.parametrize("row", rows_of_the_matrix(), ids=lambda row: row[0])
def test_a_fault_is_proved_by_tests_that_exist_or_has_a_reason(row: list[str]) -> None:
    _, fault, happens, proof = row
    assert fault
    assert happens
    if proof.startswith(REASON):
        assert len(proof) > len(REASON) + 20
        return
    assert missing_tests(proof) == []


LOG = """
for event in ("build_finished:4711:1", "build_finished:47110:1"):
    for plugin in ("chat", "mail"):
        log.error("failed, given up: 404", extra=about(plugin, event, 1, "e1-9f3a7c"))
log.info("listening")
log.error("cannot read the ledger", extra=about())
"""


def shell_lines(title: str) -> list[str]:
    blocks = re.findall(r"^```sh\n(.+?)^```", section(PAGE, title), re.M | re.S)
    return [line for block in blocks for line in block.splitlines()]


@pytest.mark.parametrize("line", shell_lines("The log"))
def test_a_command_about_the_log_finds_what_the_page_says(
    line: str, tmp_path: Path
) -> None:
    if line.startswith("journalctl"):
        # Its -g searches the messages, as grep -P does those lines.
        _, _, unit, _, pattern = shlex.split(line)
        assert f"{unit}.service" in PAGE
        (tmp_path / "log").write_text("\n".join(run(LOG, "journal")))
        command = ["grep", "-P", pattern, "log"]
    else:
        need("jq")
        (tmp_path / "hydra-notify.log").write_text("\n".join(run(LOG, "json")))
        command = ["bash", "-c", line]
    found = subprocess.run(
        command, cwd=tmp_path, capture_output=True, text=True, timeout=60, check=True
    ).stdout.splitlines()
    assert all("build_finished:4711" in each for each in found)
    assert len(found) == (4 if '"error"' in line else 2)


def test_the_keys_of_a_line_of_json_are_those_on_the_page() -> None:
    """`fields` and `exception` are there when there is something to say."""
    keys = {row[0].strip("`") for row in rows(section(PAGE, "The log"))} - {"key"}
    (line,) = run(
        "try: 1 / 0\n"
        "except ZeroDivisionError: "
        "log.error('oh', exc_info=True, extra={'fields': {'a': 1}})",
        "json",
    )
    assert set(json.loads(line)) == keys - {"--log-format", *FORMS}
