"""`plugin restart`, `pause` and `resume`: an order to the host, and what follows."""

import sys
import threading
import time
from pathlib import Path
from typing import Final, NoReturn
from urllib.parse import quote

import click

from hydra_notify.cli.host_socket import DONE, FAILED
from hydra_notify.cli.listing import count_of, printable
from hydra_notify.cli.options import read_or_exit
from hydra_notify.cli.status_picture import state
from hydra_notify.doctor.host import ask_status
from hydra_notify.errors import HydraNotifyError
from hydra_notify.http import SOCKET_NAME
from hydra_notify.http.client import HostError, ask
from hydra_notify.limits import READY_LIMIT, READY_POLL
from hydra_notify.metrics import PluginState, Role
from hydra_notify.status import PluginStatus

_ENDED: Final = (PluginState.BACKOFF, PluginState.FLAPPING, PluginState.DISABLED)

_STARTED: Final = (PluginState.READY, PluginState.BLOCKED)


class _NotDone(HydraNotifyError):
    """The order cannot be given, or did not come to what was wanted."""


class _Plugin:
    """A plugin of the host that runs.

    Args:
        socket: Of the host.
        name: The plugin's.

    Raises:
        HostError: The host cannot be asked.
        _NotDone: It has no such plugin, or does not run it.
    """

    def __init__(self, socket: Path, name: str) -> None:
        self._socket = socket
        self._name = name
        self.before, _ = self.look()

    def look(self) -> tuple[PluginStatus, float]:
        """How the plugin is, and at what time by the host's clock."""
        status = ask_status(self._socket)
        found = {each.name: each for each in status.plugins}
        if self._name not in found:
            names = ", ".join(found) or "none"
            raise _NotDone(f"there is no plugin {self._name}; there are: {names}")
        if status.role is not Role.ACTIVE:
            raise _NotDone(
                f"this host is {status.role}, and runs no plugins: tell the active one"
            )
        return found[self._name], status.now

    def order(self, what: str) -> None:
        """Tell the host to `restart`, `pause` or `resume` it."""
        ask(self._socket, "POST", f"/plugins/{quote(self._name, safe='')}/{what}")


def give(path: Path, name: str, what: str) -> NoReturn:
    """Give an order about a plugin, and say what follows; exits.

    Args:
        path: Of the configuration.
        name: The plugin's.
        what: `restart`, `pause` or `resume`.
    """
    socket = read_or_exit(path).host.state_dir / SOCKET_NAME
    try:
        plugin = _Plugin(socket, name)
        plugin.order(what)
        if what == "restart":
            _wait_until_ready(plugin)
        else:
            click.echo(_words(what, plugin.before, plugin.look()[0]))
    except (HostError, _NotDone) as error:
        click.echo(f"hydra-notify: {printable(str(error))}", err=True)
        sys.exit(FAILED)
    except KeyboardInterrupt:
        words = "not waited for any longer; what was ordered is done all the same"
        click.echo(f"hydra-notify: {words}", err=True)
        sys.exit(FAILED)
    sys.exit(DONE)


def _words(what: str, before: PluginStatus, now: PluginStatus) -> str:
    """What has been done, and what follows."""
    waiting = count_of(now.queued, "delivery waits", "deliveries wait")
    if what == "resume":
        done = "is resumed" if before.paused else "was not paused"
        rest = f"{waiting} and {'is' if now.queued == 1 else 'are'} sent in order"
        return f"{now.name} {done}; {rest if now.queued else 'nothing waits for it'}"
    waiting = waiting if now.queued else "nothing waits yet"
    already = " already" if before.paused else ""
    words = (
        f"{now.name} is paused{already}: it is sent nothing until it is resumed or the"
        f" host restarts; {waiting}"
    )
    if now.in_flight:
        sent = count_of(now.in_flight, "delivery is", "deliveries are")
        words += f", and {sent} sent and may still be answered"
    return words


def _wait_until_ready(plugin: _Plugin) -> None:
    """Say how a restart goes on, until it is done.

    Raises:
        _NotDone: It has ended again, or takes too long.
    """
    before, shown = plugin.before, ""
    until = time.monotonic() + READY_LIMIT
    while True:
        now, at = plugin.look()
        is_new = now.started_at != before.started_at
        if is_new and now.state in _STARTED:
            break
        words = state(now, at).text
        if now.state in _ENDED and now.last_error_at != before.last_error_at:
            raise _NotDone(f"{now.name} did not start ({words}): {now.last_error}")
        if now.state is PluginState.DRAINING and now.in_flight:
            words += f", {now.in_flight} in flight"
        if time.monotonic() >= until:
            raise _NotDone(
                f"{now.name} is not ready after {READY_LIMIT:.0f} s: it is {words}; the"
                " host goes on with it, see `hydra-notify status`"
            )
        if words != shown and is_new | (now.state is PluginState.DRAINING):
            click.echo(f"{now.name}: {words}")
            shown = words
        # Nothing tells; Ctrl-C ends the wait.
        threading.Event().wait(READY_POLL)
    program = printable(f" ({now.program}, pid {now.pid})" if now.program else "")
    click.echo(f"{now.name} is started again{program}: {state(now, at).text}")
