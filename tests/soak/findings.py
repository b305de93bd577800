"""The verdict on a soak: what went wrong, if anything did."""

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

from tests.soak.cast import CAST
from tests.soak.evidence import Evidence
from tests.soak.processes import Usage
from tests.soak.record import Record
from tests.soak.repeats import Repeats, repeats_of

from hydra_notify.demo.history import history_of
from hydra_notify.demo.verdict import Evidence as Asked
from hydra_notify.demo.verdict import Verdict, judge
from hydra_notify_sdk.wire import CHANNELS, matches

DURABLE: Final = frozenset[str]({"build_finished"})
"""The channels of which nothing may be lost. What was sent on others while no host
listened is not owed to anybody."""

DESCRIPTORS: Final = 24
DESCRIPTORS_EACH: Final = 8
"""Open files of a host that leaks none: some, and some for each plugin (three pipes,
two for its end, and some while it is started)."""

THREADS: Final = 60
"""Threads of a host: one for each start of a plugin and each statement under way."""


@dataclass(frozen=True, slots=True)
class Findings:
    """Everything that was found.

    Attributes:
        durable: The verdict on what no plugin may have lost.
        others: The verdict on all other channels, which is only told.
        repeats: By plugin.
        done: How many faults of each kind there were.
        deliveries: Events handled, by plugin, repetitions counted.
        problems: What is wrong, in words; nothing, if all is well.
    """

    durable: Verdict
    others: Verdict
    repeats: Mapping[str, Repeats]
    done: Counter[str]
    deliveries: Counter[str]
    usage: Usage
    ledger: bool
    problems: tuple[str, ...]


def find(
    evidence: Evidence,
    records: Mapping[str, Record],
    flags: tuple[int, ...],
    done: Counter[str],
    usage: Usage,
    trouble: list[str],
) -> Findings:
    """Judge a soak.

    Args:
        evidence: What the soak did.
        records: What plugins wrote down.
        flags: Builds whose flag is set.
        done: Faults of each kind.
        usage: The most that a host held.
        trouble: What else went wrong: exits, lines of logs, processes left over.
    """
    durable = judge_channels(evidence, records, flags, durable=True)
    others = judge_channels(evidence, records, flags, durable=False)
    repeats = {name: repeats_of(record, evidence) for name, record in records.items()}
    problems = [*_losses(durable), *trouble]
    for name, each in repeats.items():
        if each.beyond:
            problems.append(
                f"{name} was told {len(each.beyond)} times again without a reason:"
                f" {', '.join(each.beyond[:3])}"
            )
        if each.duplicates > each.bound:
            problems.append(
                f"{name}: {each.duplicates} duplicates, the bound is {each.bound}"
            )
    most = DESCRIPTORS + DESCRIPTORS_EACH * len(records)
    if usage.descriptors > most:
        problems.append(f"the host had {usage.descriptors} files open, not {most}")
    if usage.threads > THREADS:
        problems.append(f"the host had {usage.threads} threads, not {THREADS}")
    deliveries = Counter({n: len(record.handled) for n, record in records.items()})
    return Findings(
        durable=durable,
        others=others,
        repeats=repeats,
        done=done,
        deliveries=deliveries,
        usage=usage,
        ledger=evidence.ledger,
        problems=tuple(problems),
    )


def judge_channels(
    evidence: Evidence,
    records: Mapping[str, Record],
    flags: tuple[int, ...],
    *,
    durable: bool,
) -> Verdict:
    """The demo's verdict on the channels whose events must not be lost, or the others.

    A plugin that is not required holds no flag: without a ledger, what it gets counts
    among the others.
    """
    asked = {}
    for name, record in records.items():
        temper = CAST[name]
        wanted = frozenset(c for c in CHANNELS if matches(temper.events, c))
        remembered = temper.required or evidence.ledger
        owed = wanted & DURABLE if remembered else frozenset[str]()
        channels = owed if durable else wanted - owed
        if channels:
            receipts = tuple(handled.receipt for handled in record.handled)
            asked[name] = Asked(channels, receipts, "error" in temper.settings)
    return judge(history_of(evidence.facts), asked, flags if durable else ())


def _losses(verdict: Verdict) -> list[str]:
    problems = []
    if not verdict.owed:
        problems.append("nothing ever happened")
    for name, share in verdict.shares.items():
        if share.missing:
            some = ", ".join(share.missing[:3])
            problems.append(f"LOST: {name} never got {len(share.missing)}: {some}")
        if share.invented:
            some = ", ".join(share.invented[:3])
            problems.append(f"{name} got {len(share.invented)} out of thin air: {some}")
    if verdict.flags:
        some = ", ".join(map(str, verdict.flags[:3]))
        problems.append(f"{len(verdict.flags)} flags are still set: builds {some}")
    return problems
