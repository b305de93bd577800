"""Where the host listens, and why it does not."""

import socket
import stat
from pathlib import Path

import pytest
import trio
import trio.testing
from tests.http_asking import (
    PATIENCE,
    ask,
    free_port,
)
from tests.http_pages import Pages, served

from hydra_notify.config import NetworkAddress, UnixAddress
from hydra_notify.http import Listen, Server
from hydra_notify.limits import (
    SOCKET_RETRY,
)


async def test_a_socket_of_the_file_system_is_its_groups(tmp_path: Path) -> None:
    path = tmp_path / "run" / "http.sock"
    async with served(UnixAddress(path)) as (address, _, _):
        assert (await ask(address, "/healthz")).status == 200
        mode = (await trio.Path(path).stat()).st_mode
        assert stat.S_IMODE(mode) == 0o660
        # Whoever asks there is judged, unlike at the host's own.
        rebound = await ask(address, "/echo/a", {"Host": "rebound.example"})
        assert rebound.status == 421
    assert not path.exists()


async def test_a_port_that_is_taken_is_tried_until_it_is_free(
    caplog: pytest.LogCaptureFixture, mock_clock: trio.testing.MockClock
) -> None:
    mock_clock.rate = 10 * SOCKET_RETRY
    address, pages = free_port(), Pages()
    async with trio.open_nursery() as nursery:
        with socket.create_server((address.host, address.port)):
            nursery.start_soon(Server(Listen(address), pages.routes).run)
            while "Address already in use" not in caplog.text:
                await trio.lowlevel.checkpoint()
            await trio.sleep(3 * SOCKET_RETRY)
        assert (await ask(address, "/healthz")).status == 200
        nursery.cancel_scope.cancel()
    (said,) = caplog.messages
    assert said == (
        f"nothing answers at {address} (http.listen): Address already in use:"
        f" end what has port {address.port}, or choose another"
    )


async def trouble(listen: Listen, caplog: pytest.LogCaptureFixture) -> str:
    """What is said of an address where nobody can listen."""
    async with trio.open_nursery() as nursery:
        nursery.start_soon(Server(listen, []).run)
        with trio.fail_after(PATIENCE):
            while not caplog.messages:
                await trio.lowlevel.checkpoint()
        nursery.cancel_scope.cancel()
    return caplog.messages[0]


async def test_an_address_of_another_machine_is_named(
    caplog: pytest.LogCaptureFixture,
) -> None:
    said = await trouble(Listen(NetworkAddress("192.0.2.1", 9199)), caplog)
    assert "this machine has no address 192.0.2.1" in said


async def test_a_path_of_another_program_is_left_alone(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    path = tmp_path / "other.sock"
    with socket.socket(socket.AF_UNIX) as other:
        other.bind(str(path))
        other.listen()
        said = await trouble(Listen(UnixAddress(path)), caplog)
    assert f"another program answers at {path}" in said
    # And is replaced when that is gone.
    async with served(UnixAddress(path)) as (address, _, _):
        assert (await ask(address, "/healthz")).status == 200


async def test_a_directory_that_cannot_be_made_says_how_to_have_it(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    (tmp_path / "file").touch()
    path = tmp_path / "file" / "http.sock"
    said = await trouble(Listen(UnixAddress(path)), caplog)
    assert "RuntimeDirectory=hydra-notify" in said


def has_ipv6() -> bool:
    try:
        with socket.create_server(("::1", 0), family=socket.AF_INET6):
            return True
    except OSError:
        return False


@pytest.mark.skipif(not has_ipv6(), reason="there is no IPv6 here")
async def test_an_address_of_ipv6_is_its_own() -> None:
    four = free_port()
    async with served(NetworkAddress("::1", four.port)) as (address, _, _):
        assert (await ask(address, "/healthz", {"Host": str(address)})).status == 200
        with pytest.raises(OSError, match=r"refused|all attempts"):
            await trio.open_tcp_stream(four.host, four.port)
