"""What a plugin makes of its service: tried where its settings name `{sink}`."""

from typing import Final

from hydra_notify.kit.check.bench import Bench
from hydra_notify.kit.check.report import Broken, Failed, Finding, Untried
from hydra_notify.kit.check.rule import should
from hydra_notify.kit.conversation import Answer, Conversation
from hydra_notify.kit.sink import PLACEHOLDER, Reply, Sink
from hydra_notify.limits import PAUSE_DEFAULT
from hydra_notify.outcomes import Delivered, Outcome, Retry, outcome_of

RETRY_AFTER: Final = 7
"""Seconds that the service asks for."""

_CODE: Final = "answer with the status of HTTP as the error's code"


@should("service")
async def slow_down(bench: Bench) -> Finding:
    """Passes on that its service wants a pause (429)."""
    reply = Reply(429, headers={"Retry-After": str(RETRY_AFTER)})
    answer, outcome = await _outcome(bench, reply)
    match outcome:
        case Retry(after=after) if after is not None and after >= RETRY_AFTER:
            return None
        case Retry():
            problem = "the time that the service names is lost"
        case _:
            problem = "it does not ask for another attempt"
    return Failed(
        f"the service answered 429 with Retry-After: {RETRY_AFTER}; {problem}",
        f'answer {{"error":{{"code":429,"message":"...","data":{{"retry_after_ms":'
        f"{RETRY_AFTER * 1000}}}}}}}",
        (str(answer),),
    )


@should("service")
async def outage(bench: Bench) -> Finding:
    """Asks for another attempt when its service is down."""
    for what, reply, fix in (
        ("answered 503", Reply(503), _CODE),
        ("broke the connection", Reply(breaks=True), "answer with error 502"),
    ):
        answer, outcome = await _outcome(bench, reply)
        if not isinstance(outcome, Retry):
            return Failed(f"the service {what}", fix, (str(answer),))
    return None


@should("service")
async def credentials(bench: Bench) -> Finding:
    """Says when its credentials are refused (401)."""
    answer, outcome = await _outcome(bench, Reply(401))
    if isinstance(outcome, Retry) and outcome.block:
        return None
    problem = "the service answered 401: every other event would fare the same"
    return Failed(problem, _CODE, (str(answer),))


@should("service")
async def hang(bench: Bench) -> Finding:
    """Gives up on a service that hangs, before the host does."""
    try:
        answer, outcome = await _outcome(bench, Reply(None))
    except Broken as broken:
        return Failed(
            f"the service did not answer, and so did it: {broken.failed.diagnosis}",
            "give its requests a timeout below the event's (delivery.timeout_ms), and "
            "answer with error 504",
        )
    if isinstance(outcome, Retry):
        return None
    problem = "the service did not answer, and the event is not to be tried again"
    return Failed(problem, "answer with error 504", (str(answer),))


async def _called(bench: Bench) -> Sink:
    """The service, which the plugin calls.

    Raises:
        Untried: It does not.
    """
    sink = bench.sink
    if sink is None:
        raise Untried(f"no setting names the service: write {PLACEHOLDER} for its URL")
    if not sink.calls:
        conversation = await bench.ready()
        await bench.send(conversation, bench.event())
    if not sink.calls:
        raise Untried(f"it calls nothing at {PLACEHOLDER}")
    return sink


async def _outcome(bench: Bench, reply: Reply) -> tuple[Answer, Outcome]:
    """What it makes of an event while the service answers so."""
    sink = await _called(bench)
    conversation: Conversation = await bench.ready()
    plain, before = sink.reply, len(sink.calls)
    silent = conversation.observed.silent.copy()
    sink.reply = reply
    try:
        answer = await bench.send(conversation, bench.event())
    finally:
        sink.reply = plain
        # Of waiting for a service there is nothing to report.
        conversation.observed.silent = silent
    if len(sink.calls) == before:
        raise Untried("it did not call the service for the event")
    error = answer.frame.error
    if error is None:
        return answer, Delivered()
    return answer, outcome_of(error, pause_default=PAUSE_DEFAULT)
