"""What a burst costs, counted: not how long anything takes, which no test can say.

The bounds are a little above what was measured when they were written. Whoever passes
one has made every delivery dearer, and says why, or finds another way.
"""

import cProfile
import json
import re
import tracemalloc
from collections.abc import AsyncGenerator, Generator, Iterator
from contextlib import asynccontextmanager, contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from types import CodeType

import pytest
import trio
from tests.state_machine.host import plugin

import hydra_notify
from hydra_notify.config import HostConfig
from hydra_notify.database import Connection, Database, connect
from hydra_notify.delivery import Delivery
from hydra_notify.dispatcher import Dispatcher, PostgresStore
from hydra_notify.events import Notification
from hydra_notify.metrics import Counts
from hydra_notify.session import Ready, Session
from hydra_notify_sdk.wire import HostInfo, InitializeParams

PATIENCE = 30.0

EVENTS = 500
"""One batch: what is done once for each batch weighs as it does in a burst."""

OURS = str(Path(hydra_notify.__file__).parent)

SEED = """
insert into builds (id, finished, timestamp, jobset_id, job, nixname, drvpath, system,
                    starttime, stoptime, buildstatus, iscachedbuild,
                    notificationpendingsince)
select n, 1, 1, 1, 'job', 'job-1', '/nix/store/x.drv', 'x86_64-linux', 1, 2, 0, 0, 3
from generate_series(1, %s) n
"""

HELLO = InitializeParams(
    protocol_versions=[1],
    host=HostInfo(name="h", version="1", base_url="https://h", hydra_data="/h"),
    instance="p",
    config={},
    state_dir="/s",
)

MANIFEST = {
    "protocol_version": 1,
    "name": "p",
    "version": "1",
    "events": ["build_finished"],
    "max_in_flight": 16,
}


@dataclass
class Stage:
    """A dispatcher on a database, and as many plugins as are asked for.

    Attributes:
        frames: Bytes sent to plugins beside the events themselves.
    """

    dispatcher: Dispatcher
    counts: Counts
    sessions: dict[str, Session[Delivery]] = field(default_factory=dict)
    frames: int = 0

    def greet(self, name: str) -> None:
        self.dispatcher.roster.add(plugin(name))
        session: Session[Delivery] = Session(HELLO, nonce="n", now=trio.current_time())
        session.open()
        answer = {"jsonrpc": "2.0", "id": "i0-n", "result": MANIFEST}
        line = json.dumps(answer).encode() + b"\n"
        (ready,) = session.receive(line, trio.current_time())
        assert isinstance(ready, Ready)
        self.dispatcher.greet(name, ready.manifest)
        self.sessions[name] = session

    def announce(self) -> None:
        self.dispatcher.receive(
            Notification("build_finished", str(build)) for build in range(1, EVENTS + 1)
        )

    def converse(self, name: str) -> int:
        """One turn with a plugin that says yes; the number of events it was sent."""
        session = self.sessions[name]
        batch = self.dispatcher.take(name, session.room)
        if not batch:
            return 0
        now = trio.current_time()
        sent = session.send(batch, now)
        self.frames += len(sent) - sum(len(each.payload) for each in batch)
        replies = [
            b'{"jsonrpc":"2.0","id":"%b","result":{}}\n' % name
            for name in re.findall(rb'^\{"jsonrpc":"2.0","id":"(.+?)"', sent, re.M)
        ]
        done = session.acknowledged(b"".join(replies), now)
        assert done == batch
        self.dispatcher.delivered(name, done)
        return len(batch)

    async def converse_until_cleared(self) -> None:
        with trio.fail_after(PATIENCE):
            while self.counts.cleared < EVENTS:
                if not sum(map(self.converse, self.sessions)):
                    await trio.sleep(0.01)

    async def until_ready(self) -> None:
        """Return when every delivery waits for nothing but to be taken."""
        with trio.fail_after(PATIENCE):
            while self.counts.events["build_finished"] < EVENTS:  # noqa: ASYNC110
                await trio.sleep(0.01)


@pytest.fixture
def connection(database_url: str) -> Iterator[Connection]:
    with connect(database_url) as connection:
        connection.execute(SEED, (EVENTS,))
        yield connection


@asynccontextmanager
async def stage(url: str, plugins: int) -> AsyncGenerator[Stage]:
    counts, database = Counts(), Database(url)
    store = PostgresStore(database, database, "test")
    dispatcher = Dispatcher(
        HostConfig(), store, counts, lambda: None, lambda: 0.5, sweep_interval=3600.0
    )
    made = Stage(dispatcher, counts)
    for number in range(plugins):
        made.greet(f"p{number}")
    async with trio.open_nursery() as nursery:
        # Ends with the test.
        nursery.start_soon(dispatcher.run)
        await dispatcher.recovered.wait()
        yield made
        nursery.cancel_scope.cancel()
    await database.close()


@contextmanager
def counted_calls() -> Generator[list[int]]:
    """How often functions of the host are called, in this thread."""
    profile = cProfile.Profile()
    calls = [0]
    profile.enable()
    try:
        yield calls
    finally:
        profile.disable()
    for entry in profile.getstats():
        if isinstance(entry.code, CodeType) and entry.code.co_filename.startswith(OURS):
            calls[0] += entry.callcount


async def calls_of_a_burst(url: str, plugins: int) -> int:
    async with stage(url, plugins) as made:
        with counted_calls() as calls:
            made.announce()
            await made.converse_until_cleared()
    return calls[0]


@pytest.mark.usefixtures("connection")
async def test_a_delivery_costs_few_calls_of_functions(database_url: str) -> None:
    calls = await calls_of_a_burst(database_url, plugins=8)
    assert calls / (8 * EVENTS) < 16


async def test_an_event_costs_few_calls_beside_its_deliveries(
    database_url: str, connection: Connection
) -> None:
    one = await calls_of_a_burst(database_url, plugins=1)
    connection.execute("update builds set notificationpendingsince = 3")
    nine = await calls_of_a_burst(database_url, plugins=9)
    delivery = (nine - one) / (8 * EVENTS)
    event = one / EVENTS - delivery
    assert delivery < 9
    assert event < 55


@pytest.mark.usefixtures("connection")
async def test_a_delivery_that_waits_for_its_turn_takes_little_memory(
    database_url: str,
) -> None:
    taken = []
    for plugins in (1, 9):
        async with stage(database_url, plugins) as made:
            tracemalloc.start()
            made.announce()
            await made.until_ready()
            taken.append(tracemalloc.get_traced_memory()[0])
            tracemalloc.stop()
    one, nine = taken
    assert (nine - one) / (8 * EVENTS) < 100


@pytest.mark.usefixtures("connection")
async def test_a_frame_is_the_event_and_little_else(database_url: str) -> None:
    async with stage(database_url, plugins=1) as made:
        made.announce()
        await made.converse_until_cleared()
    assert made.frames / EVENTS < 180
