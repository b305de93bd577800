"""The sample events are what a host could send."""

import msgspec
import pytest
from tests.transcripts import sample

from hydra_notify_sdk.wire import (
    BUILD_STATUSES,
    CHANNELS,
    BuildEventData,
    Channel,
    EvalEventData,
    EventParams,
)
from hydra_notify_sdk.wire.samples import (
    PARTS,
    sample_data,
    sample_params,
)


@pytest.mark.parametrize("channel", CHANNELS)
def test_every_event_has_a_sample_that_says_of_itself_what_it_is(
    channel: Channel,
) -> None:
    data = sample_data(channel, parts=PARTS)
    kind = EvalEventData if channel.startswith("eval_") else BuildEventData
    encoded = msgspec.json.encode(data)
    assert msgspec.json.decode(encoded, type=kind) == data
    words = channel.split("_")
    assert data.event == words[0] + "".join(map(str.capitalize, words[1:]))


@pytest.mark.parametrize("channel", CHANNELS)
def test_a_sample_has_every_member_that_the_golden_conversations_know(
    channel: Channel,
) -> None:
    encoded = msgspec.json.encode(sample_data(channel, parts=PARTS))
    assert sample(channel).keys() <= msgspec.json.decode(encoded).keys()


@pytest.mark.parametrize("channel", CHANNELS)
def test_heavy_parts_come_only_when_they_are_asked_for(channel: Channel) -> None:
    light = msgspec.to_builtins(sample_data(channel))
    assert not {"dependents", "evals", "previousBuild"} & light.keys()
    assert "errorMsg" not in light["jobsetInfo"]
    assert not (light.get("eval") or {}).get("inputs")


def test_the_parameters_are_those_of_the_protocol() -> None:
    params = sample_params("build_finished", build=7, status=0, attempt=2)
    frame = msgspec.json.encode(params)
    assert msgspec.json.decode(frame, type=EventParams) == params
    assert params.event.type == "hydra.build_finished"
    assert params.event.subject == "build/7"


def test_each_outcome_of_a_build_is_an_event_of_its_own() -> None:
    ids = {
        sample_params("build_finished", status=status).event.id
        for status in BUILD_STATUSES.values()
    }
    assert len(ids) == len(BUILD_STATUSES)
