"""What the steps of a recording ask for, and of which life they are."""

from collections.abc import Iterator, Sequence
from typing import cast

from hydra_notify.kit.replay.transcript import Frame, Step
from hydra_notify_sdk.wire import limits


def lives(steps: Sequence[Step]) -> Iterator[list[Step]]:
    """The steps of each process of the plugin: ids differ in each."""
    life: list[Step] = []
    begun: object = None
    for step in steps:
        if method_of(step) == "initialize":
            assert step.frame is not None
            if begun not in (None, step.frame.get("id")):
                yield life
                life = []
            begun = step.frame.get("id")
        life.append(step)
    yield life


def method_of(step: Step) -> object:
    """The method of a frame of the host; None for anything else."""
    return step.frame.get("method") if step.frame and step.sender == "host" else None


def what_of(step: Step) -> str:
    """What a frame of the host asks, such as `event build_finished`."""
    method = method_of(step)
    params = step.frame.get("params") if step.frame else None
    if method == "event" and isinstance(params, dict):
        return f"event {cast(Frame, params).get('name')}"
    return str(method or "what is no frame")


def patience(step: Step) -> float:
    """Seconds for the answer to a request."""
    match method_of(step):
        case "initialize":
            return limits.START_TIMEOUT_MS / 1000
        case "ping":
            return limits.PING_TIMEOUT_MS / 1000
        case "shutdown":
            return limits.SHUTDOWN_REPLY_MS / 1000
        case _:
            timeout = limits.EVENT_TIMEOUT_MS
            match step.frame:
                case {"params": {"delivery": {"timeout_ms": int(asked)}}}:
                    timeout = min(max(asked, 0), limits.MAX_EVENT_TIMEOUT_MS)
                case _:
                    pass
            return (timeout + limits.CANCEL_GRACE_MS) / 1000


def mark_redelivered(params: Frame) -> None:
    """Have the parameters of `event` say that it was sent before."""
    delivery = params.get("delivery")
    if isinstance(delivery, dict):
        delivery = cast(Frame, delivery)
        attempt = delivery.get("attempt")
        delivery["attempt"] = attempt + 1 if isinstance(attempt, int) else 2
        delivery["redelivered"] = True
