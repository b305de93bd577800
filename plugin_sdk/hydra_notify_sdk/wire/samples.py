"""Sample events, one of every kind, for tools and tests: what a Hydra would send.

`sample_data` gives the typed data, `sample_params` the parameters of `event`. Nothing
here is real: the Hydra is `hydra.example.org`, its store paths are made of one digit.
"""

from collections.abc import Collection
from typing import Final, get_args

import msgspec
from msgspec import UNSET, Raw

from hydra_notify_sdk.wire.data import (
    BuildDocument,
    BuildEventData,
    Eval,
    EvalEventData,
    EvalInput,
    Jobset,
    Metric,
    Output,
    Owner,
    Part,
    PreviousBuild,
    Product,
    Project,
    Step,
)
from hydra_notify_sdk.wire.limits import EVENT_TIMEOUT_MS
from hydra_notify_sdk.wire.messages import CloudEvent, DeliveryInfo, EventParams
from hydra_notify_sdk.wire.words import Channel

BASE_URL: Final = "https://hydra.example.org"

PARTS: Final[tuple[Part, ...]] = get_args(Part)
"""Every heavy part."""

BUILD: Final = 4711
"""The build that the samples are about."""

_TIME: Final = "2026-01-05T10:00:00Z"
_QUEUED, _STARTED, _STOPPED = 1_767_607_010, 1_767_607_100, 1_767_607_200
_TRACE: Final = "5c6ed9b4-6a8c-4d0e-9a0f-2d1f0f5c7a11"
_ERROR: Final = "error: undefined variable 'hello'\n  at /nix/store/default.nix:3:5"


def _store(digit: int, name: str) -> str:
    return f"/nix/store/{str(digit) * 32}-{name}"


def _evaluation(number: int, revision: str, *, inputs: bool, new: bool = True) -> Eval:
    nixpkgs = EvalInput(
        name="nixpkgs",
        altnr=0,
        type="git",
        uri="https://github.com/NixOS/nixpkgs.git",
        revision=revision * 40,
        short_rev=revision * 7,
        value=None,
        dependency=None,
        path=_store(7, "source"),
        sha256hash="0" * 52,
        email_responsible=False,
    )
    return Eval(
        id=number,
        timestamp=1_767_607_000 if number == 1042 else 1_767_600_000,
        checkout_time=3,
        eval_time=41,
        has_new_builds=new,
        flake=None,
        inputs=[nixpkgs] if inputs else [],
    )


def _project() -> Project:
    return Project(
        name="nixpkgs",
        display_name="Nixpkgs",
        declfile=None,
        enable_dynamic_run_command=False,
        owner=Owner(
            name="alice",
            full_name="Alice",
            email="alice@example.org",
            email_on_error=True,
        ),
    )


def _jobset(error: str | None, parts: Collection[str]) -> Jobset:
    return Jobset(
        id=7,
        project="nixpkgs",
        name="trunk",
        description="the main branch",
        enable_email=True,
        email_override="",
        type=0,
        flake=None,
        enable_dynamic_run_command=False,
        error_msg=error if "errorMsg" in parts else UNSET,
    )


def _document(build: int, name: str, status: int | None) -> BuildDocument:
    over = status is not None
    return BuildDocument(
        build=build,
        finished=over,
        timestamp=_QUEUED,
        project="nixpkgs",
        jobset="trunk",
        job=f"{name}.x86_64-linux",
        drv_path=_store(2, f"{name}.drv"),
        start_time=_STARTED if over else None,
        stop_time=_STOPPED if over else None,
        build_status=status,
        nix_name=f"{name}-2.12",
        system="x86_64-linux",
        homepage="https://www.gnu.org/software/hello/",
        description="A program that greets: Grüße, ☃ and \u2028 included",
        license="GPL-3.0-or-later",
        outputs=[Output("out", _store(3, f"{name}-2.12") if over else None)],
        products=[],
        metrics=[],
        release_name=None,
        is_cached_build=False,
        is_current=True,
        priority=100,
        size=193_304 if over else None,
        closure_size=32_105_472 if over else None,
        maintainers=["alice@example.org"],
        url=f"{BASE_URL}/build/{build}",
    )


def _finished(
    channel: Channel, build: int, status: int, parts: Collection[str]
) -> BuildEventData:
    data = _build(channel, build, status, parts)
    path = _store(3, "hello-2.12")
    data.products = [
        Product(
            product_nr=1,
            type="file",
            subtype="source-dist",
            file_size=725_946,
            sha256hash="9" * 64,
            path=f"{path}/hello-2.12.tar.gz",
            name="hello-2.12.tar.gz",
            default_path="",
        )
    ]
    data.metrics = [Metric("lineCoverage", "%", 18.0)]
    data.is_cached_build = channel == "cached_build_finished"
    if channel == "build_finished":
        failed = min(status, 1) * 2
        others = [("greeter", build + 1), ("Grüße ☃", build + 2)]
        data.dependent_ids = [number for _, number in others]
        if "dependents" in parts:
            data.dependents = [_document(n, name, failed) for name, n in others]
    return data


def _build(
    channel: Channel, build: int, status: int | None, parts: Collection[str]
) -> BuildEventData:
    inputs = "evals" in parts
    data = BuildEventData(
        **msgspec.structs.asdict(_document(build, "hello", status)),
        event=_hook(channel),
        jobset_info=_jobset(None, parts),
        project_info=_project(),
    )
    if inputs:
        data.evals = [_evaluation(1042, "a", inputs=True)]
    if "previousBuild" in parts:
        data.previous_build = PreviousBuild(
            id=4630,
            build_status=0,
            eval=_evaluation(1041, "b", inputs=True) if inputs else None,
        )
    if channel.startswith("cached_"):
        data.eval = _evaluation(1042, "a", inputs=False)
    return data


def _step(build: int) -> Step:
    return Step(
        build=build,
        stepnr=3,
        type=0,
        drv_path=_store(4, "zlib.drv"),
        status=0,
        error_msg=None,
        start_time=_STARTED,
        stop_time=_STARTED + 40,
        machine="builder-1",
        system="x86_64-linux",
        propagated_from=None,
        resolved_drv_path=None,
        outputs=[Output("out", _store(5, "zlib-1.3"))],
        log_path="/var/lib/hydra/build-logs/44/zlib.drv",
    )


def _eval_data(channel: Channel, parts: Collection[str]) -> EvalEventData:
    failed = channel == "eval_failed"
    evaluation = None
    if channel in ("eval_added", "eval_cached"):
        added = channel == "eval_added"
        inputs = added and "evals" in parts
        evaluation = _evaluation(1042, "a", inputs=inputs, new=added)
    page = "eval/1042" if evaluation else "jobset/nixpkgs/trunk"
    return EvalEventData(
        event=_hook(channel),
        trace_id=_TRACE,
        project="nixpkgs",
        jobset="trunk",
        jobset_info=_jobset(_ERROR if failed else None, parts),
        project_info=_project(),
        eval=evaluation,
        error_changed={"eval_failed": True, "eval_added": False}.get(channel),
        url=f"{BASE_URL}/{page}",
    )


def _hook(channel: Channel) -> str:
    first, *rest = channel.split("_")
    return first + "".join(word.capitalize() for word in rest)


def sample_data(
    channel: Channel,
    *,
    build: int = BUILD,
    status: int = 1,
    parts: Collection[str] = (),
) -> BuildEventData | EvalEventData:
    """The data of an event.

    Args:
        channel: The event's name.
        build: The number of the build it is about, if it is about one.
        status: How that build ended (`BUILD_STATUSES`), if it has.
        parts: Heavy parts to put in, as a manifest's `include` names them.
    """
    if channel.startswith("eval_"):
        return _eval_data(channel, parts)
    if channel.endswith("build_finished"):
        return _finished(channel, build, status, parts)
    data = _build(channel, build, None, parts)
    if channel == "step_finished":
        data.step = _step(build)
    if channel in ("build_started", "step_finished"):
        data.start_time = _STARTED
    return data


def sample_params(
    channel: Channel,
    *,
    build: int = BUILD,
    status: int = 1,
    parts: Collection[str] = (),
    attempt: int = 1,
    redelivered: bool = False,
    timeout_ms: int = EVENT_TIMEOUT_MS,
) -> EventParams:
    """The parameters of `event`; see `sample_data` and `DeliveryInfo`."""
    data = sample_data(channel, build=build, status=status, parts=parts)
    return EventParams(
        name=channel,
        delivery=DeliveryInfo(
            attempt=attempt, redelivered=redelivered, timeout_ms=timeout_ms
        ),
        event=CloudEvent(
            specversion="1.0",
            id=_event_id(channel, build, status),
            source=BASE_URL,
            type=f"hydra.{channel}",
            subject=_subject(channel, build),
            time=_TIME,
            data=Raw(msgspec.json.encode(data)),
        ),
    )


def _event_id(channel: Channel, build: int, status: int) -> str:
    match channel:
        case "build_finished":
            return f"{channel}:{build}:{_STARTED}-{_STOPPED}:{status}"
        case "cached_build_finished" | "cached_build_queued":
            return f"{channel}:1042:{build}"
        case "step_finished":
            return f"{channel}:{build}:3"
        case "build_queued" | "build_started":
            return f"{channel}:{build}"
        case "eval_added" | "eval_cached":
            return f"{channel}:{_TRACE}:7:1042"
        case "eval_started" | "eval_failed":
            return f"{channel}:{_TRACE}:7"


def _subject(channel: Channel, build: int) -> str:
    if channel.startswith("eval_"):
        return f"eval-trace/{_TRACE}"
    return f"build/{build}"
