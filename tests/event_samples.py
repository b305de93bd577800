"""Loaded events as `builds.load` makes them, with all parts; for what comes after."""

from typing import Final

import msgspec

from hydra_notify import builds
from hydra_notify.events import BuildFinished, EvalEvent
from hydra_notify.facts import Loaded
from hydra_notify_sdk.wire import (
    BuildDocument,
    BuildEventData,
    CloudEvent,
    DeliveryInfo,
    Eval,
    EvalEventData,
    EvalInput,
    EventParams,
    HostFrame,
    Jobset,
    Output,
    Part,
    PreviousBuild,
    Product,
    Project,
    to_line,
)
from hydra_notify_sdk.wire.limits import MAX_FRAME_BYTES, MAX_ID_LENGTH

BASE: Final = "https://hydra.example.org"

ALL_PARTS: Final = frozenset[Part]({"dependents", "evals", "previousBuild", "errorMsg"})

NO_PARTS: Final = frozenset[Part]()

PROJECT: Final = Project(
    name="nixpkgs",
    display_name="Nixpkgs",
    declfile=None,
    enable_dynamic_run_command=False,
    owner=None,
)


def jobset(error: str | None = "broken", description: str | None = None) -> Jobset:
    return Jobset(
        id=1,
        project="nixpkgs",
        name="trunk",
        description=description,
        enable_email=True,
        email_override="",
        type=0,
        flake=None,
        enable_dynamic_run_command=False,
        error_msg=error,
    )


def document(build: int, **changes: object) -> BuildDocument:
    made = BuildDocument(
        build=build,
        finished=True,
        timestamp=1,
        project="nixpkgs",
        jobset="trunk",
        job="hello",
        drv_path="/nix/store/d.drv",
        start_time=2,
        stop_time=3,
        build_status=0,
        nix_name="hello-1",
        system="x86_64-linux",
        homepage=None,
        description="A thing",
        license=None,
        outputs=[Output("out", "/nix/store/out")],
        products=[],
        metrics=[],
        release_name=None,
        is_cached_build=False,
        is_current=True,
        priority=10,
        size=None,
        closure_size=None,
        maintainers=["ada@example.org"],
        url="",
        previous_build=PreviousBuild(id=1, build_status=1, eval=evaluation(1)),
    )
    return msgspec.structs.replace(made, **changes)


def evaluation(number: int, *values: str) -> Eval:
    inputs = [
        EvalInput(
            name=f"input{position}",
            altnr=0,
            type="string",
            uri=None,
            revision=None,
            short_rev=None,
            value=value,
            dependency=None,
            path=None,
            sha256hash=None,
            email_responsible=None,
        )
        for position, value in enumerate(values)
    ]
    return Eval(
        id=number,
        timestamp=1,
        checkout_time=1,
        eval_time=1,
        has_new_builds=True,
        flake=None,
        inputs=inputs,
    )


def finished(**changes: object) -> Loaded:
    """A finished build that was loaded with all parts."""
    data = BuildEventData(
        **msgspec.structs.asdict(document(7)),
        event="buildFinished",
        jobset_info=jobset(),
        project_info=PROJECT,
        dependent_ids=[8],
        dependents=[document(8)],
        evals=[evaluation(1, "abc")],
    )
    return Loaded(
        event=BuildFinished(7, (8,)),
        id="build_finished:7:2-3:0:00000000",
        subject="build/7",
        time="1970-01-01T00:00:03Z",
        flags=(),
        builds=(),
        data=msgspec.structs.replace(data, **changes),
        parts=ALL_PARTS,
    )


def failed(error: str = "broken", trace: str = "88.1.7", **changes: object) -> Loaded:
    """A failed evaluation that was loaded with all parts."""
    data = EvalEventData(
        event="evalFailed",
        trace_id=trace,
        project="nixpkgs",
        jobset="trunk",
        jobset_info=jobset(error),
        project_info=PROJECT,
        eval=None,
        error_changed=True,
        url="",
    )
    return Loaded(
        event=EvalEvent("eval_failed", trace, 1, None, True),
        id=f"eval_failed:{trace}:1",
        subject=f"eval-trace/{trace}",
        time="",
        flags=(),
        builds=(),
        data=msgspec.structs.replace(data, **changes),
        parts=ALL_PARTS,
    )


def product(name: str) -> Product:
    return Product(
        product_nr=1,
        type="file",
        subtype="",
        file_size=None,
        sha256hash=None,
        path=None,
        name=name,
        default_path=None,
    )


def build_data(loaded: Loaded, parts: frozenset[Part] = ALL_PARTS) -> BuildEventData:
    encoded = builds.encode(loaded, parts, BASE)
    event = msgspec.json.decode(encoded, type=CloudEvent)
    return msgspec.json.decode(event.data, type=BuildEventData)


def eval_data(loaded: Loaded, parts: frozenset[Part] = ALL_PARTS) -> EvalEventData:
    encoded = builds.encode(loaded, parts, BASE)
    event = msgspec.json.decode(encoded, type=CloudEvent)
    return msgspec.json.decode(event.data, type=EvalEventData)


def fits(loaded: Loaded, parts: frozenset[Part] = ALL_PARTS) -> bytes:
    """The encoded event; the whole frame around it is no longer than it may be."""
    encoded = builds.encode(loaded, parts, BASE)
    event = msgspec.json.decode(encoded, type=CloudEvent)
    delivery = DeliveryInfo(attempt=10**9, redelivered=False, timeout_ms=10**9)
    params = EventParams(name=loaded.event.channel, delivery=delivery, event=event)
    frame = HostFrame(
        jsonrpc="2.0",
        id="x" * MAX_ID_LENGTH,
        method="event",
        params=msgspec.Raw(msgspec.json.encode(params)),
    )
    assert len(to_line(frame)) - 1 <= MAX_FRAME_BYTES
    return encoded
