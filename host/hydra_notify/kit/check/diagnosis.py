"""Why something did not come: what was seen, what it comes from, what mends it."""

import errno
import stat
from collections.abc import Sequence
from pathlib import Path
from shutil import which
from typing import Final

import msgspec
import trio

from hydra_notify import process
from hydra_notify.kit.check.candidate import Patience
from hydra_notify.kit.check.language import Language
from hydra_notify.kit.check.report import Failed
from hydra_notify.kit.conversation import Answer, Conversation, Json, shown
from hydra_notify.kit.limits import EVIDENCE_LINES, STDERR_EVIDENCE
from hydra_notify_sdk.wire import Code, InitializeResult

_NO_SDK: Final = "No module named 'hydra_notify_sdk'"


def cannot_start(command: Sequence[str], error: OSError) -> Failed:
    """The kernel did not start the program."""
    program = command[0]
    path = Path(which(program) or program)
    if error.errno == errno.ENOENT and path.exists():
        interpreter = _first_line(path)
        problem = f"{program}: its first line names an interpreter that is not here"
        fix = "write #!/usr/bin/env and the interpreter's name, and install it"
        return Failed(problem, fix, (interpreter,) if interpreter else (), "starts")
    if error.errno == errno.ENOENT:
        fix = "name a file with its path (./plugin), or a program that is in PATH"
        return Failed(f"{program}: there is no such program", fix, (), "starts")
    if error.errno == errno.EACCES:
        if path.is_dir():
            return Failed(f"{program} is a directory", "name the program in it")
        fix = f"chmod +x {program}"
        mode = stat.filemode(path.stat().st_mode) if path.exists() else ""
        return Failed(f"{program} is not executable ({mode})", fix, (), "starts")
    if error.errno == errno.ENOEXEC:
        fix = "write #!/usr/bin/env bash (or another interpreter) in its first line"
        problem = f"{program} is neither a binary nor does it name an interpreter"
        return Failed(problem, fix, (_first_line(path),), "starts")
    problem = f"{program} cannot be started: {error.strerror}"
    return Failed(problem, "see whether it starts by hand", (), "starts")


def _first_line(path: Path) -> str:
    try:
        with path.open("rb") as program:
            return shown(program.readline(500).rstrip())
    except OSError:
        return ""


def manifest_of(answer: Answer, settings: Json) -> InitializeResult | Failed:
    """The manifest in an answer to `initialize`, or why there is none."""
    if answer.code is not None:
        return _refused(answer, settings)
    try:
        return msgspec.json.decode(answer.frame.result, type=InitializeResult)
    except (ValueError, RecursionError) as error:
        problem = f"its answer to initialize is not a manifest: {error}"
        fix = 'answer {"protocol_version":1,"name":...,"version":...,"events":[...]}'
        return Failed(problem, fix, (str(answer),), "manifest")


def _refused(answer: Answer, settings: Json) -> Failed:
    """It answers `initialize` with an error."""
    error = answer.frame.error
    assert error is not None
    problem = f"it refuses to start: {error.code} {error.message}".rstrip()
    if error.code == Code.UNPROCESSABLE:
        fix = (
            "correct the file given with --config"
            if settings
            else "give it what it needs: --config FILE, with [settings] and [secrets]"
        )
    else:
        fix = "see to what it needs; it is asked to start, not yet to do anything"
    return Failed(problem, fix, (str(answer),), "initialize")


def ended(
    conversation: Conversation, stderr: Sequence[str], doing: str, rule: str = ""
) -> Failed:
    """It has ended when it should not have."""
    status = conversation.child.status
    assert status is not None
    reason = process.exit_reason(status)
    if status == 0:
        reason = "it ended by itself (exit status 0)"
        fix = "read on until stdin ends: a plugin answers many requests"
    elif status in (126, 127):
        fix = "look at the program's first line and at PATH"
    elif _NO_SDK in " ".join(stderr):
        fix = "install hydra-notify-sdk for the python3 that is found in PATH"
    else:
        fix = "see what it says on stderr; catch errors and answer with one instead"
    return Failed(f"{doing}: {reason}", fix, tuple(stderr[-STDERR_EVIDENCE:]), rule)


async def silent(
    conversation: Conversation, what: str, language: Language, patience: Patience
) -> Failed:
    """It was asked something, and nothing came."""
    doing = f"no answer to {what}"
    hello = what == "initialize"
    rule = "initialize" if hello else ""
    if conversation.child.status is not None or conversation.closed:
        await conversation.child.wait(patience.leave)
        if conversation.child.status is not None:
            stderr = await conversation.child.all_stderr()
            return ended(conversation, stderr, doing, "starts" if hello else "")
        fix = f"keep it open until stdin ends: {language.loop}"
        problem = f"{doing}: it has closed its stdout and lives on"
        return Failed(problem, fix, (), rule)
    wrong = _wrong_frames(language, conversation, doing)
    if wrong is not None:
        return wrong
    held = conversation.open
    await conversation.child.hang_up()
    await conversation.finished(patience.leave)
    if len(conversation.open) < len(held):
        return Failed(
            f"{doing} until stdin was closed: its standard output is held in a buffer",
            language.flush,
            (),
            "flushes",
        )
    wrong = _wrong_frames(language, conversation, doing)
    if wrong is not None:
        return wrong
    stray = conversation.observed.stray
    if stray and conversation.observed.stray[0].strip():
        problem = f"{doing}: it prints text instead of frames"
        fix = "write one JSON object per line on stdout, and log on stderr"
        return Failed(problem, fix, evidence(stray), rule)
    if hello:
        problem = f"{doing} within {patience.start:g} s: it says nothing at all"
        fix = "read one line from stdin (not all of it), and answer before the next"
    else:
        problem = f"{doing}, though it is still running"
        fix = "answer every request that has an id, with a result or an error"
    stderr = list(conversation.child.stderr)[-EVIDENCE_LINES:]
    return Failed(problem, fix, tuple(stderr), rule)


def _wrong_frames(
    language: Language, conversation: Conversation, doing: str
) -> Failed | None:
    """An answer of a kind did come."""
    observed = conversation.observed
    for reason, line in observed.malformed:
        if "$.id" in reason:
            fix = 'echo the id as it came, a string: {"id":"e1-9f3a7c",...}'
            problem = f"{doing}, but one with an id that is no text ({reason})"
            return Failed(problem, fix, (shown(line),), "ids")
        if line.strip() == b"{":
            problem = f"{doing}: it spreads its frames over several lines"
            stray = evidence([line, *observed.stray])
            return Failed(problem, language.compact, stray, "one-line")
    if observed.requests:
        fix = "write answers: the id of what was asked, and a result or an error"
        problem = f"{doing}, but a request (does it echo what it reads?)"
        return Failed(problem, fix, evidence(observed.requests), "no-requests")
    if observed.unasked:
        fix = "echo the id as it came: it is text, and opaque"
        problem = f"{doing}, but one with an id that nobody used"
        return Failed(problem, fix, evidence(observed.unasked), "ids")
    for reason, line in observed.malformed:
        fix = 'answer {"jsonrpc":"2.0","id":...,"result":{}} on one line'
        problem = f"{doing}, but a line that is no frame: {reason}"
        return Failed(problem, fix, (shown(line),), "frames")
    return None


def evidence(lines: Sequence[bytes]) -> tuple[str, ...]:
    """The first of `lines`, and how many more there are."""
    first = tuple(shown(line) for line in lines[:EVIDENCE_LINES])
    more = len(lines) - len(first)
    return (*first, f"... and {more} more") if more > 0 else first


async def let_go(conversation: Conversation, seconds: float) -> int | None:
    """Close its stdin; its exit status, or None if it has not ended after so long."""
    await conversation.child.hang_up()
    with trio.move_on_after(seconds):
        await conversation.child.wait()
    return conversation.child.status
