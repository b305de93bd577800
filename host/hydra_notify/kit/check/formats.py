"""A report as text, as JSON, and as the XML that JUnit made CI systems read."""

import shlex
from collections.abc import Iterator
from itertools import groupby
from textwrap import wrap
from typing import Final
from xml.etree.ElementTree import Element, SubElement, indent, tostring

import msgspec

from hydra_notify.kit.check.report import NEVER_STARTED, Level, Report, Result

WIDTH: Final = 88
"""Columns of the text: what every terminal and every log of a CI system shows."""

_GROUPS: Final = {
    "start": "how it starts",
    "frames": "frames",
    "events": "events",
    "work": "while it works",
    "service": "what it makes of its service",
    "end": "how it ends",
    "always": "all the time",
}

_MARKS: Final = {"passed": "ok", "failed": "FAILED", "not tried": "-"}

_NOT_XML: Final = {code: "�" for code in range(0x20) if chr(code) not in "\t\n\r"}


def as_json(report: Report) -> str:
    """One document; its members are those of `Report` and `Result`."""
    return msgspec.json.format(msgspec.json.encode(report)).decode()


def as_text(report: Report) -> str:
    """For people: every rule on a line, every failure with its reason and its fix."""
    lines = [shlex.join(report.command)]
    if report.plugin:
        lines.append(f"{report.plugin}, ready after {report.start_ms} ms")
    for group, results in groupby(report.results, lambda each: each.group):
        told = [each for each in results if each.diagnosis != NEVER_STARTED]
        if told:
            lines += ["", _GROUPS[group]]
        before = ""
        for result in told:
            lines += _lines_of(result, before)
            before = result.diagnosis
    return "\n".join([*lines, "", verdict(report)])


def verdict(report: Report) -> str:
    """What it all comes to, in a line."""
    counts = ", ".join(_count(report, level) for level in Level)
    not_tried = sum(report.count("not tried", level.value) for level in Level)
    rest = f"; {not_tried} not tried" if not_tried else ""
    broken = [each.rule for each in report.results if each.outcome == "failed"]
    if broken:
        rest += f"; broken: {', '.join(broken)}"
    if report.passed:
        word = f"passed at level {report.level}"
    else:
        word = f"FAILED at level {report.level}"
    return f"{word}: {counts}{rest}"


def _count(report: Report, level: Level) -> str:
    passed = report.count("passed", level.value)
    tried = passed + report.count("failed", level.value)
    return f"{passed} of {tried} {level.value}"


def _lines_of(result: Result, before: str) -> Iterator[str]:
    """The lines of a result; `before` is the reason that stands above them."""
    mark = _MARKS[result.outcome]
    if result.outcome == "failed" and result.level == Level.SHOULD.value:
        mark = "should"
    yield f"  {mark:<7} {result.rule:<16} {result.title}"
    if result.outcome == "passed":
        return
    if result.diagnosis == before:
        yield f"{'':10}(likewise)"
        return
    yield from _indented("", result.diagnosis)
    for line in result.evidence:
        yield f"{'':12}| {line}"
    if result.fix:
        yield from _indented("fix: ", result.fix)


def _indented(word: str, text: str) -> list[str]:
    return wrap(
        text,
        WIDTH,
        initial_indent=" " * 10 + word,
        subsequent_indent=" " * (10 + len(word)),
        break_on_hyphens=False,
        break_long_words=False,
    )


def as_junit(report: Report) -> str:
    """One test case for each rule; one that should be kept fails at its level only."""
    suite = Element("testsuite", name="hydra-notify plugin check")
    failures = skipped = 0
    for result in report.results:
        case = SubElement(
            suite, "testcase", classname=result.group, name=f"{result.rule}: it "
            f"{result.title}",
        )  # fmt: skip
        text = _xml("\n".join([result.diagnosis, *result.evidence, result.fix]))
        counts = result.level == Level.MUST.value or report.level == Level.SHOULD.value
        if result.outcome == "failed" and counts:
            failures += 1
            failure = SubElement(case, "failure", message=_xml(result.diagnosis))
            failure.text = text
        elif result.outcome != "passed":
            skipped += 1
            SubElement(case, "skipped", message=_xml(result.diagnosis))
    suite.attrib |= {
        "tests": str(len(report.results)),
        "failures": str(failures),
        "errors": "0",
        "skipped": str(skipped),
    }
    indent(suite)
    return tostring(suite, encoding="unicode", xml_declaration=True)


def _xml(text: str) -> str:
    """`text` without the characters that XML has no way to write."""
    return text.translate(_NOT_XML)
