"""Loaded events to bytes: only what is asked for."""

import json

import msgspec
import pytest
from msgspec.structs import replace
from tests.event_samples import (
    ALL_PARTS,
    BASE,
    NO_PARTS,
    build_data,
    eval_data,
    evaluation,
    failed,
    finished,
    jobset,
)

from hydra_notify import builds
from hydra_notify.events import BuildEvent
from hydra_notify_sdk.wire import (
    CloudEvent,
    Part,
)


def test_an_event_is_a_cloud_event_on_one_line() -> None:
    encoded = builds.encode(finished(), NO_PARTS, BASE)
    assert b"\n" not in encoded
    event = json.loads(encoded)
    data = event.pop("data")
    assert event == {
        "specversion": "1.0",
        "id": "build_finished:7:2-3:0:00000000",
        "source": BASE,
        "type": "hydra.build_finished",
        "subject": "build/7",
        "time": "1970-01-01T00:00:03Z",
    }
    assert data["build"] == 7


def test_a_command_for_hydras_runcommand_finds_its_document_in_data() -> None:
    """Hydra: RunCommand/json.t, the names of the members."""
    data = json.loads(builds.encode(finished(), NO_PARTS, BASE))["data"]
    assert (
        data
        | {
            "event": "buildFinished",
            "build": 7,
            "finished": True,
            "timestamp": 1,
            "project": "nixpkgs",
            "jobset": "trunk",
            "job": "hello",
            "drvPath": "/nix/store/d.drv",
            "startTime": 2,
            "stopTime": 3,
            "buildStatus": 0,
            "nixName": "hello-1",
            "system": "x86_64-linux",
            "homepage": None,
            "description": "A thing",
            "license": None,
            "outputs": [{"name": "out", "path": "/nix/store/out"}],
            "products": [],
            "metrics": [],
        }
        == data
    )


def test_parts_that_nobody_asked_for_are_absent() -> None:
    data = json.loads(builds.encode(finished(), NO_PARTS, BASE))["data"]
    assert data["dependentIds"] == [8]
    assert not data.keys() & {"dependents", "evals", "previousBuild", "truncated"}
    assert "errorMsg" not in data["jobsetInfo"]


@pytest.mark.parametrize("part", sorted(ALL_PARTS))
def test_one_part_brings_no_other(part: Part) -> None:
    data = json.loads(builds.encode(finished(), frozenset({part}), BASE))["data"]
    present = data.keys() & {"dependents", "evals", "previousBuild"}
    assert present == {part} - {"errorMsg"}
    assert ("errorMsg" in data["jobsetInfo"]) == (part == "errorMsg")
    if part == "dependents":
        assert "previousBuild" not in data["dependents"][0]
    if part == "previousBuild":
        # Evaluations are another part.
        assert data["previousBuild"] == {"id": 1, "buildStatus": 1, "eval": None}


def test_jobsets_of_dependents_go_where_they_go() -> None:
    loaded = finished(dependent_jobsets=[jobset()])
    without = json.loads(builds.encode(loaded, frozenset({"evals"}), BASE))["data"]
    assert "dependentJobsets" not in without
    data = json.loads(builds.encode(loaded, frozenset({"dependents"}), BASE))["data"]
    assert [each["name"] for each in data["dependentJobsets"]] == ["trunk"]


def test_all_parts_are_there_when_asked_for() -> None:
    data = build_data(finished())
    assert data.dependents
    assert data.dependents[0].build == 8
    assert data.dependents[0].previous_build
    assert data.evals == [evaluation(1, "abc")]
    assert data.previous_build
    assert data.previous_build.eval == evaluation(1)
    assert data.jobset_info.error_msg == "broken"
    assert data.truncated is msgspec.UNSET


def test_a_part_that_was_not_loaded_cannot_be_sent() -> None:
    loaded = replace(finished(), parts=frozenset({"dependents"}))
    with pytest.raises(AssertionError):
        builds.encode(loaded, frozenset({"evals"}), BASE)


def test_every_build_has_its_page() -> None:
    data = build_data(finished())
    assert data.url == f"{BASE}/build/7"
    assert data.dependents
    assert data.dependents[0].url == f"{BASE}/build/8"


def test_an_evaluation_has_its_page_or_that_of_its_jobset() -> None:
    assert eval_data(failed()).url == f"{BASE}/jobset/nixpkgs/trunk"
    assert eval_data(failed(eval=evaluation(3))).url == f"{BASE}/eval/3"
    assert eval_data(failed(project="a b")).url == f"{BASE}/jobset/a%20b/trunk"


def test_an_evaluations_event_shows_inputs_and_error_only_when_asked_for() -> None:
    loaded = failed(eval=evaluation(3, "abc"))
    with_parts = eval_data(loaded)
    assert with_parts.eval == evaluation(3, "abc")
    assert with_parts.jobset_info.error_msg == "broken"
    without = eval_data(loaded, NO_PARTS)
    assert without.eval == evaluation(3)
    assert without.jobset_info.error_msg is msgspec.UNSET


def test_encoding_changes_nothing_of_what_was_loaded() -> None:
    loaded, untouched = finished(), finished()
    builds.encode(loaded, NO_PARTS, BASE)
    builds.encode(loaded, ALL_PARTS, BASE)
    assert loaded == untouched


def test_what_was_cut_when_it_was_read_is_named_only_where_it_is_sent() -> None:
    loaded = finished(truncated=["jobsetInfo.errorMsg", "evals", "step.errorMsg"])
    assert build_data(loaded).truncated == [
        "jobsetInfo.errorMsg",
        "evals",
        "step.errorMsg",
    ]
    assert build_data(loaded, NO_PARTS).truncated == ["step.errorMsg"]
    cut = failed(truncated=["jobsetInfo.errorMsg"])
    assert eval_data(cut, NO_PARTS).truncated is msgspec.UNSET


def test_a_queued_build_has_no_members_of_a_finished_one() -> None:
    loaded = finished(dependent_ids=msgspec.UNSET, dependents=msgspec.UNSET)
    loaded = replace(loaded, event=BuildEvent("build_queued", 7))
    data = json.loads(builds.encode(loaded, ALL_PARTS, BASE))["data"]
    assert not data.keys() & {"dependents", "dependentIds", "step", "eval"}


# Odd texts


def test_text_that_utf8_cannot_express_is_replaced() -> None:
    loaded = finished(description="a\ud800b", nix_name="\x00\u2028\U0001f389")
    data = build_data(loaded)
    assert data.description == "a?b"
    assert data.nix_name == "\x00\u2028\U0001f389"
    assert data.evals == [evaluation(1, "abc")]
    odd = replace(finished(), id="\udc00", subject="\udfff")
    event = msgspec.json.decode(builds.encode(odd, NO_PARTS, BASE), type=CloudEvent)
    assert (event.id, event.subject) == ("?", "?")
