"""What `hydra-notify doctor` sees of a database behind pgbouncer."""

import pytest
from tests.end_to_end.stage import Stage
from tests.faults.pooler import pooler

from hydra_notify.demo.server.postgres import Server
from hydra_notify.doctor import database
from hydra_notify.doctor.check import Mark


async def test_a_pooler_is_a_failure_where_it_loses_listen(
    tcp_stage: Stage, tcp_server: Server, monkeypatch: pytest.MonkeyPatch
) -> None:
    name = tcp_stage.watcher.info.dbname
    with pooler(tcp_server, "session") as running:
        found = await database.survey(running.url(name))
        assert [each.words for each in found.checks if each.mark is Mark.FAIL] == []
        assert any("a pooler is in between" in each.words for each in found.checks)
        monkeypatch.setattr(database, "HEAR_LIMIT", 0.3)
        running.change("transaction")
        found = await database.survey(running.url(name))
        (failed,) = (each for each in found.checks if each.mark is Mark.FAIL)
        assert failed.words.startswith("LISTEN does not work: ")
        assert "past the pooler" in failed.fix
