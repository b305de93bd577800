"""A stage for whole plays: a database, a host as a real process, puppets for plugins.

Every wait is for an event, and bounded by `PATIENCE`.
"""

import json
import os
import signal
import subprocess
import sys
from collections import defaultdict
from collections.abc import AsyncGenerator, Callable, Mapping, Sequence
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from typing import Any

import h11
import tomli_w
import trio
from tests.http_asking import ask

from hydra_notify import ledger
from hydra_notify.config import read_config
from hydra_notify.daemon import Daemon
from hydra_notify.database import Connection, connect
from hydra_notify.demo.simulation.evaluator import queue_builds
from hydra_notify.demo.simulation.hydra import Hydra, open_hydra
from hydra_notify.demo.simulation.queue_runner import finish_build
from hydra_notify.http import SOCKET_NAME
from hydra_notify.http.reply import GONE
from hydra_notify.metrics import Counts

PATIENCE = 30.0
"""Seconds: an event that has not come by then does not come."""

PROGRAM = (sys.executable, "-m", "hydra_notify")

PROGRAMS = Path(__file__).parent.parent / "programs"
PUPPET = PROGRAMS / "puppet.py"

ANNOUNCE_CLEARED = """
create function announce_cleared() returns trigger language plpgsql as $$
begin
  notify flags_changed;
  return null;
end $$;
create trigger announce_cleared after update of notificationpendingsince on builds
for each statement execute function announce_cleared();
"""

ANNOUNCE_LEDGER = """
create trigger announce_event after insert or update or delete on hydra_notify.event
for each statement execute function announce_cleared();
create trigger announce_delivery
after insert or update or delete on hydra_notify.delivery
for each statement execute function announce_cleared();
"""

LEDGER = "select event, plugin, standing from hydra_notify.delivery order by 1, 2"

FLAG = "select notificationpendingsince from builds where id = %s"
STATUS = "/status.json"

LOOK_AGAIN = 0.2
"""Seconds after which a wait for a notification is a look at the tables."""

FIRST_SWEEP = 3.0
"""Seconds; a sweep of the few builds of a test takes milliseconds."""

PENDING = "select count(*) from builds where notificationpendingsince is not null"


def program_with(limits: Mapping[str, float]) -> tuple[str, ...]:
    """The program with other limits, by their names."""
    return (sys.executable, str(PROGRAMS / "with_limits.py"), json.dumps(limits))


@dataclass(eq=False)
class Frame:
    """A frame that a puppet has received, and how to answer it."""

    plugin: str
    pid: int
    frame: dict[str, Any]
    _stream: trio.SocketStream

    @property
    def method(self) -> str:
        return str(self.frame["method"])

    @property
    def event(self) -> dict[str, Any]:
        return dict(self.frame["params"]["event"])

    @property
    def data(self) -> dict[str, Any]:
        return dict(self.event["data"])

    @property
    def delivery(self) -> dict[str, Any]:
        return dict(self.frame["params"]["delivery"])

    async def write(self, text: str) -> None:
        """Have the puppet write `text` to its stdout as it is."""
        await self._order(write=text)

    async def answer(self, **members: object) -> None:
        reply = {"jsonrpc": "2.0", "id": self.frame["id"], **members}
        await self.write(json.dumps(reply) + "\n")

    async def succeed(self) -> None:
        await self.answer(result={})

    async def fail(self, code: int = 500, **data: object) -> None:
        await self.answer(error={"code": code, "message": "as told", "data": data})

    async def exit(self, status: int) -> None:
        await self._order(exit=status)

    async def kill(self, number: signal.Signals = signal.SIGKILL) -> None:
        await self._order(kill=int(number))

    async def _order(self, **order: object) -> None:
        await self._stream.send_all(json.dumps(order).encode() + b"\n")


@dataclass(eq=False)
class Host:
    """A running `hydra-notify`."""

    process: trio.Process
    log: list[str] = field(default_factory=list)
    _grown: trio.Event = field(default_factory=trio.Event)

    async def logged(self, words: str, times: int = 1) -> str:
        """The first line of the log that holds `words`, or the `times`-th."""
        with trio.fail_after(PATIENCE):
            while True:
                lines = [line for line in self.log if words in line]
                if len(lines) >= times:
                    return lines[times - 1]
                await self._grown.wait()

    async def terminate(self) -> int:
        """SIGTERM; its exit status."""
        self.process.terminate()
        return await self.ended()

    async def ended(self) -> int:
        """The exit status, when it has ended."""
        with trio.fail_after(PATIENCE):
            return await self.process.wait()

    async def kill(self) -> None:
        """SIGKILL, and be gone."""
        self.process.kill()
        await self.process.wait()

    async def follow(self) -> None:
        """Read the log until it ends."""
        assert self.process.stderr is not None
        rest = b""
        async for chunk in self.process.stderr:
            *lines, rest = (rest + chunk).split(b"\n")
            self.log += [line.decode("utf-8", "replace") for line in lines]
            self._grown.set()
            self._grown = trio.Event()


@dataclass(eq=False)
class Stage:
    """What a play needs."""

    url: str
    directory: Path
    hydra: Hydra
    nursery: trio.Nursery
    watcher: Connection
    host: Host | None = None
    hosts: list[Host] = field(default_factory=list)
    program: Sequence[str] = PROGRAM
    plugins: dict[str, dict[str, object]] = field(default_factory=dict)
    http: dict[str, object] = field(default_factory=dict)
    _frames: dict[str, list[Frame]] = field(default_factory=lambda: defaultdict(list))
    _arrived: trio.Event = field(default_factory=trio.Event)

    @property
    def socket(self) -> Path:
        return self.directory / "stage"

    def puppet(
        self,
        name: str,
        manifest: dict[str, object] | bool | None = None,
        **keys: object,
    ) -> None:
        """Put a puppet into the configuration; `keys` are of its table."""
        settings: dict[str, object] = {"socket": str(self.socket)}
        if manifest is not None:
            settings["manifest"] = manifest
        command = [sys.executable, "-I", str(PUPPET)]
        self.plugins[name] = {"command": command, "settings": settings, **keys}

    def limit(self, **limits: float) -> None:
        """Have hosts start with other limits, so that a test need not wait so long."""
        self.program = program_with(limits)

    def write_config(self) -> Path:
        path = self.directory / "hydra-notify.toml"
        config = {
            "database": {"url": self.url},
            "host": {
                "base_url": "https://hydra.test",
                "state_dir": str(self.directory / "state"),
            },
            "http": self.http,
            "plugins": self.plugins,
        }
        path.write_text(tomli_w.dumps(config))
        return path

    async def start_host(
        self,
        *arguments: str,
        program: Sequence[str] | None = None,
        stderr: int = subprocess.PIPE,
    ) -> Host:
        """Start the host; it is not ready yet."""
        self.host = await start_host(
            self.nursery,
            self.write_config(),
            *arguments,
            program=program or self.program,
            stderr=stderr,
        )
        self.hosts.append(self.host)
        return self.host

    async def reload(self, host: Host, text: str | None = None) -> None:
        """Have `host` read the plugins as they are now, or `text`; it is done."""
        path = self.write_config()
        if text is not None:
            path.write_text(text)
        done = "reloaded: "
        times = sum(done in line for line in host.log)
        host.process.send_signal(signal.SIGHUP)
        await host.logged(done, times + 1)

    async def start_inside(self, sweep_interval: float) -> Counts:
        """Run the host in this process, sweeping more often than it otherwise does."""
        counts = Counts()
        config = read_config(self.write_config(), environ=os.environ)
        daemon = Daemon(config, counts, sweep_interval=sweep_interval)
        self.nursery.start_soon(daemon.serve)
        for name, plugin in self.plugins.items():
            settings = plugin.get("settings")
            if isinstance(settings, dict) and "socket" in settings:
                await self.frame(name)
        return counts

    async def listening(self) -> Host:
        """Start the host and wait until it listens and every puppet is ready."""
        host = await self.start_host()
        await host.logged("listening")
        for name, plugin in self.plugins.items():
            settings = plugin.get("settings")
            if isinstance(settings, dict) and "socket" in settings:
                await host.logged(f"{name}: ready")
        await self._first_sweep()
        return host

    async def _first_sweep(self) -> None:
        """Wait until the host has looked for what an earlier one may have left.

        Builds that end while it looks would be taken for that. Where Postgres is not to
        let it look there is nothing to wait for.
        """
        with trio.move_on_after(FIRST_SWEEP):
            while True:
                # It may be about to change hands.
                with suppress(OSError, AssertionError, *GONE, h11.ProtocolError):
                    answer = await ask(self.directory / "state" / SOCKET_NAME, STATUS)
                    if b'"looked_at":null' not in answer.body:
                        return
                await trio.sleep(0.01)

    async def frame(
        self, plugin: str, wanted: Callable[[Frame], bool] = lambda _: True
    ) -> Frame:
        """The next frame to `plugin` that is wanted; it is taken."""
        with trio.fail_after(PATIENCE):
            while True:
                for frame in self._frames[plugin]:
                    if wanted(frame):
                        self._frames[plugin].remove(frame)
                        return frame
                await self._arrived.wait()

    async def event(self, plugin: str) -> Frame:
        """The next event to `plugin`."""
        return await self.frame(plugin, lambda frame: frame.method == "event")

    async def one_build(self, *plugins: str) -> tuple[int, list[Frame]]:
        """A build that finishes, and its event as each of `plugins` receives it."""
        (build,) = queue_builds(self.hydra)
        finish_build(self.hydra, build)
        return build, [await self.event(plugin) for plugin in plugins]

    def events_waiting(self, plugin: str) -> list[Frame]:
        """Events that have arrived at `plugin` and were not taken yet."""
        return [frame for frame in self._frames[plugin] if frame.method == "event"]

    async def cleared(self, *builds: int) -> None:
        """Return when the flags of `builds` are cleared."""
        with trio.fail_after(PATIENCE):
            for build in builds:
                while self.flag(build) is not None:
                    await self._flags_changed()

    async def all_cleared(self, patience: float = PATIENCE) -> None:
        """Return when no flag is set."""
        with trio.fail_after(patience):
            while self.pending():
                await self._flags_changed()

    def create_ledger(self) -> None:
        """What an operator does with `hydra-notify ledger create`."""
        ledger.create(self.watcher)
        self.announce_ledger()

    def announce_ledger(self) -> None:
        """Have `until` hear of the ledger, too."""
        self.watcher.execute(ANNOUNCE_LEDGER)

    def ledger(self) -> list[tuple[str, str, str]]:
        """Event, plugin and standing of all deliveries in the ledger."""
        return self.watcher.execute(LEDGER).fetchall()

    async def until(self, true: Callable[[], bool]) -> None:
        """Return when flags or ledger have become so."""
        with trio.fail_after(PATIENCE):
            while not true():
                await self._flags_changed()

    async def _flags_changed(self) -> None:
        """Return when there may be something else to see than before.

        What arrives right behind the reply to a question stays in libpq's memory, and
        its socket is silent: so whoever waits looks again soon in any case.
        """
        if not list(self.watcher.notifies(timeout=0)):
            with trio.move_on_after(LOOK_AGAIN):
                await trio.lowlevel.wait_readable(self.watcher.fileno())

    def flag(self, build: int) -> int | None:
        row = self.watcher.execute(FLAG, (build,)).fetchone()
        assert row is not None
        value: int | None = row[0]
        return value

    def pending(self) -> int:
        row = self.watcher.execute(PENDING).fetchone()
        assert row is not None
        count: int = row[0]
        return count

    async def serve_puppet(self, stream: trio.SocketStream) -> None:
        """Take what one puppet says until it ends."""
        rest = b""
        async with stream:
            try:
                async for chunk in stream:
                    *lines, rest = (rest + chunk).split(b"\n")
                    for line in lines:
                        told = json.loads(line)
                        name = told["plugin"]
                        frame = Frame(name, told["pid"], told["frame"], stream)
                        self._frames[name].append(frame)
                    self._arrived.set()
                    self._arrived = trio.Event()
            except trio.BrokenResourceError:
                return


async def start_host(
    nursery: trio.Nursery,
    config: Path,
    *arguments: str,
    program: Sequence[str] = PROGRAM,
    stderr: int = subprocess.PIPE,
) -> Host:
    """Start a host; its log is read in `nursery` unless it goes elsewhere."""
    process: trio.Process = await trio.lowlevel.open_process(
        [*program, "run", "--config", str(config), *arguments],
        stderr=stderr,
        env={**os.environ, "PYTHONWARNINGS": "default"},
    )
    host = Host(process)
    if process.stderr is not None:
        nursery.start_soon(host.follow)
    return host


@asynccontextmanager
async def stage_at(url: str, directory: Path) -> AsyncGenerator[Stage]:
    """A stage on a database that has Hydra's schema; ends all that was started."""
    with open_hydra(url) as hydra, connect(url, application_name="stage") as watcher:
        watcher.execute(ANNOUNCE_CLEARED)
        watcher.execute("listen flags_changed")
        async with trio.open_nursery() as nursery:
            stage = Stage(url, directory, hydra, nursery, watcher)
            socket = trio.socket.socket(trio.socket.AF_UNIX)
            await socket.bind(str(stage.socket))
            socket.listen()
            listener = trio.SocketListener(socket)
            serve = partial(trio.serve_listeners, stage.serve_puppet, [listener])
            await nursery.start(serve)
            try:
                yield stage
            finally:
                # A test that fails is not seen here. pytest shows it if one has.
                for host in stage.hosts:
                    print("\n".join(host.log[-60:]))  # noqa: T201
                for host in stage.hosts:
                    if host.process.poll() is None:
                        with trio.CancelScope(shield=True):
                            await host.kill()
                nursery.cancel_scope.cancel()


async def gone(pid: int) -> None:
    """Return when a process that is not our child has ended."""
    try:
        descriptor = os.pidfd_open(pid)
    except ProcessLookupError:
        return
    with trio.fail_after(PATIENCE):
        await trio.lowlevel.wait_readable(descriptor)
    os.close(descriptor)
