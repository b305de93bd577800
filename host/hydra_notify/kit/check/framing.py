"""How a plugin reads and answers frames."""

import json
from typing import Final

import msgspec

from hydra_notify.kit.check.bench import Bench
from hydra_notify.kit.check.diagnosis import evidence
from hydra_notify.kit.check.report import Broken, Failed, Finding, NotTried
from hydra_notify.kit.check.rule import must, should
from hydra_notify.kit.conversation import Json, line_of
from hydra_notify_sdk.wire import Code
from hydra_notify_sdk.wire.limits import MAX_FRAME_BYTES, MAX_ID_LENGTH

ODD_IDS: Final = ("007", "1e3", "-", "a.b_c-D", "null", "x" * MAX_ID_LENGTH)
"""Every one of them is text, though some readers would make a number of it."""

TEXT: Final = (
    "Grüße ☃ 😀 \u2028\u2029 \x00\x07\x1b[31m \"quoted\" \\ 'single' </script> "
    "$(true) `true` %s \t tab"
)
"""What job names and error messages hold: nothing of it means anything in JSON."""

AROUND: Final = 256
"""Bytes for what goes around the parameters of the largest frame."""

GARBAGE: Final = (b"this is no JSON", b'{"jsonrpc":"2.0","id":"e1', b"[]", b"\xff\xfe")


@must("frames")
async def ids(bench: Bench) -> Finding:
    """Echoes ids as they came."""
    conversation = await bench.ready()
    for name in ODD_IDS:
        try:
            await bench.ping(conversation, name)
        except Broken as broken:
            problem = f"the request had the id {name!r}: {broken.failed.diagnosis}"
            fix = "keep the id as the text it is, and write it back with its quotes"
            return Failed(problem, fix, broken.failed.evidence)
    return None


@must("frames")
async def unknown_request(bench: Bench) -> Finding:
    """Answers other requests with -32601."""
    conversation = await bench.ready()
    sent = await conversation.request("describe_nothing", {"a": 1})
    answer = await bench.answered(conversation, sent, "a request it does not know")
    if answer.code == Code.METHOD_NOT_FOUND:
        return None
    fix = 'answer {"error":{"code":-32601,"message":"no such method"}} to any other'
    return Failed("it answers a method that does not exist", fix, (str(answer),))


@must("frames")
async def notifications(bench: Bench) -> Finding:
    """Ignores other notifications, answers none."""
    conversation = await bench.ready()
    unasked = len(conversation.observed.unasked)
    unparsed = len(conversation.observed.unparsed)
    await conversation.notify("$/grease", {"a": [None, {"b": 1.5}]})
    await conversation.notify("cancel", {"id": "e0-gone", "reason": "deadline"})
    try:
        await bench.ping(conversation)
    except Broken as broken:
        problem = f"after a notification it does not know: {broken.failed.diagnosis}"
        fix = "ignore what has no id and is not known"
        return Failed(problem, fix, broken.failed.evidence)
    replies = (
        conversation.observed.unparsed[unparsed:]
        + conversation.observed.unasked[unasked:]
    )
    if replies:
        fix = "answer only what has an id"
        return Failed("it answers notifications", fix, evidence(replies))
    return None


@must("frames")
async def blank_lines(bench: Bench) -> Finding:
    r"""Skips empty lines, takes \r\n."""
    conversation = await bench.ready()
    unparsed = len(conversation.observed.unparsed)
    await conversation.child.write(b"\n\r\n")
    await bench.ping(conversation)
    sent = await conversation.request("ping", encode=_with_return)
    await bench.answered(conversation, sent, "a ping that ends in \\r\\n")
    replies = conversation.observed.unparsed[unparsed:]
    if not replies:
        return None
    fix = "skip empty lines, and a \\r before the newline"
    return Failed("it takes an empty line for a frame", fix, evidence(replies))


@must("frames")
async def garbage(bench: Bench) -> Finding:
    """Survives lines that are no JSON."""
    for line in GARBAGE:
        conversation = await bench.ready()
        await conversation.child.write(line + b"\n")
        try:
            await bench.ping(conversation)
        except Broken as broken:
            return Failed(
                f"after the line {line!r}: {broken.failed.diagnosis}",
                "catch the error of your JSON reader, and go on with the next line",
                broken.failed.evidence,
            )
    return None


@should("frames")
async def parse_error(bench: Bench) -> Finding:
    """Says that a line was no JSON (-32700)."""
    conversation = await bench.ready()
    before = len(conversation.observed.unparsed)
    await conversation.child.write(GARBAGE[0] + b"\n")
    try:
        await bench.ping(conversation)
    except Broken:
        return NotTried("it does not survive one: see garbage")
    replies = conversation.observed.unparsed[before:]
    fix = 'answer {"id":null,"error":{"code":-32700,"message":"..."}}'
    if not replies:
        return Failed("it says nothing of a line that is no JSON", fix)
    error = msgspec.json.decode(replies[0])["error"]
    if error["code"] == Code.PARSE_ERROR:
        return None
    return Failed("it does not say -32700", fix, evidence(replies))


@must("frames")
async def text(bench: Bench) -> Finding:
    """Reads every character."""
    conversation = await bench.ready()
    plain = await bench.send(conversation, bench.event())
    for how, encode in (("as UTF-8", line_of), ("escaped as \\uXXXX", _ascii_line)):
        params = _described(bench.event(), TEXT)
        answer = await bench.send(conversation, params, encode, "odd characters")
        if (answer.code is None) is not (plain.code is None):
            return Failed(
                f"it fails on an event with odd characters in its texts, {how}",
                "read the line as UTF-8 and with a JSON reader, and never put texts "
                "into a shell command or a format string",
                (str(answer),),
            )
    return None


@must("frames")
async def large(bench: Bench) -> Finding:
    """Reads frames of 1 MiB."""
    conversation = await bench.ready()
    plain = await bench.send(conversation, bench.event())
    params = bench.event()
    what = f"a frame of {MAX_FRAME_BYTES - AROUND:,} bytes"
    room = MAX_FRAME_BYTES - len(line_of(params)) - AROUND
    fix = "let your reader take lines of 1 MiB (Go: scanner.Buffer or bufio.Reader)"
    params = _described(params, "x" * room)
    try:
        answer = await bench.send(conversation, params, what=what)
    except Broken as broken:
        return Failed(broken.failed.diagnosis, fix, broken.failed.evidence)
    if (answer.code is None) is (plain.code is None):
        return None
    return Failed(f"it fails on {what}", fix, (str(answer),))


def _described(params: Json, words: str) -> Json:
    """An event's parameters with `words` as the description of its jobset."""
    changed = msgspec.json.decode(msgspec.json.encode(params))
    assert isinstance(changed, dict)
    changed["event"]["data"]["jobsetInfo"]["description"] = words
    return changed


def _with_return(frame: object) -> bytes:
    return line_of(frame)[:-1] + b"\r\n"


def _ascii_line(frame: object) -> bytes:
    """The same JSON with every character beyond ASCII escaped."""
    return json.dumps(frame, separators=(",", ":")).encode() + b"\n"
