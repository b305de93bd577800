"""How the findings of a soak are told: two tables, the bound explained, a sentence."""

from collections.abc import Iterator

from tests.soak.findings import Findings

BOUND = """\
The bound: a plugin may be told the same again, once for each event
- in flight: that it or its host was killed with (its own record has no answer),
{stored}
- announced: that was announced again, by an operator or late, after a sweep had found
  its flag."""

WITH_LEDGER = """\
- last second: that it had answered in the last second before its host was
  killed (an answer may wait one second on its way into the ledger),
- no database: or before that, while the host could not reach its database,"""

FLAG_ONLY = """\
- flag set: that it had answered when its host ended, while the flag of the build was
  still set (without a ledger nobody remembers who has answered),"""

REASONS = {
    True: ("in flight", "last second", "no database", "announced"),
    False: ("in flight", "flag set", "announced"),
}
"""With a ledger, and without one."""


def report(findings: Findings) -> str:
    """The whole report."""
    return "\n".join((*_faults(findings), "", *_plugins(findings), "", *_end(findings)))


def _faults(findings: Findings) -> Iterator[str]:
    for what, count in sorted(findings.done.items()):
        yield f"{what:<36}{count:>9,}"
    finished = findings.durable.finished
    yield f"{'events (outcomes of builds)':<36}{finished:>9,}"
    yield f"{'deliveries':<36}{findings.deliveries.total():>9,}"
    usage = findings.usage
    yield f"{'most open files of a host':<36}{usage.descriptors:>9,}"
    yield f"{'most threads of a host':<36}{usage.threads:>9,}"
    yield f"{'most memory of a host':<36}{usage.peak / 2**20:>6.0f} MB"


def _plugins(findings: Findings) -> Iterator[str]:
    reasons = REASONS[findings.ledger]
    columns = ("owed", "lost", "handled", "twice", "bound")
    head = "".join(f"{c:>10}" for c in columns) + "   of it"
    yield f"{'plugin':<12}{head} {', '.join(reasons)}"
    for name, repeats in findings.repeats.items():
        share = findings.durable.shares.get(name)
        owed = "-" if share is None else f"{share.owed:,}"
        lost = "-" if share is None else f"{len(share.missing):,}"
        handled = f"{findings.deliveries[name]:,}"
        figures = (owed, lost, handled, f"{repeats.duplicates:,}", f"{repeats.bound:,}")
        row = "".join(f"{figure:>10}" for figure in figures)
        parts = ", ".join(f"{repeats.reasons[reason]:,}" for reason in reasons)
        yield f"{name:<12}{row}   {parts}"


def _end(findings: Findings) -> Iterator[str]:
    stored = WITH_LEDGER if findings.ledger else FLAG_ONLY
    yield BOUND.format(stored=stored)
    yield ""
    others = findings.others
    optional = (
        "" if findings.ledger else ", and what a plugin gets that is not required"
    )
    yield (
        "Not owed: the other channels, as nobody keeps what is sent while no host"
        f" listens{optional}."
        f"\nReceived of it: {others.received:,} of {others.owed:,}."
    )
    yield ""
    if findings.problems:
        yield from (f"PROBLEM: {problem}" for problem in findings.problems)
        return
    yield (
        f"nothing lost: all {findings.durable.received:,} that"
        f" {len(findings.durable.shares)} plugins were owed have reached them; every"
        " flag is clear; no process, file or task is left over"
    )
