"""`hydra-notify resend`: announce an event again, as Hydra would."""

from collections.abc import Sequence
from pathlib import Path
from typing import Final

import click

from hydra_notify import builds
from hydra_notify.cli.at_database import (
    DONE,
    FAILED,
    Refused,
    at_database,
    complain,
)
from hydra_notify.cli.listing import count_of, event_words, printable, status_words
from hydra_notify.config import Config, PluginConfig
from hydra_notify.database import Connection
from hydra_notify.election import host_is_active
from hydra_notify.errors import PayloadError
from hydra_notify.events import BuildFinished, Notification, notification_of, parse
from hydra_notify.facts import Absent, Loaded
from hydra_notify_sdk.wire import EvalEventData

FORMS: Final = {
    "build_queued": "BUILD",
    "build_started": "BUILD",
    "build_finished": "BUILD [DEPENDENT]...",
    "cached_build_queued": "EVALUATION BUILD",
    "cached_build_finished": "EVALUATION BUILD",
    "step_finished": "BUILD STEP LOG-PATH",
    "eval_started": "TRACE JOBSET",
    "eval_cached": "TRACE JOBSET EVALUATION",
    "eval_added": "TRACE JOBSET EVALUATION [ERROR-CHANGED]",
    "eval_failed": "TRACE JOBSET [ERROR-CHANGED]",
}
"""The fields of each channel's payload; a jobset is named by its number."""

MAX_PAYLOAD: Final = 7999
"""Bytes that Postgres takes."""

NOTIFY: Final = "select pg_notify(%s, %s)"


def announce(path: Path, channel: str, fields: Sequence[str]) -> None:
    """Announce an event that is there; exits."""
    notification = Notification(channel, "\t".join(fields))
    try:
        event = parse(notification)
    except PayloadError as error:
        raise click.UsageError(_explain(channel, error)) from error
    if len(notification.payload.encode()) > MAX_PAYLOAD:
        raise click.UsageError(
            f"the payload has more than the {MAX_PAYLOAD:,} bytes that Postgres takes;"
            " announce it in parts"
        )

    def work(connection: Connection, config: Config) -> int:
        (result,) = builds.load(connection, [event], frozenset())
        if isinstance(result, Absent):
            raise Refused(
                f"{result.reason}, so there is nothing to announce; nothing was sent"
            )
        _say_what_it_is(result)
        heard = host_is_active(connection)
        connection.execute(NOTIFY, (channel, notification.payload))
        return _say_what_happens(result, config, heard=heard)

    at_database(path, work)


def wanting(loaded: Loaded, plugins: Sequence[PluginConfig]) -> list[str]:
    """The plugins that an operator allows to have an event; they may not want it."""
    return [each.name for each in plugins if allows(each, loaded)]


def allows(plugin: PluginConfig, loaded: Loaded) -> bool:
    """Whether the operator lets a plugin have an event."""
    match = plugin.match
    if not match.wants_event(loaded.event.channel):
        return False
    if isinstance(loaded.data, EvalEventData):
        return match.wants_jobset(f"{loaded.data.project}:{loaded.data.jobset}")
    return any(match.wants_build(each.job, each.status) for each in loaded.builds)


def _explain(channel: str, error: PayloadError) -> str:
    if channel in FORMS:
        return f"{error}; write {channel} {FORMS[channel]}"
    return f"no event is named {printable(channel)}; one of: {', '.join(FORMS)}"


def _say_what_it_is(loaded: Loaded) -> None:
    words = [f"event   {printable(loaded.id)}"]
    if isinstance(loaded.data, EvalEventData):
        words.append(f"about   {loaded.data.project}:{loaded.data.jobset}")
    elif loaded.builds:
        head = loaded.builds[0]
        status = ""
        if isinstance(loaded.event, BuildFinished):
            status = f", {status_words(head.status, finished=True)}"
        more = len(loaded.builds) - 1
        dependents = f", and {count_of(more, 'dependent')}" if more else ""
        words.append(f"about   {head.job}{status}{dependents}")
    if loaded.flags:
        held = ", ".join(str(flag.build) for flag in loaded.flags)
        words.append(f"flags   set on {held}; cleared when all plugins have it")
    for line in words:
        click.echo(printable(line))


def _say_what_happens(loaded: Loaded, config: Config, *, heard: bool) -> int:
    names = wanting(loaded, list(config.plugins.values()))
    if names:
        click.echo(f"goes to {', '.join(map(printable, names))}, if they want it")
    else:
        click.echo("goes to no plugin: none may have it by its `match`")
    event = event_words(notification_of(loaded.event))
    if heard:
        click.echo("sent; what is under way already is not sent twice")
        return DONE
    if isinstance(loaded.event, BuildFinished) and (
        len(loaded.flags) == len(loaded.builds)
    ):
        click.echo("no host is active; since its flag is set, the next one delivers it")
        return DONE
    complain(
        f"no host is active, so nobody has heard {printable(event)}; start hydra-notify"
        " and send it again"
    )
    return FAILED
