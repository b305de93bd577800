"""Events longer than a frame: what is least missed goes first, and it is said."""

import json

import msgspec
from hypothesis import given, settings
from hypothesis import strategies as st
from msgspec.structs import replace
from tests.event_samples import (
    ALL_PARTS,
    BASE,
    NO_PARTS,
    build_data,
    document,
    eval_data,
    evaluation,
    failed,
    finished,
    fits,
    jobset,
    product,
)

from hydra_notify import builds
from hydra_notify.events import StepFinished
from hydra_notify.limits import EVENT_ROOM, SHORT_TEXT
from hydra_notify_sdk.wire import (
    Metric,
    Output,
    Part,
    Step,
)


def test_dependents_go_first_and_as_many_stay_as_fit() -> None:
    text = "x" * 900
    many = [document(build, description=text) for build in range(8, 1_008)]
    products = [product("p")] * 10
    loaded = finished(
        dependents=many, dependent_ids=[each.build for each in many], products=products
    )
    encoded = fits(loaded)
    data = build_data(loaded)
    assert data.truncated == ["dependents"]
    assert data.dependents
    kept = [each.build for each in data.dependents]
    assert kept == list(range(8, 8 + len(kept)))
    # Another one would not have fitted.
    one = len(msgspec.json.encode(data.dependents[-1]))
    assert EVENT_ROOM - one - 200 < len(encoded) <= EVENT_ROOM
    assert data.dependent_ids == list(range(8, 1_008))
    assert data.products == products


def test_what_is_least_missed_goes_first() -> None:
    large = "x" * 400_000
    loaded = finished(
        dependents=[document(8, description=large)],
        products=[product(large)],
        metrics=[Metric(large, None, 1.0)],
        evals=[evaluation(1, large), evaluation(2, large)],
        description=large,
        homepage=large,
        jobset_info=jobset(large),
    )
    fits(loaded)
    data = build_data(loaded)
    assert data.truncated == [
        "dependents",
        "products",
        "metrics",
        "evals.inputs",
        "description",
    ]
    assert (data.dependents, data.products, data.metrics) == ([], [], [])
    assert data.evals == [evaluation(1), evaluation(2)]
    assert data.description
    assert len(data.description) < len(large)
    assert (data.homepage, data.jobset_info.error_msg) == (large, large)


def test_of_inputs_only_what_is_needed_goes() -> None:
    large = "x" * 700_000
    loaded = finished(evals=[evaluation(1, "a", large), evaluation(2, large)])
    fits(loaded)
    data = build_data(loaded)
    assert data.truncated == ["dependents", "evals.inputs"]
    assert data.evals == [evaluation(1, "a"), evaluation(2, large)]


def test_a_long_text_loses_its_end() -> None:
    loaded = failed("error: " + "\x1b[31m" * 200_000)
    fits(loaded)
    data = eval_data(loaded)
    assert data.truncated == ["jobsetInfo.errorMsg"]
    assert data.jobset_info.error_msg
    assert data.jobset_info.error_msg.startswith("error: \x1b[31m")
    assert len(data.jobset_info.error_msg) >= SHORT_TEXT


def test_a_beginning_of_every_text_is_left() -> None:
    large = "ä" * 2_000_000
    loaded = finished(
        description=large,
        homepage=large,
        license=large,
        nix_name=large,
        release_name=large,
        jobset_info=jobset(large, large),
    )
    fits(loaded)
    data = build_data(loaded)
    texts = (data.description, data.homepage, data.license, data.nix_name)
    assert [len(text or "") for text in texts] == [SHORT_TEXT] * 4


def test_steps_outputs_and_addresses_can_be_cut_too() -> None:
    step = Step(
        build=7,
        stepnr=1,
        type=0,
        drv_path=None,
        status=1,
        error_msg="e" * 300_000,
        start_time=None,
        stop_time=None,
        machine="",
        system=None,
        propagated_from=None,
        resolved_drv_path=None,
        outputs=[Output("o" * 100, None)] * 10_000,
        log_path="/log",
    )
    loaded = replace(
        finished(
            step=step,
            outputs=[Output("o" * 100, None)] * 10_000,
            maintainers=["a@example.org"] * 100_000,
        ),
        event=StepFinished(7, 1, "/log"),
    )
    fits(loaded)
    data = build_data(loaded)
    assert data.truncated
    assert {"step.errorMsg", "outputs", "step.outputs"} <= set(data.truncated)
    assert data.step
    assert data.step.error_msg == "e" * SHORT_TEXT


def test_what_was_cut_twice_is_named_once() -> None:
    loaded = failed("\x00" * 300_000, truncated=["jobsetInfo.errorMsg"])
    fits(loaded)
    assert eval_data(loaded).truncated == ["jobsetInfo.errorMsg"]


def test_an_event_that_just_fits_is_left_alone() -> None:
    empty = len(builds.encode(finished(description=""), NO_PARTS, BASE))
    loaded = finished(description="x" * (EVENT_ROOM - empty))
    assert len(fits(loaded, NO_PARTS)) == EVENT_ROOM
    assert build_data(loaded, NO_PARTS).truncated is msgspec.UNSET
    longer = finished(description="x" * (EVENT_ROOM - empty + 1))
    assert len(fits(longer, NO_PARTS)) <= EVENT_ROOM
    assert build_data(longer, NO_PARTS).truncated == ["description"]


def test_a_trace_as_long_as_a_notification_fits_around() -> None:
    loaded = failed("x" * 2_000_000, trace='"' * 7_900)
    fits(loaded)


anything = st.text(st.characters(exclude_categories=()))
maybe = st.none() | anything


@settings(max_examples=50)
@given(
    texts=st.fixed_dictionaries(
        {
            "description": maybe,
            "homepage": maybe,
            "nix_name": maybe,
            "job": anything,
            "maintainers": st.lists(anything),
            "size": st.none() | st.integers(0, 2**63 - 1),
            "metrics": st.lists(
                st.builds(Metric, anything, maybe, st.floats() | st.none())
            ),
            "outputs": st.lists(st.builds(Output, anything, maybe)),
        }
    ),
    factor=st.sampled_from([1, 1, 200_000]),
    parts=st.sets(st.sampled_from(sorted(ALL_PARTS))),
)
def test_no_content_makes_an_event_unreadable_or_too_long(
    texts: dict[str, object], factor: int, parts: set[Part]
) -> None:
    for name in ("description", "homepage"):
        text = texts[name]
        texts[name] = text and str(text) * factor
    encoded = fits(finished(**texts), frozenset(parts))
    assert b"\n" not in encoded
    data = json.loads(encoded)["data"]
    assert data["build"] == 7
    assert ("dependents" in data) == ("dependents" in parts)
