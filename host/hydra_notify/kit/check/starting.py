"""How a plugin starts."""

from typing import Final

import msgspec

from hydra_notify import process
from hydra_notify.kit.check.bench import Bench
from hydra_notify.kit.check.report import Broken, Failed, Finding, NotTried
from hydra_notify.kit.check.rule import must, should
from hydra_notify.kit.conversation import Answer, Json
from hydra_notify_sdk.wire import (
    CHANNELS,
    PROTOCOL_VERSION,
    Code,
    ErrorData,
    names_event,
)
from hydra_notify_sdk.wire.samples import PARTS

UNKNOWN_VERSION: Final = 999

WRONG: Final[Json] = {"this is": ["no", "setting", "of", "any", "plugin"]}
"""In place of a setting: of a type that no setting has."""


@must("start")
async def starts(bench: Bench) -> Finding:
    """Can be started."""
    await bench.ready()
    return None


@must("start")
async def flushes(bench: Bench) -> Finding:
    """Sends each frame at once."""
    await bench.ready()
    return None


@must("start")
async def initialize(bench: Bench) -> Finding:
    """Answers initialize with what it is."""
    await bench.ready()
    return None


@must("start")
async def lives(bench: Bench) -> Finding:
    """Lives on when it has said what it is."""
    conversation = await bench.ready()
    await bench.ping(conversation)
    bench.lives = True
    return None


@must("start")
async def manifest(bench: Bench) -> Finding:
    """Has all that a manifest needs."""
    await bench.ready()
    assert bench.manifest is not None
    if bench.manifest.protocol_version != PROTOCOL_VERSION:
        return Failed(
            f"it picks protocol version {bench.manifest.protocol_version}, of which "
            f"the host has said nothing: it offered {PROTOCOL_VERSION}",
            f"answer one of protocol_versions: {PROTOCOL_VERSION}",
        )
    if not bench.manifest.name or not bench.manifest.version:
        problem = "its name or its version is empty"
        return Failed(problem, 'answer "name":"chat","version":"1.0"')
    if not bench.manifest.events:
        problem = "it wants no events, so it would never be told anything"
        return Failed(problem, f'answer "events":["{CHANNELS[2]}"]')
    return None


@should("start")
async def known_events(bench: Bench) -> Finding:
    """Wants events that exist."""
    await bench.ready()
    assert bench.manifest is not None
    unknown = [name for name in bench.manifest.events if not names_event(name)]
    if not unknown:
        return None
    return Failed(
        f"it wants {', '.join(unknown)}, which no host has",
        f"the events are: {', '.join(CHANNELS)}; patterns end in *",
    )


@should("start")
async def known_parts(bench: Bench) -> Finding:
    """Includes parts that exist."""
    await bench.ready()
    assert bench.manifest is not None
    unknown = [part for part in bench.manifest.include if part not in PARTS]
    if not unknown:
        return None
    fix = f"the parts are: {', '.join(PARTS)}"
    return Failed(f"it includes {', '.join(unknown)}, which no host sends", fix)


@must("start")
async def newer_host(bench: Bench) -> Finding:
    """Starts under newer hosts, too."""
    await bench.ready()
    async with bench.fresh() as conversation:
        hello = bench.hello(
            conversation,
            log_level="whisper",
            features=["a", "newer", "host"],
            limits={"max_frame_bytes": 2**40, "max_in_flight": 64, "new": None},
            newer={"nested": [{"member": 1}]},
        )
        try:
            await bench.initialize(conversation, hello)
        except Broken as broken:
            return Failed(
                "it does not start when initialize has members and words that it does "
                f"not know: {broken.failed.diagnosis}",
                "ignore them: that is how the protocol grows",
                broken.failed.evidence,
            )
    return None


@must("start")
async def version(bench: Bench) -> Finding:
    """Refuses versions it does not speak (426)."""
    async with bench.fresh() as conversation:
        hello = bench.hello(conversation, protocol_versions=[UNKNOWN_VERSION])
        answer = await conversation.ask(
            "initialize", hello, seconds=bench.patience.start
        )
        if answer is None:
            raise Broken(await bench.silent(conversation, "initialize"))
        if answer.code == Code.UPGRADE_REQUIRED:
            return None
        did = "starts all the same" if answer.code is None else f"says {answer.code}"
        return Failed(
            f"a host that offers only protocol version {UNKNOWN_VERSION}: it {did}",
            'answer {"error":{"code":426,"message":"...","data":{"supported":[1]}}} '
            "when protocol_versions has no version that it speaks",
            (str(answer),),
        )


@should("start")
async def bad_config(bench: Bench) -> Finding:
    """Refuses a setting of a wrong type, naming it (422)."""
    settings = bench.candidate.settings
    if not settings:
        return NotTried("it was given no settings: --config FILE")
    for name in settings:
        finding = await _with_wrong_setting(bench, name)
        if finding is not None:
            return finding
    return None


async def _with_wrong_setting(bench: Bench, name: str) -> Failed | None:
    async with bench.fresh() as conversation:
        wrong = {**bench.candidate.settings, name: WRONG}
        hello = bench.hello(conversation, config=wrong)
        answer = await conversation.ask(
            "initialize", hello, seconds=bench.patience.start
        )
        place = f"settings.{name}"
        fix = (
            'answer {"error":{"code":422,"message":"...","data":{"errors":[{"path":'
            f'"{place}","message":"...","help":"..."}}]}}}}}}'
        )
        if answer is None:
            status = conversation.child.status
            if status == process.EXIT_CONFIG:
                return None
            failed = await bench.silent(conversation, "initialize")
            problem = f"{place} was an object: {failed.diagnosis}"
            return Failed(problem, fix, failed.evidence)
        if answer.code is None:
            return Failed(f"{place} was an object, and it starts", fix, (str(answer),))
        if answer.code != Code.UNPROCESSABLE:
            problem = f"{place} was an object: it says {answer.code}, so that the host "
            return Failed(problem + "starts it again and again", fix, (str(answer),))
        if name not in _words(answer):
            return Failed(f"it does not name {place}", fix, (str(answer),))
    return None


def _words(answer: Answer) -> str:
    """What an error says to people."""
    error = answer.frame.error
    assert error is not None
    data = ErrorData()
    if error.data:
        try:
            data = msgspec.json.decode(error.data, type=ErrorData)
        except (ValueError, RecursionError):
            return error.message
    faults = [f"{each.path} {each.message}" for each in data.errors]
    return " ".join([error.message, data.help or "", *faults])


@should("start")
async def quick_start(bench: Bench) -> Finding:
    """Starts in a second."""
    await bench.ready()
    assert bench.started is not None
    if bench.started <= bench.patience.quick:
        return None
    return Failed(
        f"it took {bench.started:.1f} s from spawn to the answer of initialize",
        "import or load what is heavy when the first event needs it",
    )
