"""Where the host can be asked, over all its terms and configurations."""

import logging
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from pathlib import Path

import msgspec
import pytest
import trio
from tests.http_asking import PATIENCE, ask, connected, free_port

from hydra_notify.config import Config, NetworkAddress, SecretSource, parse_config
from hydra_notify.daemon.letters import Letters
from hydra_notify.daemon.now import Now
from hydra_notify.daemon.pages import pages
from hydra_notify.daemon.site import Site
from hydra_notify.daemon.watch import Watch
from hydra_notify.http import SOCKET_NAME, Reply, Request, Route
from hydra_notify.metrics import Counts, Role

BEARER = {"Authorization": "Bearer token"}


async def news(_: Request, reply: Reply) -> None:
    async with reply.events():
        await trio.sleep_forever()


async def act(_: Request, reply: Reply) -> None:
    await reply.text("done")


ROUTES = [Route("/news", news), Route("/act", act, "POST", acts=True)]


@pytest.fixture
def now(tmp_path: Path) -> Now:
    text = f'[host]\nstate_dir = "state"\n[http]\nlisten = "{free_port()}"'
    config = parse_config(text, directory=tmp_path, environ={})
    return Now(config, Counts(), lambda: "")


def with_http(config: Config, **keys: object) -> Config:
    http = msgspec.structs.replace(config.http, **keys)
    return msgspec.structs.replace(config, http=http)


@asynccontextmanager
async def running(now: Now) -> AsyncGenerator[Site]:
    site = Site(now, [*pages(now, Watch(now), Letters(now)), *ROUTES])
    async with trio.open_nursery() as nursery:
        nursery.start_soon(site.run)
        yield site
        nursery.cancel_scope.cancel()


def address_of(now: Now) -> NetworkAddress:
    address = now.config.http.address
    assert isinstance(address, NetworkAddress)
    return address


async def test_names_and_token_are_taken_up_without_a_new_connection(
    now: Now, tmp_path: Path
) -> None:
    (tmp_path / "token").write_text("token")
    address = address_of(now)
    async with running(now) as site, connected(address) as client:
        ours = {"Host": "ci.example.org"}
        assert (await client.ask("/healthz")).status == 200
        async with connected(address) as other:
            assert (await other.ask("/act", BEARER, method="POST")).status == 403
        assert (await ask(address, "/news", ours)).status == 421
        token = SecretSource(file=tmp_path / "token")
        now.config = with_http(now.config, token=token, hosts=("ci.example.org",))
        site.change()
        assert (await client.ask("/act", BEARER, method="POST")).status == 200
        head = await client.ask("/news", ours, method="HEAD")
        assert head.status == 200


async def test_without_an_address_there_is_the_hosts_own_socket_alone(
    now: Now,
) -> None:
    address = address_of(now)
    now.config = with_http(now.config, listen="")
    async with running(now) as site:
        own = now.config.host.state_dir / SOCKET_NAME
        assert (await ask(own, "/healthz")).status == 200
        with pytest.raises(OSError, match=r"all attempts|refused"):
            await trio.open_tcp_stream(address.host, address.port)
        now.config = with_http(now.config, listen=str(address))
        site.change()
        assert (await ask(address, "/healthz")).status == 200


async def test_a_stop_is_not_delayed_by_who_looks_on(now: Now) -> None:
    own = now.config.host.state_dir / SOCKET_NAME
    async with (
        running(now) as site,
        connected(address_of(now)) as one,
        connected(own) as other,
    ):
        for client in (one, other):
            await client.send("/news")
            await client.head()
        with trio.fail_after(PATIENCE):
            await site.finish()
        assert await one.is_closed()
        assert await other.is_closed()


async def test_what_stands_still_is_told_to_who_watches(now: Now) -> None:
    now.stuck = lambda: "clearing flags"
    now.counts.role, now.counts.listening = Role.ACTIVE, True
    async with running(now):
        answer = await ask(address_of(now), "/healthz")
        assert answer.status == 503
        assert answer.body == b'{"status": "stuck", "reason": "clearing flags"}\n'
        ready = await ask(address_of(now), "/readyz")
    assert (ready.status, b'"name": "stuck"' in ready.body) == (503, True)


@pytest.mark.parametrize(
    ("role", "stopping", "words"),
    [
        (Role.STANDBY, False, "another one is active"),
        (Role.STARTING, False, "waits for Hydra's database"),
        (Role.ACTIVE, True, "the host stops"),
    ],
)
async def test_where_there_are_no_plugins_it_is_said_why(
    now: Now, role: Role, stopping: bool, words: str
) -> None:
    now.counts.role, now.stopping = role, stopping
    async with running(now):
        own = now.config.host.state_dir / SOCKET_NAME
        answer = await ask(own, "/plugins/one/frames")
    assert answer.status == 404
    assert words in answer.body.decode()


async def test_an_address_for_all_the_world_is_warned_of(
    now: Now, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.INFO)
    port = address_of(now).port
    now.config = with_http(now.config, listen=f"0.0.0.0:{port}")
    async with running(now):
        assert (await ask(free_port()._replace(port=port), "/healthz")).status == 200
    (warning,) = (each for each in caplog.records if each.levelname == "WARNING")
    assert "nothing is encrypted" in warning.getMessage()
