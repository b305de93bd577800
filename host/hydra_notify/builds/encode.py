"""Loaded events to the bytes that plugins get."""

from copy import copy
from typing import Final, TypeVar
from urllib.parse import quote

import msgspec
from msgspec import UNSET, UnsetType
from msgspec.structs import replace

from hydra_notify.builds.trim import EventData, trimmed
from hydra_notify.facts import Loaded
from hydra_notify.limits import EVENT_ROOM
from hydra_notify_sdk.wire import (
    BuildDocument,
    BuildEventData,
    CloudEvent,
    EvalEventData,
    Jobset,
    Part,
)

SPEC_VERSION: Final = "1.0"
"""Of CloudEvents."""

PART_OF: Final[dict[str, Part]] = {"jobsetInfo.errorMsg": "errorMsg", "evals": "evals"}
"""What may have been cut when it was read, and with which part it is sent at all."""

Document = TypeVar("Document", bound=BuildDocument)

_encoder: Final = msgspec.json.Encoder()


def encode(loaded: Loaded, parts: frozenset[Part], base_url: str) -> bytes:
    """A CloudEvent as one line of JSON, without its newline.

    It leaves room in a frame for what goes around it: what is too long is cut, and
    named in `data.truncated`.

    Args:
        parts: Which heavy parts to send; they have been loaded.
        base_url: Of Hydra's web interface, without a trailing slash.
    """
    assert parts <= loaded.parts, f"{loaded.id} was loaded without {parts}"
    data = loaded.data
    shown = (
        _shown_build(data, parts, base_url)
        if isinstance(data, BuildEventData)
        else _shown_eval(data, parts, base_url)
    )
    try:
        return _fitted(loaded, shown, base_url)
    except UnicodeEncodeError:
        mended = replace(loaded, id=_utf8(loaded.id), subject=_utf8(loaded.subject))
        return _fitted(mended, _mended(shown), base_url)


def _shown_build(
    data: BuildEventData, parts: frozenset[Part], base_url: str
) -> BuildEventData:
    shown = _shown_document(data, parts, base_url)
    shown.jobset_info = _shown_jobset(data.jobset_info, parts)
    if "evals" not in parts:
        shown.evals = UNSET
    if "dependents" not in parts:
        shown.dependents = UNSET
        shown.dependent_jobsets = UNSET
    elif data.dependents:
        shown.dependents = [
            _shown_document(each, parts, base_url) for each in data.dependents
        ]
    shown.truncated = _shown_truncated(data.truncated, parts)
    return shown


def _shown_document(
    document: Document, parts: frozenset[Part], base_url: str
) -> Document:
    shown = replace(document, url=f"{base_url}/build/{document.build}")
    if "previousBuild" not in parts:
        shown.previous_build = UNSET
    elif document.previous_build and "evals" not in parts:
        shown.previous_build = replace(document.previous_build, eval=None)
    return shown


def _shown_eval(
    data: EvalEventData, parts: frozenset[Part], base_url: str
) -> EvalEventData:
    shown = copy(data)
    if data.eval is None:
        shown.url = f"{base_url}/jobset/{quote(data.project)}/{quote(data.jobset)}"
    else:
        shown.url = f"{base_url}/eval/{data.eval.id}"
        if "evals" not in parts:
            shown.eval = replace(data.eval, inputs=[])
    shown.jobset_info = _shown_jobset(data.jobset_info, parts)
    shown.truncated = _shown_truncated(data.truncated, parts)
    return shown


def _shown_jobset(jobset: Jobset, parts: frozenset[Part]) -> Jobset:
    if "errorMsg" in parts or jobset.error_msg is UNSET:
        return jobset
    return replace(jobset, error_msg=UNSET)


def _shown_truncated(
    truncated: list[str] | UnsetType, parts: frozenset[Part]
) -> list[str] | UnsetType:
    if not truncated:
        return UNSET
    return [
        name for name in truncated if PART_OF.get(name) in parts or name not in PART_OF
    ] or UNSET


def _fitted(loaded: Loaded, data: EventData, base_url: str) -> bytes:
    event = CloudEvent(
        specversion=SPEC_VERSION,
        id=loaded.id,
        source=base_url,
        type=f"hydra.{loaded.event.channel}",
        subject=loaded.subject,
        time=loaded.time,
        data=msgspec.Raw(_encoder.encode(data)),
    )
    encoded = _encoder.encode(event)
    if len(encoded) <= EVENT_ROOM:
        return encoded
    around = len(encoded) - len(bytes(event.data))
    event.data = msgspec.Raw(_encoder.encode(trimmed(data, EVENT_ROOM - around)))
    return _encoder.encode(event)


def _mended(data: EventData) -> EventData:
    """`data` with a `?` in place of what UTF-8 cannot express."""
    return msgspec.convert(_mended_plain(msgspec.to_builtins(data)), type(data))


def _mended_plain(value: object) -> object:
    match value:
        case str():
            return _utf8(value)
        case list():
            return [_mended_plain(item) for item in value]
        case dict():
            return {key: _mended_plain(item) for key, item in value.items()}
        case _:
            return value


def _utf8(text: str) -> str:
    return text.encode(errors="replace").decode()
