"""Hydra: t/Hydra/PostgresListener.t, on a real server."""

from tests.ear import listening
from trio.testing import wait_all_tasks_blocked

from hydra_notify.database import Connection
from hydra_notify.events import Notification
from hydra_notify_sdk.wire import CHANNELS


def notify(connection: Connection, channel: str, payload: str) -> None:
    connection.execute("select pg_notify(%s, %s)", (channel, payload))


async def test_without_a_message_there_is_none(database_url: str) -> None:
    async with listening(database_url) as ear:
        for _ in range(3):
            await wait_all_tasks_blocked()
            assert ear.heard == []


async def test_a_message_has_its_channel_and_its_payload_and_comes_once(
    database_url: str, connection: Connection
) -> None:
    async with listening(database_url) as ear:
        notify(connection, "build_finished", "hi")
        await ear.until_heard(1)
        await wait_all_tasks_blocked()
        assert ear.heard == [Notification("build_finished", "hi")]


async def test_it_waits_until_a_message_comes(
    database_url: str, connection: Connection
) -> None:
    """However long: here retries have waits of their own, so none has a timeout."""
    async with listening(database_url) as ear:
        await wait_all_tasks_blocked()
        notify(connection, "build_started", "1")
        await ear.until_heard(1)


async def test_unlike_hydra_the_channels_are_those_of_events_and_no_others(
    database_url: str, connection: Connection
) -> None:
    """Nobody chooses them, so no name has to be made safe."""
    channels = (*CHANNELS, "hydra_notify_dump_metrics")
    async with listening(database_url) as ear:
        for channel in ("odd; name!", "step_started", *channels):
            notify(connection, channel, "hi")
        await ear.until_heard(len(channels))
        assert ear.heard == [Notification(channel, "hi") for channel in channels]
