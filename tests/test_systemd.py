"""The service manager is told over the socket it has named, or nobody is."""

import os
import socket
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path
from uuid import uuid4

import pytest

from hydra_notify.systemd import Systemd, microseconds


@pytest.fixture
def manager() -> Iterator[socket.socket]:
    with (
        tempfile.TemporaryDirectory() as directory,
        socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as manager,
    ):
        manager.bind(str(Path(directory, "notify")))
        manager.setblocking(False)
        yield manager


def test_one_datagram_holds_all_that_is_told_at_once(manager: socket.socket) -> None:
    systemd = Systemd({"NOTIFY_SOCKET": manager.getsockname()})
    assert systemd.tell("READY=1", "STATUS=naïve")
    assert systemd.tell("STOPPING=1")
    assert manager.recv(4096) == "READY=1\nSTATUS=naïve".encode()
    assert manager.recv(4096) == b"STOPPING=1"


@pytest.mark.skipif(sys.platform != "linux", reason="such names are Linux's")
def test_a_name_that_is_no_file_is_understood() -> None:
    name = f"hydra-notify-{uuid4().hex}"
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as manager:
        manager.bind(f"\0{name}")
        manager.setblocking(False)
        assert Systemd({"NOTIFY_SOCKET": f"@{name}"}).tell("READY=1")
        assert manager.recv(4096) == b"READY=1"


@pytest.mark.parametrize("address", [None, "", "vsock:2:1234", "notify"])
def test_without_a_socket_to_tell_it_nobody_is_told(address: str | None) -> None:
    environ = {} if address is None else {"NOTIFY_SOCKET": address}
    systemd = Systemd({**environ, "WATCHDOG_USEC": "1000000"})
    assert not systemd.listens
    assert systemd.watchdog is None
    assert systemd.tell("READY=1")


def test_a_manager_that_is_gone_is_noticed(tmp_path: Path) -> None:
    assert not Systemd({"NOTIFY_SOCKET": str(tmp_path / "gone")}).tell("READY=1")


def test_a_manager_that_does_not_read_is_not_waited_for(
    manager: socket.socket,
) -> None:
    systemd = Systemd({"NOTIFY_SOCKET": manager.getsockname()})
    told = 0
    while systemd.tell(f"STATUS={told}"):
        told += 1
    manager.recv(4096)
    assert systemd.tell("READY=1")


@pytest.mark.parametrize(
    ("environ", "watchdog"),
    [
        ({}, None),
        ({"WATCHDOG_USEC": "30000000"}, 30.0),
        ({"WATCHDOG_USEC": "500000", "WATCHDOG_PID": str(os.getpid())}, 0.5),
        ({"WATCHDOG_USEC": "500000", "WATCHDOG_PID": "1"}, None),
        ({"WATCHDOG_USEC": "0"}, None),
        ({"WATCHDOG_USEC": "soon"}, None),
    ],
)
def test_the_watchdog_is_that_of_this_process(
    environ: dict[str, str], watchdog: float | None
) -> None:
    systemd = Systemd({"NOTIFY_SOCKET": "/run/notify", **environ})
    assert systemd.watchdog == watchdog


def test_times_are_told_in_microseconds() -> None:
    assert microseconds(1.5) == 1_500_000
