"""Everything a plugin sends, as lines.

Texts an author or a remote server chose are cut and made encodable here, so that no
reply is ever too long for a frame or fails to become one.
"""

from typing import Final

import msgspec
from msgspec import Raw

from hydra_notify_sdk.failures import Failure, Skipped
from hydra_notify_sdk.wire import (
    PROTOCOL_VERSION,
    Code,
    ErrorData,
    EventResult,
    LogParams,
    PluginFrame,
    ProgressParams,
    RpcError,
    Verdict,
    to_line,
    verdict,
)
from hydra_notify_sdk.wire.limits import LOG_LINE_BYTES

MAX_TEXT: Final = 4096
"""Characters of one text: a screenful of log, and six times as many bytes, escaped, in
each of a reply's four texts is a tenth of a frame."""

_encoder = msgspec.json.Encoder()
_lenient = msgspec.json.Encoder(enc_hook=str)
_EMPTY: Final = Raw(b"{}")


def result_line(request: str, value: msgspec.Struct) -> bytes:
    """The reply to `request`: it succeeded."""
    raw = Raw(_encoder.encode(value))
    return to_line(PluginFrame(jsonrpc="2.0", id=request, result=raw))


def done_line(request: str, answer: Skipped | None) -> bytes:
    """The reply to an event that needs no further attempt."""
    if answer is None:
        return to_line(PluginFrame(jsonrpc="2.0", id=request, result=_EMPTY))
    return result_line(
        request, EventResult(status="skipped", note=line_of(str(answer.note)))
    )


def error_line(request: str | None, code: int, message: str) -> bytes:
    """The reply to `request`, or to a frame without a readable id: it failed."""
    problem = RpcError(code, line_of(message))
    return to_line(PluginFrame(jsonrpc="2.0", id=request, error=problem))


def version_line(request: str, offered: list[int]) -> bytes:
    """The reply to `request`: none of the protocol versions `offered` is ours."""
    side = (
        "upgrade the host"
        if max(offered, default=0) < PROTOCOL_VERSION
        else "upgrade the plugin's hydra-notify-sdk"
    )
    theirs = ", ".join(map(str, offered)) or "none"
    problem = RpcError(
        Code.UPGRADE_REQUIRED,
        line_of(
            f"this plugin speaks protocol version {PROTOCOL_VERSION}, the host {theirs}"
        ),
        Raw(_encoder.encode(ErrorData(help=side, supported=[PROTOCOL_VERSION]))),
    )
    return to_line(PluginFrame(jsonrpc="2.0", id=request, error=problem))


def failure_line(request: str, reason: Failure) -> bytes:
    """The reply to `request`: what the author's code raised."""
    data = ErrorData(
        retryable=_override(reason),
        retry_after_ms=(
            None if reason.after is None else max(0, round(reason.after * 1000))
        ),
        help=line_of(reason.fix) or None,
    )
    problem = RpcError(reason.code, line_of(reason.message))
    if data != ErrorData():
        problem.data = Raw(_encoder.encode(data))
    return to_line(PluginFrame(jsonrpc="2.0", id=request, error=problem))


def progress_line(request: str, message: str, percent: float | None) -> bytes:
    """The notification that work on `request` goes on."""
    params = ProgressParams(id=request, message=line_of(message), percent=percent)
    raw = Raw(_encoder.encode(params))
    return to_line(PluginFrame(jsonrpc="2.0", method="progress", params=raw))


def log_line(
    request: str, level: str, message: str, fields: dict[str, object]
) -> bytes:
    """The notification of one line of log that belongs to `request`.

    The message and the fields are cut to `LOG_LINE_BYTES` each. A value that JSON does
    not have is sent as text.
    """
    params = LogParams(
        level=level,
        message=_cut(message),
        id=request,
        fields=_bounded(fields) if fields else {},
    )
    raw = Raw(_encoder.encode(params))
    return to_line(PluginFrame(jsonrpc="2.0", method="log", params=raw))


def crash_text(error: BaseException) -> str:
    """An exception nobody expected, for people who do not have its traceback."""
    return f"{type(error).__name__}: {error}" if str(error) else type(error).__name__


def line_of(text: str) -> str:
    """`text` on one line, cut to `MAX_TEXT` characters, without lone surrogates."""
    text = " ".join(text[:MAX_TEXT].split())
    return text.encode("utf-8", "replace").decode()


def _cut(text: str) -> str:
    data = text[:LOG_LINE_BYTES].encode("utf-8", "replace")
    return data[:LOG_LINE_BYTES].decode("utf-8", "ignore")


def _bounded(fields: dict[str, object]) -> dict[str, object]:
    bounded: dict[str, object] = {}
    left = LOG_LINE_BYTES
    for key, value in fields.items():
        name = line_of(str(key))
        try:
            kept = line_of(value) if isinstance(value, str) else value
            encoded = _lenient.encode(kept)
        except Exception:  # noqa: BLE001 - whatever the value's own code does
            encoded = _encoder.encode(f"<{type(value).__name__}>")
        if len(encoded) > MAX_TEXT:
            encoded = _encoder.encode(line_of(encoded.decode()))
        left -= len(name) + len(encoded)
        if left < 0:
            break
        bounded[name] = Raw(encoded)
    return bounded


def _override(reason: Failure) -> bool | None:
    """`retryable` where the code alone would be read otherwise."""
    meant = verdict(reason.code)
    match reason.retryable:
        case None:
            return None
        case True:
            return None if meant in (Verdict.RETRY, Verdict.PAUSE) else True
        case False:
            return None if meant in (Verdict.DEAD, Verdict.DELIVERED) else False
