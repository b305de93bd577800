"""Rows to documents: every member of what is said about a build and a step."""

from collections.abc import Iterator

import pytest
from tests.hydra_rows import (
    FLAKE,
    START,
    STOP,
    build_data,
    insert,
    insert_build,
    insert_finished,
    loaded,
)

from hydra_notify.database import Connection, connect
from hydra_notify.events import (
    BuildEvent,
    BuildFinished,
    StepFinished,
)
from hydra_notify_sdk.wire import (
    BuildEventData,
    Jobset,
    Metric,
    Output,
    Owner,
    Product,
    Project,
    Step,
)


@pytest.fixture
def connection(database_url: str) -> Iterator[Connection]:
    with connect(database_url) as connection:
        yield connection


def test_a_finished_build_is_told_as_hydra_tells_its_commands(
    connection: Connection,
) -> None:
    """Hydra: RunCommand/json.t."""
    insert_finished(
        connection,
        7,
        nixname="my-build-product",
        description="Just a description",
        homepage="https://example.org/",
        license="GPL",
        releasename="product-1.0",
        maintainers="ada@example.org, grace@example.org,,",
        iscachedbuild=1,
        iscurrent=1,
        priority=12,
        size=10_000_000_000,
        closuresize=20_000_000_000,
    )
    for name in ("out", "bin"):
        row = {"build": 7, "name": name, "path": f"/nix/store/x-{name}"}
        insert(connection, "buildoutputs", row)
    product: dict[str, object] = {"build": 7, "type": "nix-build", "defaultpath": ""}
    insert(
        connection,
        "buildproducts",
        product
        | {"productnr": 1, "subtype": "", "name": "whole", "path": "/nix/store/x-out"},
    )
    insert(
        connection,
        "buildproducts",
        product
        | {
            "productnr": 2,
            "subtype": "bin",
            "name": "part",
            "filesize": 4_000_000_000,
            "sha256hash": "ab12",
        },
    )
    metric = {
        "build": 7,
        "project": "nixpkgs",
        "jobset": "trunk",
        "job": "j",
        "timestamp": STOP,
    }
    for name, unit, value in (("lineCoverage", "%", 18.0), ("maxResident", None, 27.5)):
        measured = {"name": name, "unit": unit, "value": value}
        insert(connection, "buildmetrics", {**metric, **measured})
    assert build_data(loaded(connection, BuildFinished(7))) == BuildEventData(
        event="buildFinished",
        build=7,
        finished=True,
        timestamp=START - 50,
        project="nixpkgs",
        jobset="trunk",
        job="hello.x86_64-linux",
        drv_path="/nix/store/drv-7.drv",
        start_time=START,
        stop_time=STOP,
        build_status=0,
        nix_name="my-build-product",
        system="x86_64-linux",
        homepage="https://example.org/",
        description="Just a description",
        license="GPL",
        outputs=[Output("bin", "/nix/store/x-bin"), Output("out", "/nix/store/x-out")],
        products=[
            Product(
                product_nr=1,
                type="nix-build",
                subtype="",
                file_size=None,
                sha256hash=None,
                path="/nix/store/x-out",
                name="whole",
                default_path="",
            ),
            Product(
                product_nr=2,
                type="nix-build",
                subtype="bin",
                file_size=4_000_000_000,
                sha256hash="ab12",
                path=None,
                name="part",
                default_path="",
            ),
        ],
        metrics=[Metric("lineCoverage", "%", 18.0), Metric("maxResident", None, 27.5)],
        release_name="product-1.0",
        is_cached_build=True,
        is_current=True,
        priority=12,
        size=10_000_000_000,
        closure_size=20_000_000_000,
        maintainers=["ada@example.org", "grace@example.org"],
        url="",
        jobset_info=Jobset(
            id=1,
            project="nixpkgs",
            name="trunk",
            description="Main development",
            enable_email=True,
            email_override="",
            type=0,
            flake=None,
            enable_dynamic_run_command=False,
        ),
        project_info=Project(
            name="nixpkgs",
            display_name="Nixpkgs",
            declfile=None,
            enable_dynamic_run_command=False,
            owner=Owner(
                name="ada",
                full_name="Ada Lovelace",
                email="ada@example.org",
                email_on_error=True,
            ),
        ),
        dependent_ids=[],
    )


def test_what_a_build_does_not_have_is_null_or_empty(connection: Connection) -> None:
    insert_finished(connection, 7, jobset_id=FLAKE)
    row = {"build": 7, "name": "out", "path": None}
    insert(connection, "buildoutputs", row)
    data = build_data(loaded(connection, BuildFinished(7)))
    nulls = (data.nix_name, data.homepage, data.description, data.license)
    assert nulls == (None,) * 4
    assert (data.size, data.closure_size, data.release_name) == (None,) * 3
    assert data.outputs == [Output("out", None)]
    assert (data.products, data.metrics, data.maintainers) == ([], [], [])
    assert not data.is_cached_build
    assert data.jobset_info.flake == "github:NixOS/nixpkgs/nixos-unstable-small"
    assert data.jobset_info.type == 1


def test_a_metric_that_json_has_no_number_for_is_null(connection: Connection) -> None:
    insert_finished(connection, 7)
    for name in ("NaN", "Infinity", "-Infinity"):
        row = {
            "build": 7,
            "name": name,
            "value": float(name),
            "project": "nixpkgs",
            "jobset": "trunk",
            "job": "j",
            "timestamp": STOP,
        }
        insert(connection, "buildmetrics", row)
    data = build_data(loaded(connection, BuildFinished(7)))
    assert [metric.value for metric in data.metrics] == [None, None, None]


def test_a_store_path_that_was_cut_to_its_name_is_made_whole(
    connection: Connection,
) -> None:
    insert_finished(connection, 7, drvpath="abc-hello.drv")
    insert(connection, "buildoutputs", {"build": 7, "name": "out", "path": "abc-hello"})
    data = build_data(loaded(connection, BuildFinished(7)))
    assert data.drv_path == "/nix/store/abc-hello.drv"
    assert data.outputs == [Output("out", "/nix/store/abc-hello")]


def test_a_finished_step_is_told_with_its_build(connection: Connection) -> None:
    insert_build(connection, 7)
    insert(
        connection,
        "buildsteps",
        {
            "build": 7,
            "stepnr": 2,
            "type": 0,
            "drvpath": "/nix/store/dep.drv",
            "busy": 0,
            "status": 13,
            "errormsg": "oops",
            "starttime": START,
            "stoptime": STOP,
            "machine": "ssh://builder",
            "system": "x86_64-linux",
            "propagatedfrom": 7,
            "resolveddrvpath": "resolved.drv",
        },
    )
    for name, path in (("out", "/nix/store/dep"), ("doc", None)):
        row = {"build": 7, "stepnr": 2, "name": name, "path": path}
        insert(connection, "buildstepoutputs", row)
    result = loaded(connection, StepFinished(7, 2, "/var/lib/hydra/build-logs/de/p"))
    assert result.id == "step_finished:7:2"
    assert result.subject == "build/7"
    assert result.time == "2001-09-09T01:48:20Z"
    assert result.flags == ()
    data = build_data(result)
    assert (data.event, data.build, data.finished) == ("stepFinished", 7, False)
    assert data.step == Step(
        build=7,
        stepnr=2,
        type=0,
        drv_path="/nix/store/dep.drv",
        status=13,
        error_msg="oops",
        start_time=START,
        stop_time=STOP,
        machine="ssh://builder",
        system="x86_64-linux",
        propagated_from=7,
        resolved_drv_path="/nix/store/resolved.drv",
        outputs=[Output("doc", None), Output("out", "/nix/store/dep")],
        log_path="/var/lib/hydra/build-logs/de/p",
    )


def test_a_step_may_have_no_log(connection: Connection) -> None:
    insert_build(connection, 7)
    row = {"build": 7, "stepnr": 1, "type": 1, "drvpath": "/nix/store/d.drv", "busy": 0}
    insert(connection, "buildsteps", row)
    result = loaded(connection, StepFinished(7, 1, None))
    assert result.time == ""
    data = build_data(result)
    assert data.step
    assert (data.step.log_path, data.step.outputs) == (None, [])


def test_times_that_no_calendar_has_are_left_out(connection: Connection) -> None:
    insert_build(connection, 7, timestamp=-1)
    assert loaded(connection, BuildEvent("build_queued", 7)).time == ""
