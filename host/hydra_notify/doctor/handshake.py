"""Whether a plugin that no host runs would start: initialize, and shutdown.

It is sent no event, and works in a directory that is removed again.
"""

import os
import shlex
from contextlib import ExitStack
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Final

import trio

from hydra_notify import process
from hydra_notify.config import HostConfig, PluginConfig
from hydra_notify.doctor.check import Check, fail, ok, warn
from hydra_notify.doctor.limits import HANDSHAKE_LIMIT
from hydra_notify.kit.child import Child, start
from hydra_notify.kit.play.happenings import Ended, Happening
from hydra_notify.kit.play.toy_host import ToyHost
from hydra_notify.kit.play.words import manifest_words
from hydra_notify.limits import STOP_LIMIT
from hydra_notify.plugin_log import one_line
from hydra_notify.sandbox import Machine, judge, launch_options
from hydra_notify.session import Broken, Refused
from hydra_notify.supervisor.hello import hello
from hydra_notify_sdk.wire import InitializeParams, InitializeResult

_SECTION: Final = "plugins"

_TRY: Final = (
    "mend what it says; to try it by hand: hydra-notify plugin run -- {command}"
)


async def handshake(
    plugin: PluginConfig, host: HostConfig, secrets: dict[str, str], machine: Machine
) -> Check:
    """Start a plugin as the host would, and let it end.

    Args:
        plugin: Its configuration.
        host: The host's.
        secrets: Its secrets by name.
        machine: Where it is started.
    """
    name = plugin.name
    if refusal := judge(plugin, machine).refusal:
        words = f"not tried, since its sandbox cannot be had here: {refusal}"
        return warn(_SECTION, words, "see what is said of its sandbox", name)
    with ExitStack() as stack:
        directory = TemporaryDirectory(
            prefix="hydra-notify-doctor-", ignore_cleanup_errors=True
        )
        above = Path(stack.enter_context(directory))
        state_dir = above / "state"
        await trio.to_thread.run_sync(_make, above, state_dir, machine)
        own = dict(plugin.environment)
        if plugin.sandbox.restricts_files:
            own = {"TMPDIR": str(state_dir), **own}
        env = process.environment(name, state_dir, own, os.environ)
        options = launch_options(plugin, machine, state_dir, env, None)
        command = (*plugin.sandbox.launcher, *plugin.command)
        hears = hello(plugin, host, state_dir, secrets)
        try:
            async with start(
                command, state_dir, own=own, instance=name, options=options
            ) as child:
                words, fix = await _converse(child, hears)
        except OSError as error:
            words = f"it cannot be started: {error.strerror}: {error.filename}"
            fix = "mend its command, or the interpreter that its first line names"
    fix = fix.format(command=shlex.join(plugin.command))
    for secret in secrets.values():
        words, fix = words.replace(secret, "***"), fix.replace(secret, "***")
    return fail(_SECTION, words, fix, name) if fix else ok(_SECTION, words, name)


async def _converse(child: Child, hears: InitializeParams) -> tuple[str, str]:
    """What came of it, and what helps if it was nothing good."""
    reasons: list[str] = []

    def tell(happening: Happening) -> None:
        match happening:
            case Refused(reason):
                reasons.append(f"it refuses: {reason}")
            case Broken(_, reason):
                reasons.append(reason)
            case Ended(status, False):
                reasons.append(f"it has ended: {process.exit_reason(status)}")
            case _:
                pass

    host = ToyHost(child, hears, tell)
    manifest: InitializeResult | None = None
    async with trio.open_nursery() as nursery:
        # Ends when the plugin has been given time to leave.
        nursery.start_soon(host.converse)
        with trio.move_on_after(HANDSHAKE_LIMIT):
            await host.started.wait()
            manifest = host.manifest
        with trio.move_on_after(STOP_LIMIT):
            await host.shutdown("host_stop")
        nursery.cancel_scope.cancel()
    if manifest is not None:
        ready = manifest_words(manifest).removeprefix("ready: ")
        return f"it would start: {ready}", ""
    why = reasons[0] if reasons else f"it is not ready after {HANDSHAKE_LIMIT:.0f} s"
    last = [line for line in child.stderr if line.strip()][-1:]
    said = f" ({one_line(last[0])})" if last else ""
    return f"it does not start: {one_line(why)}{said}", _TRY


def _make(above: Path, state_dir: Path, machine: Machine) -> None:
    """Its directory, which is its user's."""
    state_dir.mkdir(mode=0o700)
    account = machine.account
    if account is not None and account.uid != machine.uid:
        above.chmod(0o711)
        os.chown(state_dir, account.uid, account.gid)
