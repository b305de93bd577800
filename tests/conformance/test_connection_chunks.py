"""Hydra: the tests within crates/db/src/connection.rs, on long lists of dependents."""

from tests.conformance.upstream import parsed
from tests.ear import listening

from hydra_notify.demo.simulation.hydra import Hydra
from hydra_notify.demo.simulation.queue_runner import notify_build_finished
from hydra_notify.events import BuildFinished

HEAD = 42

DEPENDENTS = range(1_000_000, 1_005_000)


async def test_five_thousand_dependents_come_in_pieces_and_none_is_missing(
    database_url: str, hydra: Hydra
) -> None:
    async with listening(database_url) as ear:
        sent = notify_build_finished(hydra, HEAD, DEPENDENTS)
        assert len(sent) > 1
        assert all(len(each.payload) <= 8_000 for each in sent)
        await ear.until_heard(len(sent))
        events = [parsed(each.channel, each.payload) for each in ear.heard]
    dependents: list[int] = []
    for event in events:
        assert isinstance(event, BuildFinished)
        assert event.build == HEAD
        dependents += event.dependents
    assert dependents == list(DEPENDENTS)
