"""`plugin check` finds each fault, and says what it is and what mends it."""

import sys
from dataclasses import replace
from pathlib import Path
from xml.etree import ElementTree

import msgspec
import pytest
import trio
from tests.command_line import run
from tests.languages import need

from hydra_notify.kit.check.candidate import Candidate, Patience
from hydra_notify.kit.check.formats import as_json, as_junit, as_text
from hydra_notify.kit.check.language import language_of
from hydra_notify.kit.check.report import Level, Report
from hydra_notify.kit.check.rules import RULES
from hydra_notify.kit.check.run import check

BROKEN = Path(__file__).parent / "programs" / "broken.py"

PATIENCE = Patience(start=5, answer=2, event=5, leave=2, term=2, quiet=2, quick=5)
"""Less than the kit's, for the many who keep it waiting; far more than they need."""

SHORT_START = replace(PATIENCE, quick=0.2)

PARTS = 4
"""For as many processes of tests."""

AT_ONCE = 6
"""Plugins checked at a time: mostly they wait."""

FAULTS = {
    "ends at once": ("starts", "exit status 1", "stderr"),
    "reads one line": ("lives", "ended by itself", "until stdin ends"),
    "held back": ("flushes", "held in a buffer", "flush=True"),
    "silent": ("initialize", "says nothing at all", "read one line"),
    "is no plugin": ("initialize", "prints text instead of frames", "one JSON object"),
    "cannot start": ("initialize", "424 the service is down", "what it needs"),
    "no version": ("manifest", "missing required field `version`", "protocol_version"),
    "picks another version": ("manifest", "protocol version 2", "protocol_versions"),
    "wants nothing": ("manifest", "no events", '"events"'),
    "strict about initialize": ("newer-host", "does not know", "ignore them"),
    "any version": ("version", "starts all the same", '"code":426'),
    "unknown event": ("known-events", "biuld_*", "build_finished"),
    "unknown part": ("known-parts", "evalz", "evals"),
    "takes any setting": ("bad-config", "settings.room was an object", '"code":422'),
    "wrong setting is an outage": ("bad-config", "again and again", '"code":422'),
    "does not name the setting": ("bad-config", "does not name", "settings.room"),
    "slow to start": ("quick-start", "from spawn to the answer", "heavy"),
    "numeric ids": ("ids", "an id that is no text", "a string"),
    "upper case ids": ("ids", "an id that nobody used", "opaque"),
    "answers everything": ("unknown-request", "does not exist", "-32601"),
    "no answer to the unknown": ("unknown-request", "no answer", "every request"),
    "answers notifications": ("notifications", "answers notifications", "has an id"),
    "dies of notifications": ("notifications", "exit status 4", "ignore"),
    "blank is an error": ("blank-lines", "an empty line for a frame", "skip"),
    "dies of garbage": ("garbage", "this is no JSON", "catch the error"),
    "says nothing of garbage": ("parse-error", "says nothing", "-32700"),
    "short characters": ("text", "as UTF-8", "JSON reader"),
    "short lines": ("large", "1,048,320 bytes", "1 MiB"),
    "no answer to an event": ("events", "eval_failed", "every request"),
    "crashes at a status": ("events", "(timed out)", "stderr"),
    "closes stdout": ("lives", "closed its stdout", "sys.stdin"),
    "result is no object": ("results", "no object", '"result":{}'),
    "odd result": ("results", "'failed'", "an error"),
    "strict about events": ("new-members", "does not know", "ignore"),
    "strict about names": ("new-events", "build_vanished", "skipped"),
    "strict about statuses": ("new-status", "99", "failed build"),
    "done means error": ("repetition", "delivered before", "409"),
    "notes twice": ("once", "is in done.log twice", "look for event.id"),
    "one at a time": ("window", "of 4 events at once", "max_in_flight"),
    "error for ping": ("ping", "error 500", "-32601"),
    "gives up silently": ("cancel", "was cancelled", "499"),
    "refuses shutdown": ("shutdown", "error 500", '"result":{}'),
    "fails at the end": ("shutdown", "exit status 5", "sys.stdin"),
    "stays behind": ("end-of-stdin", "has not left", "sys.stdin"),
    "stays if never asked": ("early-end", "before it was asked", "sys.stdin"),
    "ignores SIGTERM": ("sigterm", "after SIGTERM", "SIGKILL"),
    "leaves a child": ("children", "a process behind", "children"),
    "pretty frames": ("one-line", "several lines", "without indent"),
    "progress without id": ("frames", "`id`", "JSON object"),
    "prints a banner": ("clean-stdout", "prints text", "sys.stderr"),
    "banner before each frame": ("clean-stdout", "prints text", "sys.stderr"),
    "answers twice": ("one-reply", "more than once", "once"),
    "answers unasked": ("asked-replies", "nobody asked", "an id"),
    "asks the host": ("no-requests", "sends a request", "the id out"),
    "no jsonrpc": ("jsonrpc", '"jsonrpc":"2.0"', "every frame"),
    "wordless errors": ("errors", "nothing to people", '"message"'),
    "logs secrets": ("secrets", "a secret", "initialize"),
    "slow without progress": ("progress", "without a word", "progress"),
}
"""What each is told: the rule it breaks; words of the diagnosis, and of the fix."""


SERVICE_FAULTS = {
    "says no id": ("once", "called the service twice", "event.id"),
    "forgets the time": ("slow-down", "the time that the service names", "retry_after"),
    "drops on outage": ("outage", "answered 503", "the error's code"),
    "drops what breaks": ("outage", "broke the connection", "502"),
    "knocks on": ("credentials", "answered 401", "the error's code"),
    "waits for ever": ("hang", "and so did it", "504"),
    "drops what times out": ("hang", "not to be tried again", "504"),
}
"""The same, of plugins that call a service."""


def candidate(fault: str, *, service: bool = False) -> Candidate:
    command = (sys.executable, "-I", "-S", str(BROKEN), fault)
    settings: dict[str, object] = {"room": "builds"}
    if service or fault in SERVICE_FAULTS:
        settings["url"] = "{sink}"
    return Candidate(command, settings, {"token": "s3cret-of-the-test"})


async def check_all(faults: list[str]) -> dict[str, Report]:
    reports: dict[str, Report] = {}
    limiter = trio.CapacityLimiter(AT_ONCE)

    async def check_one(fault: str) -> None:
        async with limiter:
            patience = PATIENCE if fault != "slow to start" else SHORT_START
            reports[fault] = await check(candidate(fault), Level.SHOULD, patience)

    async with trio.open_nursery() as nursery:
        for fault in faults:
            nursery.start_soon(check_one, fault)
    return reports


def failures(report: Report) -> list[str]:
    return [each.rule for each in report.results if each.outcome == "failed"]


@pytest.mark.parametrize("part", range(PARTS))
async def test_each_fault_is_found_and_nothing_else(part: int) -> None:
    every = list((FAULTS | SERVICE_FAULTS).items())
    faults = dict(every[part::PARTS])
    reports = await check_all(list(faults))
    found = {fault: failures(reports[fault]) for fault in faults}
    assert found == {fault: [rule] for fault, (rule, _, _) in faults.items()}
    for fault, (rule, diagnosis, fix) in faults.items():
        (result,) = (r for r in reports[fault].results if r.rule == rule)
        said = " ".join([result.diagnosis, *result.evidence])
        assert diagnosis in said, f"{fault}: {said}"
        assert fix in result.fix, f"{fault}: {result.fix}"
        assert not reports[fault].passed


def test_every_rule_is_broken_by_somebody() -> None:
    broken = {rule for rule, _, _ in (FAULTS | SERVICE_FAULTS).values()}
    assert broken == {rule.name for rule in RULES}


@pytest.mark.parametrize("level", Level)
async def test_a_plugin_without_fault_passes(level: Level) -> None:
    report = await check(candidate("none", service=True), level, PATIENCE)
    assert failures(report) == []
    assert report.passed
    assert {each.outcome for each in report.results} == {"passed"}


async def test_what_only_should_be_kept_does_not_fail_at_level_must() -> None:
    report = await check(candidate("no jsonrpc"), Level.MUST, PATIENCE)
    assert failures(report) == ["jsonrpc"]
    assert report.passed


async def test_a_report_holds_no_secret_nor_half_of_one() -> None:
    command = (sys.executable, "-I", str(BROKEN.parent / "leaky.py"))
    secrets = {"one": "hunter22plain", "two": 'jq"zw\\xv{kj}' * 20}
    report = await check(Candidate(command, {}, secrets), Level.SHOULD, PATIENCE)
    for text in (as_text(report), as_json(report), as_junit(report)):
        assert "***" in text
        assert "hunter" not in text
        assert "zw" not in text


async def refusal(*command: str) -> tuple[str, str]:
    """Diagnosis and fix for a program that cannot even be started."""
    report = await check(Candidate(command), Level.MUST, PATIENCE)
    (result,) = (each for each in report.results if each.outcome == "failed")
    assert result.rule == "starts"
    assert report.plugin == ""
    return result.diagnosis, result.fix


async def test_a_program_that_is_not_there_is_named(tmp_path: Path) -> None:
    diagnosis, fix = await refusal(str(tmp_path / "chat"))
    assert diagnosis == f"{tmp_path}/chat: there is no such program"
    assert "./plugin" in fix


async def test_a_program_that_is_not_executable_is_to_be_made_so(
    tmp_path: Path,
) -> None:
    program = tmp_path / "chat"
    program.write_text("#!/bin/sh\n")
    diagnosis, fix = await refusal(str(program))
    assert "is not executable" in diagnosis
    assert fix == f"chmod +x {program}"


@pytest.mark.parametrize(
    ("first_line", "words"),
    [
        ("#!/nowhere/python3", "names an interpreter that is not here"),
        ("echo hello", "neither a binary nor does it name an interpreter"),
        ("#!/usr/bin/env nopython", "exit status 127"),
    ],
)
async def test_a_program_without_its_interpreter_is_told_of_its_first_line(
    tmp_path: Path, first_line: str, words: str
) -> None:
    program = tmp_path / "chat"
    program.write_text(f"{first_line}\n")
    program.chmod(0o755)
    diagnosis, fix = await refusal(str(program))
    assert words in diagnosis
    assert "first line" in fix or "#!/usr/bin/env" in fix


async def test_a_python_without_the_sdk_is_told_to_install_it() -> None:
    _, fix = await refusal(sys.executable, "-S", "-c", "import hydra_notify_sdk")
    assert "install hydra-notify-sdk" in fix


REPLY = r'print "{\"id\":\"$1\",\"result\":{}}\n"'

HOLDING_BACK = {
    "perl": (("perl", "-ne", r'/"id":"(.*?)"/; ' + REPLY), "$| = 1"),
    "jq": (("jq", "-c", "{id, result: {}}"), "jq --unbuffered"),
}
"""Plugins of one line that forget to flush."""


@pytest.mark.parametrize("language", HOLDING_BACK)
async def test_who_forgets_to_flush_is_told_how_in_the_language_at_hand(
    language: str,
) -> None:
    need(language)
    command, fix = HOLDING_BACK[language]
    patience = replace(PATIENCE, start=1)
    report = await check(Candidate(command), Level.MUST, patience)
    assert failures(report) == ["flushes"]
    (result,) = (each for each in report.results if each.outcome == "failed")
    assert fix in result.fix


@pytest.mark.parametrize(
    ("command", "name"),
    [
        (("python3.12", "chat"), "Python"),
        (("chat.rb",), "Ruby"),
        (("/usr/bin/env", "node", "x"), "JavaScript"),
        (("lua5.4", "x"), "Lua"),
        (("./target/debug/chat",), ""),
    ],
)
def test_a_command_tells_its_language(command: tuple[str, ...], name: str) -> None:
    assert language_of(command).name == name


def test_a_first_line_tells_the_language(tmp_path: Path) -> None:
    program = tmp_path / "chat"
    for line, name in {
        "#!/usr/bin/env -S jq -c": "shell",
        "#!/usr/bin/perl -w": "Perl",
        "#!/usr/bin/env tclsh": "Tcl",
        "#!": "",
    }.items():
        program.write_text(f"{line}\n")
        assert language_of([str(program)]).name == name


async def test_the_text_names_every_rule_and_explains_each_failure() -> None:
    report = await check(candidate("error for ping"), Level.MUST, PATIENCE)
    text = as_text(report)
    for rule in RULES:
        assert rule.title in text
    assert "FAILED  ping" in text
    assert "it answers ping with error 500" in text
    assert '| {"jsonrpc": "2.0", "id": ' in text
    assert "fix: answer" in text
    assert text.splitlines()[-1].startswith("FAILED at level must: 28 of 29 must")
    assert max(map(len, text.splitlines()[1:])) < 190

    document = msgspec.json.decode(as_json(report), type=Report)
    assert document == report

    suite = ElementTree.fromstring(as_junit(report))  # noqa: S314 - our own
    assert suite.attrib["tests"] == str(len(RULES)) == str(len(suite))
    assert suite.attrib["failures"] == "1"
    (failure,) = suite.iter("failure")
    assert "error 500" in failure.attrib["message"]


def test_the_command_says_its_verdict_by_its_exit_status(tmp_path: Path) -> None:
    file = tmp_path / "broken.py"
    file.write_bytes(BROKEN.read_bytes())
    settings = tmp_path / "chat.toml"
    settings.write_text('[settings]\nroom = "builds"\n')
    check_it = ("plugin", "check", sys.executable, "broken.py")
    good = run(*check_it, "none", "--config", "chat.toml", cwd=tmp_path)
    assert good.returncode == 0, good.stdout
    assert "passed at level must" in good.stdout
    bad = run(*check_it, "no jsonrpc", "--level", "should", cwd=tmp_path)
    assert bad.returncode == 1
    assert "should  jsonrpc" in bad.stdout
    wrong = run(*check_it, "none", "--config", "nothing.toml", cwd=tmp_path)
    assert wrong.returncode == 2
    assert "nothing.toml" in wrong.stderr
