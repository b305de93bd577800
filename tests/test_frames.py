"""The bytes around an event, put together once for all plugins."""

import json

import msgspec
import pytest

from hydra_notify import frames
from hydra_notify_sdk.wire import DeliveryInfo, EventParams, HostFrame
from hydra_notify_sdk.wire.samples import sample_params


@pytest.mark.parametrize(("attempt", "redelivered"), [(1, False), (1, True), (7, True)])
def test_the_parts_make_one_frame(attempt: int, redelivered: bool) -> None:
    opening = frames.opening(
        "e1-9f", "build_finished", attempt, redelivered=redelivered
    )
    event = b'{"id":"x","data":{}}'
    frame = b"".join((opening.text, frames.timeout(30_000), event, frames.END))
    assert frame.endswith(b"\n")
    assert b"\n" not in frame[:-1]
    assert json.loads(frame) == {
        "jsonrpc": "2.0",
        "id": "e1-9f",
        "method": "event",
        "params": {
            "name": "build_finished",
            "delivery": {
                "attempt": attempt,
                "redelivered": redelivered,
                "timeout_ms": 30_000,
            },
            "event": {"id": "x", "data": {}},
        },
    }
    assert opening.name == "e1-9f"


def test_it_is_the_frame_that_the_wire_defines() -> None:
    opening = frames.opening("e1-9f", "step_finished", 2, redelivered=True)
    event = msgspec.json.encode(sample_params("step_finished").event)
    frame = b"".join((opening.text, frames.timeout(1), event, frames.END))
    read = msgspec.json.decode(frame, type=HostFrame)
    params = msgspec.json.decode(read.params, type=EventParams)
    assert msgspec.json.encode(read) + b"\n" == frame
    assert params.delivery == DeliveryInfo(attempt=2, redelivered=True, timeout_ms=1)
    assert params.name == "step_finished"
