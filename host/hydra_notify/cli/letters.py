"""Deliveries that are not settled, as people and programs read them."""

from collections.abc import Sequence
from typing import Final

import click

from hydra_notify.cli.listing import age, count_of, instant, printable, show_lines
from hydra_notify.ledger import Letter
from hydra_notify.records import GIVEN_UP, EventRecord, Standing

WORDS: Final = {
    Standing.OWED: "owed",
    Standing.DEAD: "dead",
    Standing.ORPHANED: "orphaned",
    Standing.AGAIN: "retrying",
    Standing.DROP: "dropping",
}


def as_document(letter: Letter) -> dict[str, object]:
    """A delivery for programs."""
    return {
        "number": letter.number,
        "event": letter.event,
        "plugin": letter.plugin,
        "standing": letter.standing.value,
        "channel": letter.channel,
        "payload": letter.payload,
        "attempts": letter.attempts,
        "crashes": letter.crashes,
        "since": instant(letter.since),
        "changed": instant(letter.changed),
        "failing_since": instant(letter.failing_since),
        "due": instant(letter.due),
        "reason": letter.reason,
    }


def next_step(letter: Letter) -> str:
    """What will become of a delivery, and when."""
    if letter.standing is not Standing.OWED:
        return WORDS[letter.standing]
    if letter.due is None:
        return "now"
    return f"in {age((letter.due - letter.read).total_seconds())}"


def event_document(
    record: EventRecord, letters: Sequence[Letter], flags: Sequence[int]
) -> dict[str, object]:
    """An event for programs; `flags` are builds whose flag it still holds."""
    return {
        "event": record.id,
        "channel": record.notification.channel,
        "payload": record.notification.payload,
        "subject": record.subject,
        "open": record.open,
        "pending_builds": list(flags),
        "deliveries": [as_document(letter) for letter in letters],
    }


def show_event(
    record: EventRecord, letters: Sequence[Letter], flags: Sequence[int]
) -> None:
    """Write all there is to know of an event, and what can be done about it."""
    fields = record.notification.payload.split("\t")
    held = ", ".join(map(str, flags)) or "none"
    facts = {
        "event": record.id,
        "announced": " ".join([record.notification.channel, *fields]),
        "subject": record.subject,
        "flags held": f"builds {held}" if flags else held,
    }
    if letters:
        number, since = letters[0].number, letters[0].read - letters[0].since
        facts = {"ID": str(number), **facts, "known for": age(since.total_seconds())}
    for name, value in facts.items():
        click.echo(f"{name:<11}{printable(value)}")
    for letter in letters:
        click.echo()
        _show_letter(letter)
    click.echo("\nPlugins that are not named have settled it, or do not want it.")
    if any(letter.standing in GIVEN_UP for letter in letters):
        number = letters[0].number
        click.echo(f"try again: hydra-notify dead retry {number} [--plugin NAME]")
        click.echo(f"forget:    hydra-notify dead drop {number} [--plugin NAME]")


def _show_letter(letter: Letter) -> None:
    standing = WORDS[letter.standing]
    if letter.standing is Standing.OWED:
        standing = f"owed, next try {next_step(letter)}"
    crashes = ""
    if letter.crashes:
        crashes = f", {count_of(letter.crashes, 'crash', 'crashes')}"
    click.echo(f"{printable(letter.plugin)}: {standing}")
    click.echo(f"  tried    {count_of(letter.attempts, 'time')}{crashes}")
    if letter.failing_since is not None:
        failing = age((letter.read - letter.failing_since).total_seconds())
        click.echo(f"  failing  for {failing}, since {instant(letter.failing_since)}")
    if letter.reason:
        click.echo("  reason:")
        show_lines(letter.reason, indent="    ")
