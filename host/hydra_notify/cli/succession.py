"""What becomes of a row of taskretries: which plugin succeeds which Perl class."""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import click

from hydra_notify import builds
from hydra_notify.builds import TaskRetry
from hydra_notify.cli.resend import allows
from hydra_notify.config import Config, PluginConfig
from hydra_notify.database import Connection
from hydra_notify.errors import PayloadError
from hydra_notify.events import BuildFinished, Notification, notification_of, parse
from hydra_notify.facts import Absent, Loaded
from hydra_notify.ledger import Owed


@dataclass(frozen=True, slots=True)
class Judged:
    """A row, and what becomes of it.

    Attributes:
        row: As it is in the table.
        owed: What the ledger is to hold; None where it holds nothing.
        why: Why it is left where it is, or why nothing need be held; "" for neither.
        left: Whether it is left.
    """

    row: TaskRetry
    owed: Owed | None
    why: str
    left: bool


def classes_of(mapping: Sequence[str], config: Config) -> dict[str, str]:
    """What `--map` says: plugins by the names of Perl classes, long or short."""
    classes: dict[str, str] = {}
    for text in mapping:
        name, _, plugin = text.partition("=")
        if not name or not plugin:
            raise click.UsageError(f"--map {text}: write CLASS=PLUGIN")
        if plugin not in config.plugins:
            known = ", ".join(config.plugins) or "none is"
            raise click.UsageError(
                f"--map {text}: plugin {plugin} is not configured (but: {known})"
            )
        classes[name] = plugin
    return classes


def plugin_of(
    row: TaskRetry, config: Config, classes: Mapping[str, str]
) -> PluginConfig | None:
    """The plugin that takes the place of a Perl class: as told, or of the same name."""
    short = row.plugin_class.rpartition("::")[2]
    told = classes.get(row.plugin_class) or classes.get(short)
    if told is not None:
        return config.plugins[told]
    same = [
        plugin
        for name, plugin in config.plugins.items()
        if _bare(name) == _bare(short) != ""
    ]
    return same[0] if len(same) == 1 else None


def _bare(name: str) -> str:
    """A name without what tells RunCommand from run_command and run-command."""
    return re.sub("[-_]", "", name).lower()


def judge(
    connection: Connection,
    rows: Sequence[TaskRetry],
    config: Config,
    classes: Mapping[str, str],
) -> list[Judged]:
    """What becomes of each row, by what the database says of its event now."""
    judged: list[Judged] = []
    ready: list[tuple[TaskRetry, PluginConfig]] = []
    events = []
    for row in rows:
        plugin = plugin_of(row, config, classes)
        if plugin is None:
            judged.append(Judged(row, None, _no_plugin(row), left=True))
            continue
        try:
            events.append(parse(Notification(row.channel, row.payload)))
        except PayloadError as error:
            judged.append(Judged(row, None, str(error), left=True))
            continue
        ready.append((row, plugin))
    results = builds.load(connection, events, frozenset()) if events else []
    for (row, plugin), result in zip(ready, results, strict=True):
        if isinstance(result, Absent):
            judged.append(Judged(row, None, result.reason, left=True))
        elif not allows(plugin, result):
            why = f"plugin {plugin.name} may not have it by its `match`"
            judged.append(Judged(row, None, why, left=True))
        elif _is_pending(result):
            # The host delivers it to all that want it and have not had it.
            judged.append(Judged(row, None, "its flag is set", left=False))
        else:
            owed = Owed(
                result.id,
                notification_of(result.event),
                result.subject,
                plugin.name,
                row.attempts,
                f"taken over from {row.plugin_class}",
            )
            judged.append(Judged(row, owed, "", left=False))
    return sorted(judged, key=lambda each: each.row.id)


def _is_pending(loaded: Loaded) -> bool:
    """Whether a flag stands for all that an event says."""
    event = loaded.event
    alone = isinstance(event, BuildFinished) and not event.dependents
    return alone and bool(loaded.flags)


def _no_plugin(row: TaskRetry) -> str:
    name = row.plugin_class
    return f"no plugin takes the place of {name} (--map {name}=PLUGIN says which)"
