"""Heavy parts of the data: evaluations with inputs, previous builds, error messages."""

from collections.abc import Iterator

import pytest
from msgspec import UNSET
from tests.hydra_rows import (
    FLAKE,
    START,
    STOP,
    TRUNK,
    build_data,
    eval_data,
    insert,
    insert_build,
    insert_eval,
    insert_finished,
    insert_input,
    loaded,
)

from hydra_notify.database import Connection, connect
from hydra_notify.demo.simulation.evaluator import evaluate, queue_builds
from hydra_notify.demo.simulation.hydra import Hydra
from hydra_notify.demo.simulation.queue_runner import finish_build
from hydra_notify.events import (
    BuildEvent,
    BuildFinished,
    CachedBuildEvent,
    EvalEvent,
    StepFinished,
)
from hydra_notify.facts import Loaded
from hydra_notify.limits import ERROR_LENGTH, EVALS_PER_BUILD
from hydra_notify_sdk.wire import (
    Eval,
    EvalInput,
    PreviousBuild,
)


@pytest.fixture
def connection(database_url: str) -> Iterator[Connection]:
    with connect(database_url) as connection:
        yield connection


def evals(result: Loaded) -> list[Eval]:
    shown = build_data(result).evals
    assert shown is not UNSET
    return shown


def previous(result: Loaded) -> PreviousBuild | None:
    shown = build_data(result).previous_build
    assert shown is not UNSET
    return shown


# Evaluations


def test_evaluations_come_with_their_inputs(connection: Connection) -> None:
    insert_finished(connection, 7)
    insert_eval(connection, 3, 7, flake="github:o/r/abc", hasnewbuilds=1)
    insert_input(
        connection,
        3,
        "nixpkgs",
        uri="https://github.com/NixOS/nixpkgs.git",
        revision="0123456789abcdef",
        shortrevlength=7,
        path="/nix/store/source",
        sha256hash="ff",
    )
    insert_input(connection, 3, "gone", type="svn", revision="4711")
    insert_input(connection, 3, "officialRelease", type="boolean", value="false")
    insert_input(
        connection, 3, "officialRelease", type="boolean", altnr=1, dependency=7
    )
    (evaluation,) = evals(loaded(connection, BuildFinished(7), "evals"))
    inputs, evaluation.inputs = evaluation.inputs, []
    assert evaluation == Eval(
        id=3,
        timestamp=START - 60,
        checkout_time=3,
        eval_time=42,
        has_new_builds=True,
        flake="github:o/r/abc",
    )
    gone, nixpkgs, release, alternative = inputs
    assert nixpkgs == EvalInput(
        name="nixpkgs",
        altnr=0,
        type="git",
        uri="https://github.com/NixOS/nixpkgs.git",
        revision="0123456789abcdef",
        short_rev="0123456",
        value=None,
        dependency=None,
        path="/nix/store/source",
        sha256hash="ff",
        email_responsible=True,
    )
    # The jobset has no such input any more; nor does Subversion shorten revisions.
    assert (gone.name, gone.email_responsible, gone.short_rev) == ("gone", None, "4711")
    assert (release.value, release.email_responsible) == ("false", False)
    assert (release.revision, release.short_rev) == (None, None)
    assert (alternative.altnr, alternative.dependency) == (1, 7)


@pytest.mark.parametrize(
    "event",
    [BuildFinished(7), BuildEvent("build_queued", 7), StepFinished(7, 1, None)],
    ids=lambda event: event.channel,
)
def test_evaluations_of_a_build_are_there_oldest_first_when_asked_for(
    connection: Connection,
    event: BuildFinished | BuildEvent | StepFinished,
) -> None:
    insert_finished(connection, 7)
    row = {"build": 7, "stepnr": 1, "type": 1, "drvpath": "/nix/store/d.drv", "busy": 0}
    insert(connection, "buildsteps", row)
    for evaluation in (5, 3, 4):
        insert_eval(connection, evaluation, 7)
    insert_eval(connection, 6)
    result = loaded(connection, event, "evals")
    assert [evaluation.id for evaluation in evals(result)] == [3, 4, 5]
    assert build_data(loaded(connection, event)).evals is UNSET


def test_a_build_without_evaluations_has_an_empty_list(connection: Connection) -> None:
    insert_finished(connection, 7)
    assert evals(loaded(connection, BuildFinished(7), "evals")) == []


def test_of_very_many_evaluations_the_first_and_the_newest_are_read(
    connection: Connection,
) -> None:
    insert_finished(connection, 7)
    total = EVALS_PER_BUILD + 50
    for evaluation in range(1, total + 1):
        insert_eval(connection, evaluation, 7)
    data = build_data(loaded(connection, BuildFinished(7), "evals"))
    assert data.evals
    newest = range(total - EVALS_PER_BUILD + 2, total + 1)
    assert [evaluation.id for evaluation in data.evals] == [1, *newest]
    assert len(data.evals) == EVALS_PER_BUILD
    assert data.truncated == ["evals"]


@pytest.mark.parametrize("total", [EVALS_PER_BUILD - 1, EVALS_PER_BUILD])
def test_up_to_the_limit_all_evaluations_are_read(
    connection: Connection, total: int
) -> None:
    insert_finished(connection, 7)
    for evaluation in range(1, total + 1):
        insert_eval(connection, evaluation, 7)
    data = build_data(loaded(connection, BuildFinished(7), "evals"))
    assert data.evals
    assert [evaluation.id for evaluation in data.evals] == list(range(1, total + 1))
    assert data.truncated is UNSET


def test_a_cached_build_shows_the_evaluation_that_met_it_and_no_other(
    connection: Connection,
) -> None:
    insert_finished(connection, 7)
    insert_eval(connection, 3, 7)
    insert_eval(connection, 4, 7)
    insert_input(connection, 4, "nixpkgs", revision="abc")
    event = CachedBuildEvent("cached_build_finished", 4, 7)
    result = loaded(connection, event, "evals")
    (evaluation,) = evals(result)
    assert evaluation.id == 4
    assert [input_.revision for input_ in evaluation.inputs] == ["abc"]
    # The inputs are not sent twice.
    meant = build_data(result).eval
    assert meant
    assert (meant.id, meant.inputs) == (4, [])


def test_an_evaluation_that_is_gone_is_null_and_not_among_the_evaluations(
    connection: Connection,
) -> None:
    insert_finished(connection, 7)
    event = CachedBuildEvent("cached_build_finished", 4, 7)
    result = loaded(connection, event, "evals")
    assert evals(result) == []
    assert build_data(result).eval is None


def test_what_an_evaluator_writes_is_found(hydra: Hydra) -> None:
    jobset = hydra.jobset("nixpkgs:trunk")
    evaluation = evaluate(hydra, jobset, [0, 1])
    build = evaluation.builds[0]
    finish_build(hydra, build)
    (found,) = evals(loaded(hydra.connection, BuildFinished(build), "evals"))
    assert found.id == evaluation.id
    names = {input_.name: input_.email_responsible for input_ in found.inputs}
    assert names == {
        "nixpkgs": True,
        "officialRelease": False,
        "supportedSystems": False,
    }


# The build before


def test_the_previous_build_is_the_newest_older_one_that_ran_to_an_end(
    connection: Connection,
) -> None:
    insert_finished(connection, 1, status=1)
    insert_finished(connection, 2, status=6)
    insert_finished(connection, 3, status=3)
    insert_finished(connection, 4, status=4)
    insert_finished(connection, 5, job="another.x86_64-linux")
    insert_finished(connection, 6, system="aarch64-linux")
    insert_finished(connection, 7, jobset_id=FLAKE)
    insert_build(connection, 8)
    insert_finished(connection, 9)
    insert_finished(connection, 10)
    result = loaded(connection, BuildFinished(9), "previousBuild")
    assert previous(result) == PreviousBuild(id=2, build_status=6)


def test_the_first_build_of_a_job_has_no_previous_one(connection: Connection) -> None:
    insert_finished(connection, 7)
    assert previous(loaded(connection, BuildFinished(7), "previousBuild")) is None
    assert build_data(loaded(connection, BuildFinished(7))).previous_build is UNSET


def test_a_build_that_is_queued_has_a_previous_one_too(connection: Connection) -> None:
    insert_finished(connection, 7)
    insert_build(connection, 8)
    result = loaded(connection, BuildEvent("build_queued", 8), "previousBuild")
    assert previous(result) == PreviousBuild(id=7, build_status=0)


def test_with_evaluations_the_previous_build_brings_its_first_one(
    connection: Connection,
) -> None:
    insert_finished(connection, 7)
    insert_finished(connection, 8)
    insert_eval(connection, 2, 7, hasnewbuilds=0)
    insert_eval(connection, 4, 7)
    insert_eval(connection, 3, 7)
    insert_eval(connection, 5, 8)
    insert_input(connection, 3, "nixpkgs", revision="abc")
    before = previous(loaded(connection, BuildFinished(8), "previousBuild", "evals"))
    assert before
    assert before.eval
    assert before.eval.id == 3
    assert [input_.revision for input_ in before.eval.inputs] == ["abc"]
    without = previous(loaded(connection, BuildFinished(8), "previousBuild"))
    assert without == PreviousBuild(id=7, build_status=0)


def test_dependents_have_previous_builds_without_evaluations(
    connection: Connection,
) -> None:
    insert_finished(connection, 6, job="a")
    insert_eval(connection, 3, 6)
    insert_finished(connection, 7)
    insert_finished(connection, 8, job="a")
    result = loaded(
        connection, BuildFinished(7, (8,)), "dependents", "previousBuild", "evals"
    )
    dependents = build_data(result).dependents
    assert dependents
    assert dependents[0].previous_build == PreviousBuild(id=6, build_status=0)


def test_a_previous_build_without_evaluations_is_no_error(
    connection: Connection,
) -> None:
    insert_finished(connection, 7)
    insert_finished(connection, 8)
    before = previous(loaded(connection, BuildFinished(8), "previousBuild", "evals"))
    assert before == PreviousBuild(id=7, build_status=0)


# Error messages


def set_error(connection: Connection, text: str) -> None:
    connection.execute("update jobsets set errormsg = %s where id = 1", (text,))


def test_the_error_of_a_jobset_comes_only_when_asked_for(hydra: Hydra) -> None:
    (build,) = queue_builds(hydra)
    set_error(hydra.connection, "undefined variable")
    event = BuildEvent("build_queued", build)
    without = build_data(loaded(hydra.connection, event))
    assert without.jobset_info.error_msg is UNSET
    result = build_data(loaded(hydra.connection, event, "errorMsg"))
    assert result.jobset_info.error_msg == "undefined variable"
    assert result.truncated is UNSET


def test_a_jobset_without_an_error_has_null(connection: Connection) -> None:
    event = EvalEvent("eval_added", "1.2", TRUNK)
    data = eval_data(loaded(connection, event, "errorMsg"))
    assert data.jobset_info.error_msg is None


@pytest.mark.parametrize("extra", [0, 1, 10_000_000])
def test_of_an_error_of_megabytes_the_beginning_is_read(
    connection: Connection, extra: int
) -> None:
    set_error(connection, "é" * (ERROR_LENGTH + extra))
    event = EvalEvent("eval_failed", "1.2", TRUNK)
    data = eval_data(loaded(connection, event, "errorMsg"))
    assert data.jobset_info.error_msg == "é" * ERROR_LENGTH
    assert data.truncated == (["jobsetInfo.errorMsg"] if extra else UNSET)


def test_of_an_error_of_a_step_the_beginning_is_read(connection: Connection) -> None:
    insert_build(connection, 7)
    row = {"build": 7, "stepnr": 1, "type": 0, "drvpath": "/nix/store/d.drv", "busy": 0}
    error = {"errormsg": "x" * (ERROR_LENGTH + 1)}
    insert(connection, "buildsteps", row | error)
    data = build_data(loaded(connection, StepFinished(7, 1, None)))
    assert data.step
    assert data.step.error_msg == "x" * ERROR_LENGTH
    assert data.truncated == ["step.errorMsg"]


# Events about evaluations


def test_an_evaluation_that_started_names_its_jobset(connection: Connection) -> None:
    result = loaded(connection, EvalEvent("eval_started", "88.1.7", FLAKE))
    assert result.id == "eval_started:88.1.7:4"
    assert result.subject == "eval-trace/88.1.7"
    assert (result.time, result.flags, result.builds) == ("", (), ())
    data = eval_data(result)
    assert (data.event, data.trace_id) == ("evalStarted", "88.1.7")
    assert (data.project, data.jobset) == ("nixos", "unstable-small")
    assert data.jobset_info.id == FLAKE
    assert data.project_info.owner
    assert data.project_info.owner.name == "björk"
    assert (data.eval, data.error_changed) == (None, None)


@pytest.mark.parametrize("changed", [None, False, True])
def test_an_added_evaluation_is_shown_with_inputs_only_when_asked_for(
    connection: Connection, changed: bool | None
) -> None:
    insert_eval(connection, 3, timestamp=STOP)
    insert_input(connection, 3, "nixpkgs", revision="abc")
    event = EvalEvent("eval_added", "88.1.7", TRUNK, 3, changed)
    result = loaded(connection, event)
    assert result.id == "eval_added:88.1.7:1:3"
    assert result.time == "2001-09-09T01:48:20Z"
    data = eval_data(result)
    assert data.error_changed is changed
    assert data.eval
    assert (data.eval.id, data.eval.inputs) == (3, [])
    with_inputs = eval_data(loaded(connection, event, "evals"))
    assert with_inputs.eval
    assert [input_.revision for input_ in with_inputs.eval.inputs] == ["abc"]


def test_an_evaluation_that_is_gone_is_null(connection: Connection) -> None:
    result = loaded(connection, EvalEvent("eval_cached", "88.1.7", TRUNK, 3))
    assert (eval_data(result).eval, result.time) == (None, "")


def test_events_of_one_evaluation_have_one_subject(connection: Connection) -> None:
    insert_eval(connection, 3)
    started = loaded(connection, EvalEvent("eval_started", "88.1.7", TRUNK))
    added = loaded(connection, EvalEvent("eval_added", "88.1.7", TRUNK, 3))
    later = loaded(connection, EvalEvent("eval_started", "99.1.7", TRUNK))
    assert started.subject == added.subject != later.subject
    assert started.id != added.id
