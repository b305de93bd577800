"""A plugin started, and greeted as the host would."""

from collections.abc import AsyncGenerator, Sequence
from contextlib import AsyncExitStack, asynccontextmanager
from pathlib import Path

import trio

import hydra_notify
from hydra_notify.errors import PluginError
from hydra_notify.kit.child import INSTANCE, Child, start
from hydra_notify.kit.play.happenings import Said, Tell
from hydra_notify.kit.play.toy_host import ToyHost
from hydra_notify.kit.play.words import start_words
from hydra_notify.kit.settings import Settings
from hydra_notify_sdk.wire import PROTOCOL_VERSION, HostInfo, InitializeParams
from hydra_notify_sdk.wire.samples import BASE_URL


@asynccontextmanager
async def started(
    command: Sequence[str], state_dir: Path, settings: Settings, tell: Tell
) -> AsyncGenerator[Child]:
    """Start a plugin, and say nothing to it; the arguments are those of `toy_host`.

    Raises:
        PluginError: It cannot be started.
    """
    async with AsyncExitStack() as stack:
        running = start(
            command,
            state_dir,
            own=settings.environment,
            on_stderr=lambda text: tell(Said(text)),
        )
        try:
            child = await stack.enter_async_context(running)
        except OSError as error:
            raise PluginError(start_words(error, command[0])) from error
        yield child


@asynccontextmanager
async def toy_host(
    command: Sequence[str], state_dir: Path, settings: Settings, tell: Tell
) -> AsyncGenerator[ToyHost]:
    """Start a plugin and converse with it; on leaving it is killed if need be.

    Args:
        command: Program and arguments, see `words.command_of`.
        state_dir: Where it runs.
        settings: What it is told.
        tell: Called with whatever happens.

    Raises:
        PluginError: It cannot be started.
    """
    async with started(command, state_dir, settings, tell) as child:
        host = ToyHost(child, hello_of(settings, state_dir), tell)
        async with trio.open_nursery() as nursery:
            nursery.start_soon(host.converse)
            try:
                yield host
            finally:
                nursery.cancel_scope.cancel()


def hello_of(settings: Settings, state_dir: Path) -> InitializeParams:
    """What `initialize` says to a plugin that is tried."""
    return InitializeParams(
        protocol_versions=[PROTOCOL_VERSION],
        host=HostInfo(
            name="hydra-notify",
            version=hydra_notify.__version__,
            base_url=BASE_URL,
            hydra_data="/var/lib/hydra",
        ),
        instance=INSTANCE,
        config=settings.settings,
        secrets=settings.secrets,
        state_dir=str(state_dir),
        # Its author is there to see what it has to say.
        log_level="debug",
    )
