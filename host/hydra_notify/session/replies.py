"""What a reply means: manifests, refusals, acknowledgements."""

import msgspec

from hydra_notify.limits import PAUSE_DEFAULT
from hydra_notify.outcomes import DELIVERED, Delivered, Outcome, error_data, outcome_of
from hydra_notify.session.signals import Ready, Refused
from hydra_notify_sdk.wire import (
    CHANNELS,
    PROTOCOL_VERSION,
    Code,
    EventResult,
    InitializeResult,
    PluginFrame,
    RpcError,
    names_event,
)

_FINAL_REFUSALS = (Code.UNPROCESSABLE, Code.UPGRADE_REQUIRED)
"""Its configuration is wrong, or we have no protocol version in common."""

_NOTHING_TO_SAY = (msgspec.Raw(b"{}"), msgspec.Raw(b"null"))

_results = msgspec.json.Decoder(EventResult)

_SUCCESSES = (
    ('{"jsonrpc":"2.0","id":"', '","result":{}}\n'),
    ('{"jsonrpc": "2.0", "id": "', '", "result": {}}\n'),
)
"""What stands around an id in a plain success: compact JSON, and Python's own form."""


def plain_successes(chunk: bytes) -> list[str]:
    """The ids that `chunk` answers, if it is plain successes and nothing else.

    What is no success ends up as an id that nobody was ever asked with, since none of
    ours has a quotation mark in it. Whoever writes JSON in another way is understood
    all the same, as a frame.
    """
    # Latin 1 has a character for each byte.
    text = chunk.decode("latin-1")
    for before, after in _SUCCESSES:
        if text.startswith(before) and text.endswith(after):
            return text[len(before) : -len(after)].split(after + before)
    return []


def event_outcome(frame: PluginFrame) -> tuple[Outcome, str]:
    """What the reply to an event means, and a remark for the plugin's author or ""."""
    if frame.error is not None:
        return outcome_of(frame.error, pause_default=PAUSE_DEFAULT), ""
    if frame.result in _NOTHING_TO_SAY:
        return DELIVERED, ""
    try:
        result = _results.decode(frame.result)
    except (ValueError, RecursionError):
        # It did answer, and not with an error: sending it again would not be kinder.
        return DELIVERED, "the result of an event should be an object, such as {}"
    if result.status == "skipped":
        return Delivered(skipped=True, note=result.note), ""
    return (Delivered(note=result.note) if result.note else DELIVERED), ""


def manifest_of(result: msgspec.Raw) -> Ready | Refused:
    """The manifest in the answer to `initialize`, or why it cannot be used."""
    try:
        manifest = msgspec.json.decode(result, type=InitializeResult)
    except (ValueError, RecursionError) as error:
        return Refused(f"its answer to initialize is not a manifest: {error}", True)
    if manifest.protocol_version != PROTOCOL_VERSION:
        picked = manifest.protocol_version
        return Refused(
            f"it picked protocol version {picked}, and this host speaks "
            f"{PROTOCOL_VERSION}: {_side_to_upgrade([picked])}",
            True,
        )
    return Ready(manifest)


def remark_on(manifest: InitializeResult) -> str:
    """What its author should know about a manifest that can be used; mostly "".

    An event that we do not know may be a newer host's, or a typing error.
    """
    unknown = [pattern for pattern in manifest.events if not names_event(pattern)]
    if not unknown:
        return ""
    known = ", ".join(CHANNELS)
    return f"it wants {', '.join(unknown)}, which this host does not have: {known}"


def refusal_of(error: RpcError) -> Refused:
    """Why the plugin will not start, in its own words."""
    data = error_data(error)
    words = [f"{error.code} {error.message}".rstrip()]
    for fault in data.errors:
        parts = [fault.path, fault.message, fault.help and f"({fault.help})"]
        if fault.path in error.message and fault.message in error.message:
            # Said already, by who repeats the only fault in the message.
            parts = [fault.help]
        words.append(" ".join(part for part in parts if part))
    if error.code == Code.UPGRADE_REQUIRED and data.supported:
        theirs = ", ".join(map(str, data.supported))
        side = "" if data.help else f": {_side_to_upgrade(data.supported)}"
        words.append(
            f"it speaks protocol version {theirs}, and this host "
            f"{PROTOCOL_VERSION}{side}"
        )
    if data.help:
        words.append(data.help)
    return Refused("; ".join(filter(None, words)), error.code in _FINAL_REFUSALS)


def _side_to_upgrade(theirs: list[int]) -> str:
    """What helps when a plugin speaks `theirs` and not our version."""
    if max(theirs) > PROTOCOL_VERSION:
        return "upgrade hydra-notify, or take an older version of the plugin"
    return "upgrade the plugin"
