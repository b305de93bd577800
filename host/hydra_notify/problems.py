"""What is wrong with the host, and what helps: for the page, `/readyz` and people.

Each problem has a page of its own in docs/alerts, by its name.
"""

from collections.abc import Iterator, Sequence
from typing import Final

from hydra_notify.metrics import Counts, LedgerState, PluginState, Role
from hydra_notify.status import Health, PluginStatus, Problem, Severity

NOT_READY: Final = frozenset(
    {"stuck", "stopping", "starting", "standby", "database-lost"}
)
"""Problems with which the host delivers nothing: whoever waits for it goes on waiting.
A standby is well, and not ready: another host is."""

_LEDGER: Final = {
    LedgerState.ABSENT: (
        "ledger-missing",
        "there is no ledger: a restart repeats what was not done with",
        "run `hydra-notify ledger create`, or see `hydra-notify ledger ddl`",
    ),
    LedgerState.OLD: (
        "ledger-not-usable",
        "the ledger is one of an older host, and is not used",
        "run `hydra-notify ledger create`, which brings it up to date",
    ),
    LedgerState.NEWER: (
        "ledger-not-usable",
        "the ledger is one of a newer host, and is not used",
        "upgrade hydra-notify; `hydra-notify ledger status` says more",
    ),
    LedgerState.DENIED: (
        "ledger-not-usable",
        "the ledger is not to be used by this host's role",
        "run what `hydra-notify ledger ddl --role ROLE` prints, as its owner",
    ),
}

_PLUGIN: Final = {
    PluginState.FLAPPING: (
        "plugin-flapping",
        "ends again and again, and is started once a minute",
        "mend it; `hydra-notify plugin trace {name}` shows what it does",
    ),
    PluginState.DISABLED: (
        "plugin-disabled",
        "is not started any more",
        "mend what its log says, then `hydra-notify plugin restart {name}`",
    ),
    PluginState.BLOCKED: (
        "plugin-blocked",
        "has credentials that are refused",
        "put new ones where plugins.{name}.secrets points to, then"
        " `hydra-notify plugin restart {name}`",
    ),
    PluginState.BACKOFF: (
        "plugin-backoff",
        "has ended, and is started again soon",
        "if that lasts: `hydra-notify plugin trace {name}` shows what it does",
    ),
}


def problems(
    counts: Counts,
    plugins: Sequence[PluginStatus] = (),
    *,
    stuck: str = "",
    stopping: bool = False,
    dead: int = 0,
    with_errors: bool = True,
) -> list[Problem]:
    """Everything that is not as it should be, the most severe first.

    Args:
        counts: Of the host.
        plugins: Those that are configured.
        stuck: What stands still for longer than it can take; empty if all goes on.
        stopping: Whether the host has been told to stop.
        dead: Dead letters.
        with_errors: Whether to quote what Postgres and plugins say, which is not for
            everybody.
    """
    found = [*_of_host(counts, stuck=stuck, stopping=stopping, quote=with_errors)]
    if counts.role is Role.ACTIVE:
        if counts.ledger in _LEDGER:
            name, summary, fix = _LEDGER[counts.ledger]
            found.append(Problem(name, "warning", summary, fix))
        for plugin in plugins:
            found += _of_plugin(plugin, quote=with_errors)
    if dead:
        letters = "1 delivery was" if dead == 1 else f"{dead:,} deliveries were"
        fix = "see `hydra-notify dead list`; then try them again or drop them"
        found.append(Problem("dead-letters", "warning", f"{letters} given up", fix))
    # Sorting keeps the order of those that are equally severe.
    return sorted(found, key=lambda each: each.severity != "critical")


def health(counts: Counts, found: Sequence[Problem]) -> tuple[Health, str]:
    """The host at a glance, and the same in a sentence.

    Args:
        counts: Of the host.
        found: Its problems.
    """
    names = {each.name for each in found}
    if names == {"standby"}:
        return Health.OK, "Standby: another host delivers; this one takes over."
    if "stopping" in names:
        return Health.DOWN, "The host stops: it hands in what it has."
    if counts.role is Role.STARTING:
        return Health.DOWN, "Waiting for Hydra's database: nothing is delivered."
    if counts.role is Role.STANDBY:
        return Health.DOWN, "Standby without a database: it cannot take over."
    if names & NOT_READY:
        worst = next(each for each in found if each.name in NOT_READY)
        return Health.DOWN, f"Nothing is delivered: {worst.summary}."
    cut_off = dict.fromkeys(
        each.plugin for each in found if each.plugin and each.severity == "critical"
    )
    if cut_off:
        who, verb = ", ".join(cut_off), "gets" if len(cut_off) == 1 else "get"
        return Health.DEGRADED, f"{who} {verb} nothing; everything else is delivered."
    if found:
        number = len(found)
        what = "one thing wants" if number == 1 else f"{number} things want"
        return Health.DEGRADED, f"It delivers, but {what} a look."
    return Health.OK, "Everything is delivered."


def _of_host(
    counts: Counts, *, stuck: str, stopping: bool, quote: bool
) -> Iterator[Problem]:
    if stuck:
        yield Problem(
            "stuck",
            "critical",
            f"the host stands still: {stuck}",
            "restart it: `systemctl restart hydra-notify-host`; the log says where",
        )
    if stopping:
        words = "the host hands in what it has, and ends"
        yield Problem("stopping", "warning", words, "wait for it, or for its restart")
    elif counts.role is Role.STARTING:
        yield Problem(
            "starting",
            "warning",
            "the host waits for Hydra's database, and delivers nothing yet",
            "if that lasts: `hydra-notify doctor` says what it waits for",
        )
    elif counts.role is Role.STANDBY and counts.listening:
        yield Problem(
            "standby",
            "warning",
            "another host is active; this one takes over when that is gone",
            "nothing to do; `hydra-notify pending` shows what the active one has left",
        )
    if counts.role is not Role.STARTING and not (counts.listening or counts.polling):
        why = f" ({counts.link_error})" if quote and counts.link_error else ""
        yield Problem(
            "database-lost",
            "critical",
            f"there is no connection to Hydra's database; it is tried again{why}",
            "look at Postgres, `systemctl status postgresql`; then nothing is to do",
        )
    if counts.polling:
        yield Problem(
            "listen-does-not-work",
            "critical",
            "LISTEN does not work: only finished builds are seen, every few seconds",
            "give database.url a direct connection to Postgres, past the pooler",
        )
    if counts.config_reload_failed:
        yield Problem(
            "config-reload-failed",
            "warning",
            "the configuration was changed and cannot be used; the old one is in force",
            "run `hydra-notify check-config`, mend what it names, and reload again",
        )


def _of_plugin(plugin: PluginStatus, *, quote: bool) -> Iterator[Problem]:
    name = plugin.name
    if plugin.state in _PLUGIN:
        kind, what, fix = _PLUGIN[plugin.state]
        # What no flag waits for is nobody's emergency; and nor is a restart.
        calm = not plugin.required or plugin.state is PluginState.BACKOFF
        severity: Severity = "warning" if calm else "critical"
        why = f": {plugin.last_error}" if quote and plugin.last_error else ""
        words = f"{name} {what}{why}"
        yield Problem(kind, severity, words, fix.format(name=name), name)
    if plugin.paused:
        yield Problem(
            "plugin-paused",
            "warning",
            f"{name} is paused: it is sent nothing",
            f"run `hydra-notify plugin resume {name}`",
            name,
        )
