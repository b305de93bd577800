"""All rules on one program."""

from collections.abc import Callable
from contextlib import AsyncExitStack, ExitStack
from pathlib import Path
from tempfile import TemporaryDirectory

from hydra_notify.kit.check.bench import Bench
from hydra_notify.kit.check.candidate import Candidate, Patience
from hydra_notify.kit.check.report import (
    NEVER_STARTED,
    Broken,
    Failed,
    Level,
    NotTried,
    Report,
    Result,
    Untried,
)
from hydra_notify.kit.check.rule import Rule
from hydra_notify.kit.check.rules import RULES
from hydra_notify.kit.sink import serving
from hydra_notify.plugin_log import masker_of_parts


async def check(
    candidate: Candidate,
    level: Level,
    patience: Patience | None = None,
    told: Callable[[Rule], None] = lambda _rule: None,
) -> Report:
    """Try every rule.

    A rule that turns out to be another's fault is that one's: a plugin that does not
    flush has not failed to answer.

    Args:
        level: The one that the verdict goes by.
        patience: How long what is waited for.
        told: Called with each rule before it is tried.
    """
    with ExitStack() as stack:
        directory = TemporaryDirectory(prefix="hydra-notify-check-")
        path = Path(stack.enter_context(directory))
        sink = None
        if candidate.calls_sink:
            sink = stack.enter_context(serving())
            candidate = candidate.calling(sink.url)
        async with AsyncExitStack() as shared:
            bench = Bench(candidate, patience or Patience(), path, shared, sink)
            failed, not_tried = await _try_all(bench, told)
    # Reports are kept, by CI systems for everybody.
    mask = masker_of_parts(candidate.secrets.values())
    results = tuple(
        _result(rule, failed.get(rule.name), not_tried.get(rule.name), mask)
        for rule in RULES
    )
    levels = (Level.MUST,) if level is Level.MUST else tuple(Level)
    broken = any(
        each.outcome == "failed" and Level(each.level) in levels for each in results
    )
    manifest = bench.manifest
    return Report(
        command=candidate.command,
        level=level.value,
        passed=not broken,
        plugin=mask(f"{manifest.name} {manifest.version}") if manifest else "",
        start_ms=None if bench.started is None else round(bench.started * 1000),
        results=results,
    )


async def _try_all(
    bench: Bench, told: Callable[[Rule], None]
) -> tuple[dict[str, Failed], dict[str, str]]:
    failed: dict[str, Failed] = {}
    not_tried: dict[str, str] = {}
    for rule in RULES:
        if failed and not bench.lives:
            not_tried[rule.name] = NEVER_STARTED
            continue
        if rule.group == "always":
            # They look at what is over.
            await bench.hang_up()
        told(rule)
        try:
            finding = await rule.attempt(bench)
        except Broken as broken:
            finding = broken.failed
        except Untried as nothing:
            finding = NotTried(str(nothing))
        match finding:
            case Failed():
                failed.setdefault(finding.rule or rule.name, finding)
            case NotTried(reason):
                not_tried[rule.name] = reason
            case None:
                pass
    return failed, not_tried


def _result(
    rule: Rule,
    failed: Failed | None,
    not_tried: str | None,
    mask: Callable[[str], str],
) -> Result:
    if failed is not None:
        outcome, diagnosis = "failed", failed.diagnosis
    elif not_tried is not None:
        outcome, diagnosis = "not tried", not_tried
    else:
        outcome, diagnosis = "passed", ""
    return Result(
        rule=rule.name,
        title=rule.title,
        group=rule.group,
        level=rule.level.value,
        outcome=outcome,
        diagnosis=mask(diagnosis),
        fix=mask(failed.fix) if failed else "",
        evidence=tuple(map(mask, failed.evidence)) if failed else (),
    )
