"""What a handler can say other than "delivered": exceptions, and `Skipped`.

A handler that returns None has delivered its event. One that returns `Skipped` is done
with it too. An exception of this module tells the host what to do next; any other
exception is a fault of the plugin, and the event is tried again.
"""

from math import isfinite

from msgspec import Struct

from hydra_notify_sdk.wire import Code


class Skipped(Struct, frozen=True):
    """The event did not concern this plugin; it is not sent again.

    Attributes:
        note: Why, in a few words, for the log.
    """

    note: str


class Failure(Exception):
    """The event was not delivered.

    Raise one of the classes below; this one itself is for a code they do not cover.

    Attributes:
        message: One line for the log.
        code: The HTTP status the plugin met, or a `wire.Code`.
        after: Seconds to wait before another attempt; None leaves it to the host.
        fix: What the operator can do about it.
        retryable: Whether another attempt can succeed; None lets the code say it.

    Raises:
        ValueError: `code` or `after` is no number.
    """

    def __init__(
        self,
        message: str,
        *,
        code: int,
        after: float | None = None,
        fix: str = "",
        retryable: bool | None = None,
    ) -> None:
        super().__init__(message)
        # Whoever does not check types writes Retry(error), and means its words.
        self.message = str(message)
        self.code = int(code)
        self.after = None if after is None else float(after)
        if self.after is not None and not isfinite(self.after):
            raise ValueError(f"after is a number of seconds, not {after}")
        self.fix = str(fix or "")
        self.retryable = retryable


class UnknownEvent(Exception):
    """The data of an event that is newer than this SDK, and not of a known form."""

    def __init__(self, name: str) -> None:
        super().__init__(f"this plugin's hydra-notify-sdk does not know {name}")


class Retry(Failure):
    """Not now: send this event again later.

    With `code` 429 or 503 the host sends this plugin nothing else until then.
    """

    def __init__(
        self,
        message: str,
        *,
        after: float | None = None,
        code: int = Code.INTERNAL_SERVER_ERROR,
        fix: str = "",
    ) -> None:
        super().__init__(message, code=code, after=after, fix=fix, retryable=True)


class Permanent(Failure):
    """Never: this event cannot work with this plugin, whatever is tried."""

    def __init__(
        self, message: str, *, code: int = Code.UNPROCESSABLE, fix: str = ""
    ) -> None:
        super().__init__(message, code=code, fix=fix, retryable=False)


class Unauthorized(Failure):
    """The credentials are wrong: no event will work until somebody mends them.

    The host keeps this plugin's events and tries one of them now and then.
    """

    def __init__(
        self, message: str, *, code: int = Code.UNAUTHORIZED, fix: str = ""
    ) -> None:
        super().__init__(message, code=code, fix=fix)


class Cancelled(Failure):
    """The handler stopped because `event.cancelled` was set."""

    def __init__(self, message: str = "cancelled") -> None:
        super().__init__(message, code=Code.CANCELLED)


class ConfigProblem(Failure):
    """The plugin cannot start with this configuration.

    Args:
        key: The place, such as `settings.url` or `secrets.token`.
        problem: What is wrong with it.
        fix: What to write instead.
    """

    def __init__(self, key: str, problem: str, *, fix: str = "") -> None:
        super().__init__(f"{key}: {problem}", code=Code.UNPROCESSABLE, fix=fix)
