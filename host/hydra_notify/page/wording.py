"""States in words, each with a tone: a colour and a shape that mean the same."""

from typing import Final, NamedTuple

from hydra_notify.metrics import LedgerState, PluginState, Role
from hydra_notify.status import Health, Link, PluginStatus


class Said(NamedTuple):
    """A state for people.

    Attributes:
        tone: `ok`, `warn`, `bad`, `busy` (it will pass) or `idle` (it is meant so).
        word: Its name.
        meaning: What it means for the one who looks; "" if the word says it.
    """

    tone: str
    word: str
    meaning: str = ""


HEALTH: Final = {
    Health.OK: Said("ok", "OK"),
    Health.DEGRADED: Said("warn", "Degraded"),
    Health.DOWN: Said("bad", "Down"),
}

_PLUGIN: Final = {
    PluginState.STARTING: Said("busy", "Starting"),
    PluginState.READY: Said("ok", "Ready"),
    PluginState.BLOCKED: Said(
        "bad", "Blocked", "Its service refuses the credentials. Everything is kept."
    ),
    PluginState.BACKOFF: Said("warn", "Waiting", "It ended and is started again soon."),
    PluginState.FLAPPING: Said("bad", "Flapping", "It ends soon after every start."),
    PluginState.DISABLED: Said("bad", "Disabled", "It cannot work and is not started."),
    PluginState.DRAINING: Said("busy", "Draining", "It finishes what it was sent."),
    PluginState.STOPPED: Said("idle", "Stopped"),
}

_PAUSED: Final = Said("idle", "Paused", "An operator paused it. It is sent nothing.")

_HELD: Final = Said("busy", "Holding", "It asked to be sent nothing for a while.")

LINK: Final = {
    Link.LISTENING: Said("ok", "Listening"),
    Link.POLLING: Said("warn", "Polling", "LISTEN does not work; flags are looked at."),
    Link.LOST: Said("bad", "No connection", "It is tried again without end."),
}

LEDGER: Final = {
    LedgerState.UNKNOWN: Said("busy", "Not looked at yet"),
    LedgerState.ACTIVE: Said("ok", "In use"),
    LedgerState.ABSENT: Said("warn", "Missing", "Retries do not outlive a restart."),
    LedgerState.OLD: Said("warn", "Of an older host", "It has to be migrated."),
    LedgerState.NEWER: Said("warn", "Of a newer host", "This host cannot use it."),
    LedgerState.DENIED: Said("warn", "Not to be used", "A right is missing."),
}

ROLE: Final = {
    Role.STARTING: Said("busy", "Starting"),
    Role.STANDBY: Said("idle", "Standby", "Another host is active."),
    Role.ACTIVE: Said("ok", "Active"),
}

SEVERITY: Final = {
    "critical": Said("bad", "Critical"),
    "warning": Said("warn", "Warning"),
}

ANSWER: Final = {
    "seen": Said("busy", "Seen"),
    "delivered": Said("ok", "Delivered"),
    "failed": Said("warn", "Failed"),
    "given up": Said("bad", "Given up"),
    "superseded": Said("idle", "Superseded", "A newer event says all that it said."),
    "cleared": Said("ok", "Cleared", "The build's pending flag is gone."),
}

OWING: Final = Said("busy", "Owed", "Not done yet.")
DEAD: Final = Said("bad", "Dead letter")
"""What a plugin has left of an event."""

HOLDS: Final = Said("ok", "Holds")
DOES_NOT_HOLD: Final = Said("warn", "Does not hold")
"""Of a plugin's sandbox and limits."""

BUILD_STATUSES: Final = (
    *("succeeded", "failed", "dependency failed", "aborted", "cancelled", "obsolete"),
    *("failed with output", "timed out", "cached failure", "unsupported system"),
    *("log limit", "nar size limit", "not deterministic"),
)
"""Hydra's `builds.buildstatus` by number, as the configuration names them."""


def plugin_said(plugin: PluginStatus) -> Said:
    """How a plugin is: its state, unless it is ready and is sent nothing."""
    if plugin.state is PluginState.READY:
        if plugin.paused:
            return _PAUSED
        if plugin.held_until is not None:
            return _HELD
    return _PLUGIN[plugin.state]


def troubled(plugin: PluginStatus) -> bool:
    """Whether somebody may want to do something about it."""
    return plugin_said(plugin).tone in ("bad", "warn")


def answer_said(what: str) -> Said:
    """What happened to an event; a word that is new here stands for itself."""
    return ANSWER.get(what) or Said("idle", what.capitalize())


def outcome(finished: bool, status: int | None) -> Said:
    """How a build is."""
    if not finished:
        return Said("busy", "not finished")
    if status is None:
        return Said("idle", "finished")
    known = status in range(len(BUILD_STATUSES))
    word = BUILD_STATUSES[status] if known else f"status {status}"
    return Said("ok" if status == 0 else "bad", word)
