"""How the host is, as lines: what stands there in colour stands there in words."""

from collections.abc import Iterator, Sequence
from typing import Final

from rich.text import Text

from hydra_notify.cli.listing import Cell, Column, age, count_of, table
from hydra_notify.cli.paragraph import folded, paragraph
from hydra_notify.metrics import LedgerState, PluginState
from hydra_notify.status import Health, HostStatus, PluginStatus, Problem, Trend

_HEALTH: Final = {
    Health.OK: "bold green",
    Health.DEGRADED: "bold yellow",
    Health.DOWN: "bold red",
}

_SEVERITY: Final = {"warning": "yellow", "critical": "bold red"}

_STATE: Final = {
    PluginState.STARTING: "yellow",
    PluginState.READY: "green",
    PluginState.BLOCKED: "bold red",
    PluginState.BACKOFF: "bold yellow",
    PluginState.FLAPPING: "bold red",
    PluginState.DISABLED: "bold red",
    PluginState.DRAINING: "cyan",
    PluginState.STOPPED: "cyan",
}

_PAUSED: Final = "bold magenta"

_COLUMNS: Final = (
    Column("plugin"),
    Column("state"),
    Column("queue", number=True),
    Column("retry", number=True, spare=1),
    Column("in flight", number=True),
    Column("rate/s", number=True, spare=3),
    Column("p50", number=True, spare=5),
    Column("p99", number=True, spare=4),
    Column("restarts", number=True, spare=2),
    Column("last error", cut="end"),
)

_LATELY: Final = 60.0
"""Seconds that a rate is of: long enough to be steady, short enough to be now."""

_LEDGER: Final = {
    LedgerState.UNKNOWN: "not looked at yet",
    LedgerState.ACTIVE: "in use",
    LedgerState.ABSENT: "there is none",
    LedgerState.OLD: "of an older version, and not used",
    LedgerState.NEWER: "of a newer version, and not used",
    LedgerState.DENIED: "the host may not use it",
}

_NAME_WIDTH: Final = 11
"""Cells of the names of figures, the gap after them included."""


def picture(status: HostStatus, room: int | None) -> list[Text]:
    """All of it, the most important first.

    Args:
        status: Of the host.
        room: Cells that a line may have; None where nothing is to be cut.
    """
    return [
        *paragraph(status.health.upper(), _HEALTH[status.health], status.words, room),
        *folded(_about(status), room, style="dim"),
        *(
            line
            for each in status.problems
            # That a standby stands by is in the first line, and no trouble.
            if each.name != "standby"
            for line in _problem(each, room)
        ),
        Text(),
        *_plugins(status, room),
        Text(),
        *(
            line
            for name, words in _figures(status)
            for line in paragraph(f"{name:{_NAME_WIDTH - 2}}", "bold", words, room)
        ),
    ]


def _about(status: HostStatus) -> str:
    up = age(status.now - status.started_at)
    stopping = ", stopping" if status.stopping else ""
    name = f"hydra-notify {status.version} on {status.machine}"
    return f"{name}: {status.role}{stopping}, up {up}, for {status.base_url}"


def _problem(problem: Problem, room: int | None) -> Iterator[Text]:
    yield Text()
    style = _SEVERITY[problem.severity]
    yield from paragraph(problem.severity.upper(), style, problem.summary, room)
    yield from paragraph("  fix:", "cyan", problem.fix, room)


def _plugins(status: HostStatus, room: int | None) -> list[Text]:
    if not status.plugins:
        return folded("no plugins are configured", room)
    rows = [_row(each, status.now) for each in status.plugins]
    return table(_COLUMNS, rows, room)


def _row(plugin: PluginStatus, now: float) -> Sequence[Cell]:
    trouble = plugin.state in (PluginState.FLAPPING, PluginState.DISABLED)
    figures = (
        _number(plugin.queued),
        _number(plugin.retrying, "yellow"),
        Cell(f"{plugin.in_flight}/{plugin.window}"),
        Cell(f"{lately(plugin.rate):.2g}"),
        Cell(_time(plugin.latency.p50)),
        Cell(_time(plugin.latency.p99)),
        _number(plugin.restarts, "red" if trouble else ""),
    )
    return (
        Cell(plugin.name, "bold"),
        state(plugin, now),
        *figures,
        _error(plugin, now),
    )


def state(plugin: PluginStatus, now: float) -> Cell:
    """Where a plugin stands, and until when.

    Args:
        plugin: As the host says.
        now: When it said so.
    """
    words, style = plugin.state.value, _STATE[plugin.state]
    until = plugin.next_start_at
    if plugin.state is PluginState.READY and plugin.paused:
        return Cell("paused", _PAUSED)
    if plugin.state is PluginState.READY and (plugin.held_until or 0) > now:
        words, style, until = "held", "yellow", plugin.held_until
    if until is not None and until > now:
        words += f" {age(until - now)}"
    return Cell(f"{words}, paused" if plugin.paused else words, style)


def _error(plugin: PluginStatus, now: float) -> Cell:
    if not plugin.last_error:
        return Cell("")
    at = plugin.last_error_at
    ago = "" if at is None else f"{age(now - at)} ago: "
    return Cell(f"{ago}{plugin.last_error}")


def _number(number: int, style: str = "") -> Cell:
    return Cell(f"{number:,}", style if number else "")


def _figures(status: HostStatus) -> Iterator[tuple[str, str]]:
    now, database = status.now, status.database
    since = age(now - database.since)
    yield "database", f"{database.link} for {since}, at {database.address}"
    if database.errors or database.last_error:
        last = f"; the latest: {database.last_error}" if database.last_error else ""
        yield "", f"{count_of(database.errors, 'statement')} failed{last}"
    yield "ledger", _LEDGER[status.ledger]
    events = f"{status.inbox:,} to be read, {status.open_events:,} open"
    yield "events", f"{events}, {lately(status.events):.2g}/s"
    yield "delivered", f"{lately(status.deliveries):.2g}/s"
    yield "pending", f"{_pending(status)}; {lately(status.cleared):.2g}/s are cleared"
    due = [each.due_at for each in status.retrying]
    # What is due is tried within a moment.
    soon = f", the next in {age(min(due) - now)}" if due else ""
    retrying = count_of(status.retrying_count, "delivery", "deliveries")
    yield "retrying", f"{retrying}{soon}"
    yield "dead", count_of(status.dead_count, "delivery", "deliveries") + " given up"


def _pending(status: HostStatus) -> str:
    pending = status.pending
    if pending.looked_at is None:
        return "not looked at yet"
    words = count_of(pending.count, "build")
    if pending.oldest_at is not None:
        words += f", the oldest for {age(status.now - pending.oldest_at)}"
    return f"{words} (seen {age(status.now - pending.looked_at)} ago)"


def lately(trend: Trend) -> float:
    """Of a rate, what it was over the last minute."""
    latest = trend.values[-max(1, round(_LATELY / trend.step)) :] if trend.step else []
    return sum(latest) / len(latest) if latest else 0.0


def _time(seconds: float | None) -> str:
    """A short time in the unit that tells it with two or three digits."""
    if seconds is None:
        return "-"
    if seconds >= 120:
        return age(seconds)
    if seconds >= 1:
        return f"{seconds:.3g} s"
    return f"{seconds * 1000:.2g} ms" if seconds < 0.1 else f"{seconds * 1000:.0f} ms"
