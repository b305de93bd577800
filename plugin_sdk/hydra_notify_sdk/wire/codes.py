"""Error codes: the HTTP status a plugin met, or JSON-RPC's own negative ones.

One integer tells the host what to do with the delivery; `ErrorData` overrides it.
"""

from enum import Enum, IntEnum


class Code(IntEnum):
    """The codes that have a meaning of their own; any other 5xx is an outage."""

    PARSE_ERROR = -32700
    INVALID_REQUEST = -32600
    METHOD_NOT_FOUND = -32601
    INVALID_PARAMS = -32602
    INTERNAL_ERROR = -32603
    BAD_REQUEST = 400
    UNAUTHORIZED = 401
    FORBIDDEN = 403
    NOT_FOUND = 404
    PROXY_UNAUTHORIZED = 407
    TIMEOUT = 408
    CONFLICT = 409
    GONE = 410
    TOO_LARGE = 413
    UNSUPPORTED = 415
    UNPROCESSABLE = 422
    FAILED_DEPENDENCY = 424
    TOO_EARLY = 425
    UPGRADE_REQUIRED = 426
    TOO_MANY_REQUESTS = 429
    CANCELLED = 499
    INTERNAL_SERVER_ERROR = 500
    UNAVAILABLE = 503


class Verdict(Enum):
    """What an error code means for the delivery it answers."""

    DELIVERED = "delivered"
    """Already done upstream: as good as success."""

    RETRY = "retry"
    """Try this delivery again later."""

    DEAD = "dead"
    """This event can never work with this plugin."""

    PAUSE = "pause"
    """Retry, and send the plugin nothing else until then."""

    BLOCK = "block"
    """Credentials: nothing will work until somebody mends them."""


_VERDICTS: dict[int, Verdict] = {
    Code.CONFLICT: Verdict.DELIVERED,
    Code.BAD_REQUEST: Verdict.DEAD,
    Code.NOT_FOUND: Verdict.DEAD,
    Code.GONE: Verdict.DEAD,
    Code.TOO_LARGE: Verdict.DEAD,
    Code.UNSUPPORTED: Verdict.DEAD,
    Code.UNPROCESSABLE: Verdict.DEAD,
    Code.TOO_MANY_REQUESTS: Verdict.PAUSE,
    Code.UNAVAILABLE: Verdict.PAUSE,
    Code.UNAUTHORIZED: Verdict.BLOCK,
    Code.FORBIDDEN: Verdict.BLOCK,
    Code.PROXY_UNAUTHORIZED: Verdict.BLOCK,
}


def verdict(code: int) -> Verdict:
    """What `code` means for a delivery; a code nobody knows is worth another try."""
    return _VERDICTS.get(code, Verdict.RETRY)
