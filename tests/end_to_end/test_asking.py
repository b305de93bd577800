"""A host is asked how it is, whatever it does at the moment."""

import json
import signal
from typing import Any

import pytest
import trio
from tests.end_to_end.stage import PROGRAM, Stage, start_host
from tests.http_asking import Address, ask, connected, free_port

from hydra_notify.config import NetworkAddress
from hydra_notify.http import SOCKET_NAME

NOBODY = {"Host": "scraped.internal"}


def listen(stage: Stage) -> NetworkAddress:
    """Have the next host, or the next reload, listen at a port of its own."""
    address = free_port()
    stage.http["listen"] = str(address)
    return address


async def readiness(address: Address) -> tuple[int, dict[str, Any], set[str]]:
    """The status and body of `/readyz`, and the names of its reasons."""
    answer = await ask(address, "/readyz", NOBODY)
    body = json.loads(answer.body)
    return answer.status, body, {reason["name"] for reason in body["reasons"]}


async def trace(stage: Stage) -> str:
    """What `plugin trace` says that cannot show anything."""
    config = str(stage.directory / "hydra-notify.toml")
    done = await trio.run_process(
        [*PROGRAM, "plugin", "trace", "one", "--config", config],
        capture_stderr=True,
        check=False,
    )
    assert done.returncode == 1
    return done.stderr.decode()


async def test_a_host_that_delivers_is_ready_and_says_what_could_be_better(
    stage: Stage,
) -> None:
    stage.puppet("one")
    address = listen(stage)
    host = await stage.listening()
    await host.logged(f"HTTP: http://{address}/")
    healthy = await ask(address, "/healthz", NOBODY)
    assert (healthy.status, healthy.body) == (200, b'{"status": "ok"}\n')
    status, body, names = await readiness(address)
    assert (status, body["ready"], body["role"]) == (200, True, "active")
    assert names == {"ledger-missing"}
    assert "hydra-notify ledger create" in body["reasons"][0]["fix"]
    own = await readiness(stage.directory / "state" / SOCKET_NAME)
    assert own == (status, body, names)
    # What plugins are told is not for everybody.
    assert (await ask(address, "/plugins/one/frames")).status == 404


async def test_a_reload_moves_the_address_and_a_bad_one_is_a_reason(
    stage: Stage,
) -> None:
    old = listen(stage)
    host = await stage.listening()
    async with connected(old) as looking:
        assert (await looking.ask("/healthz")).status == 200
        new = listen(stage)
        await stage.reload(host)
        assert (await ask(new, "/healthz")).status == 200
        assert await looking.is_closed()
    with pytest.raises(OSError, match=r"refused|all attempts"):
        await trio.open_tcp_stream(old.host, old.port)
    (stage.directory / "hydra-notify.toml").write_text("nonsense")
    host.process.send_signal(signal.SIGHUP)
    await host.logged("the old configuration stays")
    status, _, names = await readiness(new)
    assert status == 200
    assert "config-reload-failed" in names
    await stage.reload(host)
    assert "config-reload-failed" not in (await readiness(new))[2]
    assert len([line for line in host.log if "starting over" in line]) == 0


async def test_a_standby_can_be_asked_and_commands_lead_to_the_active_host(
    stage: Stage,
) -> None:
    stage.limit(SELF_PING_INTERVAL=0.2, STANDBY_RETRY=0.1, SOCKET_RETRY=0.05)
    own = stage.directory / "state" / SOCKET_NAME
    first = listen(stage)
    active = await stage.listening()
    second = listen(stage)
    standby = await stage.start_host()
    await standby.logged("standby: another host is active")
    status, body, names = await readiness(second)
    assert (status, body["ready"], names) == (503, False, {"standby"})
    assert (await ask(second, "/healthz")).status == 200
    assert (await readiness(own))[1]["role"] == "active"
    assert (await readiness(first))[0] == 200
    assert await active.terminate() == 0
    await standby.logged("active")
    while (await readiness(own))[1]["role"] != "active":
        await trio.lowlevel.checkpoint()
    assert (await readiness(second))[0] == 200


async def test_a_host_without_a_database_can_be_asked_and_stops_at_once(
    stage: Stage,
) -> None:
    stage.puppet("one")
    address = listen(stage)
    nowhere = free_port()
    path = stage.write_config()
    text = path.read_text().replace(
        stage.url, f"postgresql://{nowhere.host}:{nowhere.port}/hydra"
    )
    path.write_text(text)
    host = await start_host(stage.nursery, path)
    await host.logged("waiting for Hydra's database")
    status, body, names = await readiness(address)
    assert (status, body["role"], names) == (503, "starting", {"starting"})
    assert (await ask(address, "/healthz")).status == 200
    said = await trace(stage)
    assert "there are no plugins now: the host waits for Hydra's database" in said
    assert await host.terminate() == 0
