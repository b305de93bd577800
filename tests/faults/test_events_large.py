"""Rows far wider than any event."""

from tests.end_to_end.stage import Stage

from hydra_notify.demo.simulation.evaluator import fail_evaluation
from hydra_notify.limits import ERROR_LENGTH

EVALUATION: dict[str, object] = {"events": ["eval_failed"]}


async def test_ten_megabytes_of_error_go_cut_and_to_those_who_ask_for_them(
    stage: Stage,
) -> None:
    stage.puppet("curious", manifest={**EVALUATION, "include": ["errorMsg"]})
    stage.puppet("modest", manifest=EVALUATION)
    await stage.listening()
    jobset = stage.hydra.jobset("nixpkgs:trunk")
    fail_evaluation(stage.hydra, jobset, "é" * 10_000_000)
    curious, modest = [await stage.event(name) for name in ("curious", "modest")]
    told = curious.data["jobsetInfo"]["errorMsg"]
    assert set(told[:1_000]) == {"é"}
    assert len(told) <= ERROR_LENGTH
    assert "errorMsg" not in modest.data["jobsetInfo"]
    await curious.succeed()
    await modest.succeed()
