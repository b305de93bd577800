"""A plugin's lives, with real processes and a clock that runs faster than ours."""

import logging
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
import trio
import trio.testing

from hydra_notify.config import parse_config
from hydra_notify.database import Database
from hydra_notify.dispatcher import Dispatcher, PostgresStore
from hydra_notify.limits import FLAPPING_CRASHES, RESTART_CAP
from hydra_notify.metrics import Counts, PluginCounts, PluginState
from hydra_notify.supervisor import Supervisor, Tap

FASTER = 20.0
"""A minute in three seconds; a process has half a second of ours for a start."""

CONFIG = f"""
[plugins.bad]
command = ["{sys.executable}", "-I", "-S", "-c", "raise SystemExit(3)"]
"""


class Restarts(logging.Handler):
    """Hears the delays that are announced."""

    def __init__(self) -> None:
        super().__init__()
        self.delays: list[float] = []
        self.changed = trio.Event()

    def emit(self, record: logging.LogRecord) -> None:
        text = record.getMessage()
        if "starting it again in " in text:
            self.delays.append(float(text.rpartition(" in ")[2].removesuffix(" s")))
            self.changed.set()
            self.changed = trio.Event()


@pytest.fixture
def restarts() -> Iterator[Restarts]:
    restarts = Restarts()
    logger = logging.getLogger("hydra_notify.supervisor.supervisor")
    logger.addHandler(restarts)
    yield restarts
    logger.removeHandler(restarts)


def supervised(directory: Path, text: str = CONFIG) -> tuple[Supervisor, PluginCounts]:
    """A supervisor of a plugin, which mostly crashes at once, and its counts."""
    config = parse_config(
        text, directory=directory, environ={"STATE_DIRECTORY": str(directory)}
    )
    counts = Counts()
    store = PostgresStore(Database("unused"), Database("unused"), "test")
    dispatcher = Dispatcher(config.host, store, counts, lambda: None, lambda: 0.5)
    dispatcher.roster.add(config.plugins["bad"])
    plugin = counts.plugin("bad")
    supervisor = Supervisor(
        config.plugins["bad"], config.host, dispatcher, plugin, lambda: 0.5, Tap()
    )
    return supervisor, plugin


async def test_a_plugin_that_crashes_six_times_in_a_minute_is_flapping_and_probed(
    tmp_path: Path, mock_clock: trio.testing.MockClock, restarts: Restarts
) -> None:
    supervisor, plugin = supervised(tmp_path)
    states: list[PluginState] = []
    mock_clock.rate = FASTER
    async with trio.open_nursery() as nursery:
        nursery.start_soon(supervisor.run)
        with trio.fail_after(60 * FASTER):
            while len(states) < FLAPPING_CRASHES + 2:
                await restarts.changed.wait()
                states.append(plugin.state)
        nursery.cancel_scope.cancel()
    assert restarts.delays[:5] == [1, 2, 4, 8, 16]
    # Never given up: once a minute it is tried again.
    assert restarts.delays[5:] == [RESTART_CAP, RESTART_CAP]
    assert states[:5] == [PluginState.BACKOFF] * 5
    assert states[5:] == [PluginState.FLAPPING] * 2
    assert plugin.ends == {"crash": FLAPPING_CRASHES + 2}


async def test_a_plugin_in_backoff_stops_at_once(
    tmp_path: Path, restarts: Restarts
) -> None:
    supervisor, plugin = supervised(tmp_path)
    async with trio.open_nursery() as nursery:
        nursery.start_soon(supervisor.run)
        with trio.fail_after(20):
            await restarts.changed.wait()
            await supervisor.stop()
    assert plugin.state is PluginState.STOPPED
    assert plugin.starts == 1


TELLS_WHY = """
import json, sys
for line in sys.stdin:
    frame = json.loads(line)
    result = {}
    if frame["method"] == "initialize":
        result = {"protocol_version": 1, "name": "x", "version": "1", "events": []}
    if frame["method"] == "shutdown":
        print("why:", frame["params"]["reason"], file=sys.stderr)
    print(json.dumps({"jsonrpc": "2.0", "id": frame["id"], "result": result}))
"""


class Heard(logging.Handler):
    """Waits for words in the log."""

    def __init__(self) -> None:
        super().__init__()
        self.lines: list[str] = []
        self.changed = trio.Event()

    def emit(self, record: logging.LogRecord) -> None:
        self.lines.append(record.getMessage())
        self.changed.set()
        self.changed = trio.Event()

    async def wait(self, words: str) -> None:
        with trio.fail_after(20):
            while not any(words in line for line in self.lines):
                await self.changed.wait()


@pytest.fixture
def heard() -> Iterator[Heard]:
    heard = Heard()
    logger = logging.getLogger("hydra_notify")
    level = logger.level
    logger.setLevel(logging.INFO)
    logger.addHandler(heard)
    yield heard
    logger.removeHandler(heard)
    logger.setLevel(level)


async def test_a_plugin_is_told_why_it_is_stopped_and_rotated_secrets_are_noticed(
    tmp_path: Path, heard: Heard
) -> None:
    secret, program = tmp_path / "token", tmp_path / "plugin.py"
    await trio.Path(secret).write_text("hunter22\n")
    await trio.Path(program).write_text(TELLS_WHY)
    text = f"""
[plugins.bad]
command = ["{sys.executable}", "-u", "-I", "{program}"]
secrets.token = {{ file = "{secret}" }}
"""
    supervisor, plugin = supervised(tmp_path, text)
    assert not supervisor.secrets_changed()
    async with trio.open_nursery() as nursery:
        nursery.start_soon(supervisor.run)
        await heard.wait("ready (x")
        assert plugin.program == "x 1"
        assert plugin.pid is not None
        assert plugin.started_at is not None
        assert not supervisor.secrets_changed()
        await trio.Path(secret).write_text("hunter23\n")
        assert supervisor.secrets_changed()
        await trio.Path(secret).unlink()
        assert not supervisor.secrets_changed()
        await heard.wait("goes on with the secrets it has")
        await supervisor.stop("reload")
    await heard.wait("why: reload")
    assert plugin.state is PluginState.STOPPED
    assert not any("hunter2" in line for line in heard.lines)


SAYS_AND_ENDS = """
import json, sys
secrets = json.loads(sys.stdin.readline())["params"]["secrets"]
print("log in with", secrets["token"], file=sys.stderr)
"""


async def test_the_end_of_stderr_is_kept_masked_over_restarts_with_when_it_failed(
    tmp_path: Path, restarts: Restarts, heard: Heard
) -> None:
    program, secret, pin = (tmp_path / name for name in ("plugin.py", "token", "pin"))
    await trio.Path(program).write_text(SAYS_AND_ENDS)
    await trio.Path(secret).write_text("hunter22")
    await trio.Path(pin).write_text("123")
    supervisor, plugin = supervised(
        tmp_path,
        f'[plugins.bad]\ncommand = ["{sys.executable}", "-I", "-S", "{program}"]\n'
        f'secrets.token = {{ file = "{secret}" }}\n'
        f'secrets.pin = {{ file = "{pin}" }}\n',
    )
    async with trio.open_nursery() as nursery:
        nursery.start_soon(supervisor.run)
        with trio.fail_after(20):
            while len(restarts.delays) < 2:
                await restarts.changed.wait()
        next_start_at = plugin.next_start_at
        nursery.cancel_scope.cancel()
    assert list(plugin.tail) == ["log in with ***"] * 2
    short = "shorter than 4 characters, and so masked nowhere: secrets.pin"
    assert heard.lines.count(short) == 1
    assert plugin.last_error_at is not None
    assert next_start_at is not None
    assert next_start_at > plugin.last_error_at
    assert plugin.pid is None
    assert plugin.started_at is None
