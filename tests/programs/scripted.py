"""The plugins of the golden conversations: each does what its transcript says.

Run as `scripted.py TRANSCRIPT` it is that plugin.
"""

import sys
from collections.abc import Callable
from dataclasses import dataclass

from hydra_notify_sdk import (
    AnyEvent,
    Cancelled,
    Context,
    Failure,
    Permanent,
    Plugin,
    Retry,
    Skipped,
    Unauthorized,
)


@dataclass
class Settings:
    """What `config_rejected` gets wrong."""

    url: str = ""


Handler = Callable[[AnyEvent, Context[Settings]], Skipped | None]


def deliver(event: AnyEvent, _context: Context[Settings]) -> None:
    """Looks at the data, since a plugin would."""
    assert event.data.url


def retry_once(event: AnyEvent, _context: Context[Settings]) -> None:
    """The second attempt succeeds."""
    if event.attempt == 1:
        raise Retry("not yet", after=2)


def crash_once(event: AnyEvent, _context: Context[Settings]) -> None:
    """The second attempt succeeds."""
    if event.attempt == 1:
        raise ZeroDivisionError("a bug in the handler")


def report(_event: AnyEvent, context: Context[Settings]) -> None:
    """Says twice how far it is."""
    context.progress("uploading 1/2", 50)
    context.progress()


def warn(_event: AnyEvent, context: Context[Settings]) -> None:
    """Has something to say that is about this event."""
    context.log.warning("quota low", extra={"left": 12})


def stop_when_cancelled(event: AnyEvent, _context: Context[Settings]) -> None:
    """Works until the host gives up."""
    while not event.cancelled:
        pass
    raise Cancelled


def check_redelivered(event: AnyEvent, _context: Context[Settings]) -> None:
    """Only a handler that can see the mark succeeds."""
    assert event.redelivered


def failing(error: Exception) -> Handler:
    """A handler that raises `error`."""

    def fail(_event: AnyEvent, _context: Context[Settings]) -> None:
        raise error

    return fail


def skip(_event: AnyEvent, _context: Context[Settings]) -> Skipped:
    """Not the plugin's business."""
    return Skipped("no github input")


HANDLERS: dict[str, Handler] = {
    "cancel": stop_when_cancelled,
    "conflict": failing(Failure("it is there already", code=409)),
    "crash_in_handler": crash_once,
    "log": warn,
    "not_retryable": failing(Permanent("the archive is read-only", code=500, fix="x")),
    "outage": failing(Retry("the chat is down", code=503)),
    "pause": failing(Retry("slow down", after=60, code=429)),
    "permanent": failing(Permanent("no such repository")),
    "progress": report,
    "redelivered": check_redelivered,
    "retry": retry_once,
    "skipped": skip,
    "unauthorized": failing(Unauthorized("bad token", fix="make a new one")),
}


def plugin_of(transcript: str) -> Plugin[Settings]:
    """The plugin that plays its part in `transcript`."""
    match transcript:
        case "window_out_of_order":
            plugin = Plugin(
                "golden",
                "1.0",
                config=Settings,
                max_in_flight=4,
                ordering="none",
                timeout=60,
            )
        case "narrow_window_of_host":
            plugin = Plugin("golden", "1.0", config=Settings, max_in_flight=4)
        case "cancel":
            plugin = Plugin("golden", "1.0", config=Settings, max_in_flight=2)
        case "progress":
            plugin = Plugin("golden", "1.0", config=Settings, timeout=5)
        case _:
            plugin = Plugin("golden", "1.0", config=Settings)
    plugin.on("*")(HANDLERS.get(transcript, deliver))
    if transcript == "progress_while_starting":

        @plugin.on_start
        def fill_cache(context: Context[Settings]) -> None:
            context.progress("filling a cache")

    if transcript == "start_later":

        @plugin.on_start
        def connect(_context: Context[Settings]) -> None:
            raise ConnectionError("no network yet")

    return plugin


if __name__ == "__main__":
    plugin_of(sys.argv[1]).run()
