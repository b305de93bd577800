"""The log: its forms, what it hides, and its thread, which drops and counts."""

import json
import os
import pty
import re
import subprocess
import sys
from datetime import datetime, timedelta
from pathlib import Path

import pytest

from hydra_notify.limits import LOG_BUFFER

ABOUT = ("plugin", "delivery", "event", "attempt")

PROGRAM = """
import logging, sys
from hydra_notify import logs
logs.set_up(sys.stderr, {environ}, form={form!r}, level={level!r})
about = logs.about
log = logging.getLogger("hydra_notify.x")
{body}
"""

FIELDS = """
log.warning("failed, %s: no route", "given up",
    extra=about("chat", "build_finished:7:1", 2, "e5-9f3a7c"))
log.info("listening")
log.log(20, "quota low", extra={**about("chat"), "fields": {"left": 12}})
"""


def program(
    body: str, form: str = "auto", level: str = "info", **environ: str
) -> list[str]:
    text = PROGRAM.format(environ=environ, form=form, level=level, body=body)
    return [sys.executable, "-c", text]


def run(
    body: str, form: str = "auto", level: str = "info", **environ: str
) -> list[str]:
    """What a program logs until it ends."""
    done = subprocess.run(
        program(body, form, level, **environ),
        stderr=subprocess.PIPE,
        text=True,
        timeout=60,
        check=True,
    )
    return done.stderr.splitlines()


def test_everything_is_written_in_order_before_the_end() -> None:
    lines = run("for n in range(1000): log.info('line %d', n)")
    assert [line.split()[-1] for line in lines] == [str(n) for n in range(1000)]


def test_a_person_reads_time_level_plugin_words_and_what_it_is_about() -> None:
    failed, listening, quota = run(FIELDS)
    assert re.fullmatch(
        r"\d\d:\d\d:\d\d WARNING chat: failed, given up: no route"
        r" \[event=build_finished:7:1 attempt=2 delivery=e5-9f3a7c\]",
        failed,
    )
    assert listening[8:] == " INFO    listening"
    assert quota[8:] == " INFO    chat: quota low left=12"


def test_the_journal_gets_a_priority_and_no_time() -> None:
    failed, listening, _ = run(FIELDS, "journal")
    assert failed.startswith("<4>chat: failed, given up: no route [event=")
    assert listening == "<6>listening"


def test_a_program_gets_every_field_of_every_line() -> None:
    failed, listening, quota = map(json.loads, run(FIELDS, "json"))
    at = datetime.fromisoformat(failed.pop("time"))
    assert at.utcoffset() == timedelta(0)
    assert failed == {
        "level": "warning",
        "message": "failed, given up: no route",
        "logger": "hydra_notify.x",
        "plugin": "chat",
        "event": "build_finished:7:1",
        "attempt": 2,
        "delivery": "e5-9f3a7c",
    }
    assert re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z", listening["time"])
    assert [listening[name] for name in ABOUT] == [None] * 4
    assert quota["fields"] == {"left": 12}


TRACEBACK = """
try: 1 / 0
except ZeroDivisionError: log.critical('oh\\nno\x1b[2J', exc_info=True)
"""


def test_a_record_is_one_line_and_of_a_traceback_each_has_the_priority() -> None:
    words, *traceback = run(TRACEBACK, "journal")
    assert words == "<2>oh | no·[2J"
    assert traceback[-1] == "<2>ZeroDivisionError: division by zero"
    assert all(line.startswith("<2>") for line in traceback)
    (line,) = run(TRACEBACK, "json")
    record = json.loads(line)
    assert record["message"] == "oh\nno\x1b[2J"
    assert record["exception"].startswith("Traceback (most recent call last):\n")


def test_the_journal_is_known_by_the_file_and_not_by_the_variable_alone(
    tmp_path: Path,
) -> None:
    """`hydra-notify 2>FILE` in a unit."""
    for path, other in (("log", "log"), ("other", "log")):
        with (tmp_path / path).open("w+") as file:
            found = (tmp_path / other).stat()
            journal = f"{found.st_dev}:{found.st_ino}"
            text = program("log.info('words')", JOURNAL_STREAM=journal)
            subprocess.run(text, stderr=file, timeout=60, check=True)
            file.seek(0)
            assert file.read().startswith("<6>") is (path == other)
    assert run("log.info('words')", JOURNAL_STREAM="no:thing")[0].endswith("words")


@pytest.mark.parametrize(
    ("environ", "coloured"),
    [({"TERM": "xterm"}, True), ({"TERM": "xterm", "NO_COLOR": "1"}, False)],
)
def test_a_terminal_has_colours_unless_somebody_wants_none(
    environ: dict[str, str], coloured: bool
) -> None:
    ours, theirs = pty.openpty()
    with os.fdopen(ours, "rb", buffering=0) as screen:
        body = "log.error('words'); log.info('plain')"
        subprocess.run(program(body, **environ), stderr=theirs, timeout=60, check=True)
        shown = screen.read(4096)
        os.close(theirs)
    error, plain, _ = shown.split(b"\r\n")
    assert (b"\x1b[31mERROR" in error) is coloured
    assert b"\x1b" not in plain


def test_debug_is_for_our_own_lines_and_not_for_those_of_libraries() -> None:
    body = """
log.debug("ours")
logging.getLogger("psycopg").debug("postgresql://u:password@h")
log.info("info")
"""
    assert [line.split()[-1] for line in run(body, level="debug")] == ["ours", "info"]
    assert run(body, level="warning") == []


HIDDEN = """
logs.hide("chat", ['zw"qq\\n\u00e9', "abc"])
log.info('zw"qq\\n\u00e9 abc %r', 'zw"qq\\n\u00e9')
log.info("", extra={**about(), "fields": {"a": [{'zw"qq\\n\u00e9': 1}], "n": 'x'}})
try: {}['zw"qq\\n\u00e9']
except KeyError: log.error("oh", exc_info=True)
log.info("%d", 'zw"qq\\n\u00e9')
logs.hide("chat", ["another"])
log.info('rotated zw"qq\\n\u00e9 another')
"""


@pytest.mark.parametrize("form", ["human", "journal", "json"])
def test_what_is_hidden_is_in_no_line_however_it_came_there(form: str) -> None:
    lines = run(HIDDEN, form)
    text = "\n".join(lines)
    assert "zw" not in text
    assert "qq" not in text
    assert "another" not in text
    assert "*** abc" in text
    assert "rotated *** ***" in text


def test_a_message_that_cannot_be_made_ends_nothing() -> None:
    lines = run("log.info('%d', 'x'); log.info('after')", "journal")
    assert re.fullmatch(
        r"<3>a line of log could not be made: TypeError \(.*:\d+\)", lines[0]
    )
    assert lines[1:] == ["<6>after"]


def test_what_finds_no_room_is_dropped_and_counted_when_somebody_reads_again() -> None:
    count = LOG_BUFFER // 1000 + 500
    body = f"""
for n in range({count}): log.info('x' * 1000)
print('full', flush=True)
sys.stdin.readline()
log.info('after')
"""
    process = subprocess.Popen(
        program(body),
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
    )
    assert process.stdin
    assert process.stdout
    assert process.stderr
    with process:
        assert process.stdout.readline() == b"full\n"
        heard = bytearray()
        while heard.count(b"\n") < count // 2:
            heard += os.read(process.stderr.fileno(), 65_536)
        process.stdin.write(b"go\n")
        process.stdin.close()
        heard += process.stderr.read()
        lines = heard.decode().splitlines()
    (complaint,) = (line for line in lines if "were dropped" in line)
    dropped = int(complaint.split(" lines of log")[0].rpartition(" ")[2])
    assert dropped > 0
    assert sum("xxx" in line for line in lines) + dropped == count
    assert lines[-1].endswith("after")
