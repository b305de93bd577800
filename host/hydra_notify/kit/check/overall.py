"""Rules that hold all the time: seen in every conversation that was had."""

from collections.abc import Callable, Iterator
from contextlib import suppress

import msgspec

from hydra_notify.kit.check.bench import Bench
from hydra_notify.kit.check.diagnosis import evidence
from hydra_notify.kit.check.report import Broken, Failed, Finding, Untried
from hydra_notify.kit.check.rule import must, should
from hydra_notify.kit.check.said import CANARY
from hydra_notify.kit.conversation import Observed, shown
from hydra_notify_sdk.wire import ErrorData, PluginFrame


def _seen(
    bench: Bench, of: Callable[[Observed], list[bytes]], problem: str, fix: str
) -> Finding:
    lines = [line for observed in bench.observed for line in of(observed)]
    return Failed(problem, fix, evidence(lines)) if lines else None


@must("always")
async def one_line(bench: Bench) -> Finding:
    """Writes each frame on one line."""
    spread = [o for o in bench.observed if any(_opens(line) for line in _bad(o))]
    if not spread:
        return None
    lines = [*_bad(spread[0]), *spread[0].stray]
    problem = "it spreads a frame over several lines"
    return Failed(problem, bench.language.compact, evidence(lines))


@must("always")
async def frames(bench: Bench) -> Finding:
    """Writes frames as the protocol has them."""
    for observed in bench.observed:
        for reason, line in [*observed.malformed, *observed.notifications]:
            if not _opens(line):
                problem = f"a line that begins like a frame is none: {reason}"
                fix = "write one whole JSON object a line, as the protocol has it"
                return Failed(problem, fix, (shown(line),) if line else ())
    return None


@must("always")
async def clean_stdout(bench: Bench) -> Finding:
    """Prints nothing else on stdout."""
    spread = [o for o in bench.observed if any(_opens(line) for line in _bad(o))]
    clean = [o for o in bench.observed if o not in spread]
    lines = [line for observed in clean for line in observed.stray]
    if not lines:
        return None
    problem = "it prints text on stdout, which is for frames alone"
    return Failed(problem, bench.language.log, evidence(lines))


@must("always")
async def one_reply(bench: Bench) -> Finding:
    """Answers a request once."""
    problem = "it answers a request more than once"
    fix = "answer each request once; what comes later is a log or progress notification"
    return _seen(bench, lambda observed: observed.repeated, problem, fix)


@must("always")
async def asked_replies(bench: Bench) -> Finding:
    """Answers only what was asked."""
    problem = "it answers what nobody asked"
    fix = "answer only what has an id, with that id"
    return _seen(bench, lambda observed: observed.unasked, problem, fix)


@must("always")
async def no_requests(bench: Bench) -> Finding:
    """Sends no requests."""
    problem = "it sends a request: nobody answers that, in this version"
    fix = "leave the id out: that makes a notification of it"
    return _seen(bench, lambda observed: observed.requests, problem, fix)


@should("always")
async def jsonrpc(bench: Bench) -> Finding:
    """Says "jsonrpc":"2.0" in every frame."""
    problem = 'a frame has no "jsonrpc":"2.0"'
    fix = 'put "jsonrpc":"2.0" into every frame: other readers of JSON-RPC need it'
    return _seen(bench, lambda observed: observed.without_jsonrpc, problem, fix)


@should("always")
async def errors(bench: Bench) -> Finding:
    """Says in words what went wrong."""
    fix = (
        'say what went wrong: "error":{"code":500,"message":"..."}; details are in '
        "data, an object of the protocol's members"
    )
    for line in (line for observed in bench.observed for line in observed.errors):
        error = msgspec.json.decode(line, type=PluginFrame).error
        assert error is not None
        if not error.message.strip():
            problem = f"its error {error.code} says nothing to people"
            return Failed(problem, fix, (shown(line),))
        try:
            msgspec.json.decode(error.data or b"{}", type=ErrorData)
        except (ValueError, RecursionError) as reason:
            problem = f"the host cannot read the data of its error: {reason}"
            return Failed(problem, fix, (shown(line),))
    return None


@should("always")
async def secrets(bench: Bench) -> Finding:
    """Writes no secret down."""
    async with bench.fresh() as conversation:
        one_more = {**bench.candidate.secrets, "hydra_notify_check": CANARY}
        hello = bench.hello(conversation, secrets=one_more)
        # A plugin may refuse a secret that it does not know.
        with suppress(Broken, Untried):
            await bench.initialize(conversation, hello)
            await bench.send(conversation, bench.event())
    lines = [line for observed in bench.observed for line in observed.secrets]
    if not lines:
        return None
    fix = "log what you did with it, not what it is; do not log initialize as it came"
    return Failed("it writes a secret down", fix, tuple(lines[:3]))


@should("always")
async def progress(bench: Bench) -> Finding:
    """Sends progress while it works for long."""
    for observed in bench.observed:
        for method, took in observed.silent:
            return Failed(
                f"{method} took {took:.1f} s, without a word",
                'send {"method":"progress","params":{"id":...}} now and then: the '
                "deadline starts again with each",
            )
    return None


def _bad(observed: Observed) -> Iterator[bytes]:
    return (line for _, line in observed.malformed)


def _opens(line: bytes) -> bool:
    return line.strip() == b"{"
