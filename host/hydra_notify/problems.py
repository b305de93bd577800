"""What is wrong with the host, and what helps: for the page, `/readyz` and alerts.

Each problem has a page of its name in docs/alerts.
"""

from collections.abc import Iterator, Sequence
from typing import Final

from hydra_notify.metrics import Counts, LedgerState, PluginState, Role
from hydra_notify.status import Health, PluginStatus, Problem, Severity

_LEDGER: Final = {
    LedgerState.ABSENT: (
        "ledger-missing",
        "there is no ledger: a restart tells plugins again what they had done already",
        "hydra-notify ledger create",
    ),
    LedgerState.OLD: (
        "ledger-not-usable",
        "the ledger is of an older version and is not used",
        "hydra-notify ledger create",
    ),
    LedgerState.NEWER: (
        "ledger-not-usable",
        "the ledger is of a newer version and is not used",
        "upgrade hydra-notify",
    ),
    LedgerState.DENIED: (
        "ledger-not-usable",
        "the host lacks the rights to use the ledger",
        "hydra-notify ledger ddl --role ROLE",
    ),
}

_LOOK: Final = "look at its log, mend it, then: hydra-notify plugin restart {name}"

_BLOCKED: Final = "mend the secret, then: hydra-notify plugin restart {name}"


def problems(
    counts: Counts,
    plugins: Sequence[PluginStatus] = (),
    *,
    stuck: str = "",
    dead: int = 0,
) -> list[Problem]:
    """Everything that somebody should do something about, the most severe first.

    Args:
        counts: Of the host.
        plugins: Those that are configured.
        stuck: What of the host stands still, if anything does.
        dead: Dead letters.
    """
    found = [
        *_of_host(counts, stuck),
        *(problem for plugin in plugins for problem in _of_plugin(plugin)),
    ]
    if dead:
        letters = "1 delivery was" if dead == 1 else f"{dead} deliveries were"
        found.append(
            Problem(
                "dead-letters",
                "warning",
                f"{letters} given up",
                "hydra-notify dead list; then retry or drop",
            )
        )
    return sorted(found, key=lambda each: each.severity != "critical")


def health(counts: Counts, found: Sequence[Problem]) -> tuple[Health, str]:
    """The host at a glance, and the same in a sentence.

    Args:
        counts: Of the host.
        found: Its problems.
    """
    if counts.role is Role.STARTING:
        return Health.DOWN, "Waiting for Hydra's database: nothing is delivered."
    if counts.role is Role.STANDBY:
        if counts.listening:
            return Health.OK, "Standby: another host delivers; this one takes over."
        return Health.DOWN, "Standby without a database: it cannot take over."
    critical = [each for each in found if each.severity == "critical"]
    if any(not each.plugin for each in critical):
        return Health.DOWN, f"Nothing is delivered: {critical[0].summary}."
    if critical:
        names = ", ".join(dict.fromkeys(each.plugin for each in critical))
        return Health.DEGRADED, f"{names} gets nothing; everything else is delivered."
    if found:
        number = len(found)
        what = "one thing wants" if number == 1 else f"{number} things want"
        return Health.DEGRADED, f"Everything is delivered, but {what} a look."
    return Health.OK, "Everything is delivered."


def is_ready(counts: Counts, stuck: str) -> bool:
    """Whether this host delivers what comes, as far as plugins let it."""
    up = counts.listening or counts.polling
    return counts.role is Role.ACTIVE and up and not stuck


def _of_host(counts: Counts, stuck: str) -> Iterator[Problem]:
    if stuck:
        fix = "systemctl restart hydra-notify; report what the log says"
        yield Problem("stuck", "critical", f"{stuck} does not go on", fix)
    if counts.role is Role.STARTING:
        words = "the host has not found Hydra's database yet"
        yield Problem("starting", "critical", words, "hydra-notify doctor")
    elif not counts.listening and not counts.polling:
        why = f": {counts.link_error}" if counts.link_error else ""
        words = f"no connection to Postgres{why}"
        yield Problem("database-lost", "critical", words, "hydra-notify doctor")
    if counts.role is Role.STANDBY:
        fix = "nothing to do; the other host's page has the rest"
        yield Problem("standby", "warning", "another host is active", fix)
    if counts.polling:
        yield Problem(
            "listen-does-not-work",
            "warning",
            "LISTEN does not work: only finished builds are seen, and late",
            "give the host a direct connection to Postgres (database.url)",
        )
    if counts.role is Role.ACTIVE and counts.ledger in _LEDGER:
        name, words, fix = _LEDGER[counts.ledger]
        yield Problem(name, "warning", words, fix)
    if counts.config_reload_failed:
        yield Problem(
            "config-reload-failed",
            "warning",
            "the configuration cannot be used: the one before it stays",
            "hydra-notify check-config; then reload",
        )


def _of_plugin(plugin: PluginStatus) -> Iterator[Problem]:
    name, why = plugin.name, f": {plugin.last_error}" if plugin.last_error else ""
    # What nothing waits for is nobody's emergency.
    severity: Severity = "critical" if plugin.required else "warning"
    match plugin.state:
        case PluginState.FLAPPING:
            words = f"{name} keeps ending and is started once a minute{why}"
            fix = _LOOK.format(name=name)
            yield Problem("plugin-flapping", severity, words, fix, name)
        case PluginState.DISABLED:
            words = f"{name} is not started again{why}"
            fix = _LOOK.format(name=name)
            yield Problem("plugin-disabled", severity, words, fix, name)
        case PluginState.BLOCKED:
            words = f"{name}'s credentials are refused{why}"
            fix = _BLOCKED.format(name=name)
            yield Problem("plugin-blocked", severity, words, fix, name)
        case PluginState.BACKOFF:
            words = f"{name} has ended and is about to be started again{why}"
            fix = "wait a minute: if it goes on it is called flapping"
            yield Problem("plugin-backoff", "warning", words, fix, name)
        case _:
            pass
    if plugin.paused:
        words = f"{name} is paused: it is sent nothing"
        fix = f"hydra-notify plugin resume {name}"
        yield Problem("plugin-paused", "warning", words, fix, name)
