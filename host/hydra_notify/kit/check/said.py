"""What the host says in a check."""

from pathlib import Path
from typing import Final

import msgspec

import hydra_notify
from hydra_notify.kit.check.candidate import Candidate
from hydra_notify.kit.child import INSTANCE
from hydra_notify.kit.conversation import Json
from hydra_notify_sdk.wire import (
    PROTOCOL_VERSION,
    Channel,
    HostInfo,
    InitializeParams,
    InitializeResult,
)
from hydra_notify_sdk.wire.samples import BASE_URL, sample_params

CANARY: Final = "canary-5f1d3a7c9b"
"""A secret that a plugin is given to see whether it writes secrets down."""

FIRST_BUILD: Final = 100_000
"""Builds are counted from here: numbers that look like those of a Hydra."""


def hello(candidate: Candidate, state_dir: Path, hydra_data: Path) -> Json:
    """The parameters of `initialize`."""
    params = InitializeParams(
        protocol_versions=[PROTOCOL_VERSION],
        host=HostInfo(
            name="hydra-notify",
            version=hydra_notify.__version__,
            base_url=BASE_URL,
            hydra_data=str(hydra_data),
        ),
        instance=INSTANCE,
        config=candidate.settings,
        secrets=candidate.secrets,
        state_dir=str(state_dir),
    )
    plain = msgspec.to_builtins(params)
    assert isinstance(plain, dict)
    return plain


def event(
    manifest: InitializeResult,
    channel: Channel,
    *,
    build: int,
    status: int,
    attempt: int,
    seconds: float,
) -> Json:
    """The parameters of `event`, as plain values that rules can change.

    Args:
        manifest: Says which parts the plugin includes.
        channel: The event's name.
        build: What it is about, if it is about a build.
        status: How that ended, if it has.
        attempt: Which sending it is; from the second on it counts as redelivered.
        seconds: For the answer.
    """
    params = sample_params(
        channel,
        build=build,
        status=status,
        parts=manifest.include,
        attempt=attempt,
        redelivered=attempt > 1,
        timeout_ms=round(seconds * 1000),
    )
    plain = msgspec.json.decode(msgspec.json.encode(params))
    assert isinstance(plain, dict)
    return plain
