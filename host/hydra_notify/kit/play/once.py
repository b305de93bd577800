"""One event, for a program that runs no longer than that; or for a pipe."""

import os
from collections.abc import Sequence
from pathlib import Path

import msgspec
from msgspec import Raw

from hydra_notify.kit.play.opening import hello_of, toy_host
from hydra_notify.kit.play.sample_event import sample_event, sending_of
from hydra_notify.kit.play.show import Show
from hydra_notify.kit.play.words import unwanted_words
from hydra_notify.kit.settings import Settings
from hydra_notify.outcomes import Delivered
from hydra_notify_sdk.wire import HostFrame, to_line


async def send_once(
    command: Sequence[str],
    state_dir: Path,
    settings: Settings,
    show: Show,
    event: str,
    edits: Sequence[str],
) -> bool:
    """Start a plugin, send it a sample event, and end it.

    Returns:
        Whether the event was delivered, or skipped.

    Raises:
        HydraNotifyError: There is no such event, or the plugin cannot be started.
    """
    sample_event(event, edits)
    done = False
    async with toy_host(command, state_dir, settings, show) as host:
        await host.started.wait()
        if host.manifest is not None:
            params = sample_event(event, edits, parts=host.manifest.include)
            sending = sending_of(params)
            if remark := unwanted_words(host.manifest, sending.channel):
                show.note(remark)
            host.submit(sending)
            await sending.over.wait()
            done = isinstance(sending.outcome, Delivered)
        await host.shutdown("host_stop")
    return done


def frames(settings: Settings, event: str, edits: Sequence[str]) -> bytes:
    """What a plugin has to read to handle a sample event: `initialize`, and the event.

    Raises:
        HydraNotifyError: There is no such event, or an edit cannot be made.
    """
    nonce = os.urandom(4).hex()
    hello = msgspec.json.encode(hello_of(settings, Path.cwd()))
    params = msgspec.json.encode(sample_event(event, edits))
    return b"".join(
        to_line(
            HostFrame(
                jsonrpc="2.0", id=f"{name}-{nonce}", method=method, params=Raw(content)
            )
        )
        for name, method, content in (
            ("i0", "initialize", hello),
            ("e1", "event", params),
        )
    )
