"""The end of the show: a table, and one sentence."""

from collections.abc import Iterable

from rich.box import SIMPLE_HEAD
from rich.console import Console
from rich.table import Table
from rich.text import Text

from hydra_notify.demo.plain import say
from hydra_notify.demo.scene import printable
from hydra_notify.demo.verdict import Share, Verdict
from hydra_notify.demo.view import restarts
from hydra_notify.metrics import Counts

NAMED = 3
"""Things that are named in the sentence; the rest is a number."""


def show_verdict(
    verdict: Verdict, counts: Counts, console: Console, *, interrupted: bool
) -> None:
    """Write the table and the sentence."""
    console.print(_table(verdict, counts))
    say(console, "")
    words = sentence(verdict, counts, interrupted=interrupted)
    text = Text(words, "bold green" if verdict.good else "bold red")
    console.print(text, soft_wrap=not console.is_terminal)


def sentence(verdict: Verdict, counts: Counts, *, interrupted: bool) -> str:
    """The verdict in a sentence."""
    invented = {n: s.invented for n, s in verdict.shares.items() if s.invented}
    if verdict.good:
        ends = sum(plugin.ends.total() for plugin in counts.plugins.values())
        replaced = verdict.owed - verdict.received
        return (
            f"nothing lost: {verdict.events:,} events, {verdict.finished:,} of them"
            f" finished builds; all {verdict.received:,} that {len(verdict.shares)}"
            " plugins were owed have reached them"
            + (f" (newer ones replaced another {replaced:,})" if replaced else "")
            + f"; every flag is cleared; crashes and hangs on the way: {ends}"
        )
    if interrupted and not invented:
        return (
            f"interrupted: {verdict.received:,} of {verdict.owed:,} owed have arrived"
            f" so far; flags left for the next start: {len(verdict.flags):,}"
        )
    if not verdict.owed:
        return "LOST: everything, since nothing ever happened"
    parts = [
        *(
            f"{name} never got {_named(share.missing)}"
            for name, share in verdict.shares.items()
            if share.missing
        ),
        *(
            f"{name} got {_named(ids)} out of thin air"
            for name, ids in invented.items()
        ),
    ]
    if verdict.flags:
        builds = _named([f"build {build}" for build in verdict.flags])
        parts.append(f"the flag is still set on {builds}")
    return f"LOST: {'; '.join(parts)}"


def _named(things: Iterable[str]) -> str:
    first, rest = list(things)[:NAMED], list(things)[NAMED:]
    named = ", ".join(printable(thing) for thing in first)
    return f"{named} and {len(rest):,} more" if rest else named


def _table(verdict: Verdict, counts: Counts) -> Table:
    table = Table(box=SIMPLE_HEAD, show_edge=False, padding=(0, 1, 0, 0))
    table.add_column("plugin", no_wrap=True)
    for title in ("owed", "received", "replaced", "twice", "missing"):
        table.add_column(title, justify="right", no_wrap=True)
    # Where there is no room, this one is broken into lines.
    table.add_column("restarts")
    for name, share in verdict.shares.items():
        plugin = counts.plugin(name)
        table.add_row(name, *_figures(share), restarts(plugin))
    return table


def _figures(share: Share) -> tuple[Text | str, ...]:
    missing = len(share.missing)
    return (
        f"{share.owed:,}",
        f"{share.received:,}",
        f"{share.superseded:,}",
        f"{share.duplicates:,}",
        Text(f"{missing:,}", "bold red" if missing else ""),
    )
