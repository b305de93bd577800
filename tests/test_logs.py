"""The log's thread: order, bounds, and the count of what was dropped."""

import os
import subprocess
import sys

from hydra_notify.limits import LOG_BUFFER

PROGRAM = """
import logging, sys
from hydra_notify import logs
logs.set_up(sys.stderr, {environ})
log = logging.getLogger("x")
{body}
"""


def run(body: str, **environ: str) -> list[str]:
    """What a program logs until it ends."""
    done = subprocess.run(
        [sys.executable, "-c", PROGRAM.format(environ=environ, body=body)],
        stderr=subprocess.PIPE,
        text=True,
        timeout=60,
        check=True,
    )
    return done.stderr.splitlines()


def test_everything_is_written_in_order_before_the_end() -> None:
    lines = run("for n in range(1000): log.info('line %d', n)")
    assert [line.split()[-1] for line in lines] == [str(n) for n in range(1000)]


def test_the_journal_gets_a_priority_before_each_line() -> None:
    body = "log.error('one\\ntwo'); log.debug('no'); log.info('three')"
    assert run(body, JOURNAL_STREAM="8:1") == ["<3>one", "<3>two", "<6>three"]


def test_a_message_that_cannot_be_made_ends_nothing() -> None:
    lines = run("log.info('%d', 'x'); log.info('after')")
    assert lines[-1].endswith("after")


def test_what_finds_no_room_is_dropped_and_counted_when_somebody_reads_again() -> None:
    count = LOG_BUFFER // 1000 + 500
    body = f"""
for n in range({count}): log.info('x' * 1000)
print('full', flush=True)
sys.stdin.readline()
log.info('after')
"""
    process = subprocess.Popen(
        [sys.executable, "-c", PROGRAM.format(environ={}, body=body)],
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
