"""`hydra-notify resend`: what may be announced, and what nobody would understand."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from tests.command_line import Commands, run
from tests.hydra_rows import TRUNK, insert_build, insert_eval, insert_finished

from hydra_notify.cli.resend import FORMS
from hydra_notify.database import Connection, connect
from hydra_notify.election import take_lock
from hydra_notify_sdk.wire import CHANNELS

PAYLOADS = {
    "build_queued": ("2",),
    "build_started": ("2",),
    "build_finished": ("1",),
    "cached_build_queued": ("3", "1"),
    "cached_build_finished": ("3", "1"),
    "step_finished": ("1", "1", "-"),
    "eval_started": ("trace", str(TRUNK)),
    "eval_cached": ("trace", str(TRUNK), "3"),
    "eval_added": ("trace", str(TRUNK), "3", "1"),
    "eval_failed": ("trace", str(TRUNK), "0"),
}


@pytest.fixture
def connection(database_url: str) -> Iterator[Connection]:
    with connect(database_url) as connection:
        insert_finished(connection, 1, notificationpendingsince=None)
        insert_build(connection, 2)
        insert_eval(connection, 3, 1)
        connection.execute(
            "insert into buildsteps (build, stepnr, type, busy, drvpath)"
            " values (1, 1, 0, 0, '/nix/store/x.drv')"
        )
        yield connection


@pytest.fixture
def commands(connection: Connection, database_url: str, tmp_path: Path) -> Commands:
    commands = Commands(tmp_path / "hydra-notify.toml")
    commands.configure(
        database_url,
        {"one": {}, "picky": {"match": {"jobs": ["x:*:*"], "statuses": ["failed"]}}},
    )
    return commands


def test_every_channel_has_a_form() -> None:
    assert set(FORMS) == set(PAYLOADS) == set(CHANNELS)


@pytest.mark.parametrize("together", [False, True])
@pytest.mark.parametrize("channel", CHANNELS)
def test_every_event_can_be_announced(
    commands: Commands,
    connection: Connection,
    database_url: str,
    channel: str,
    together: bool,
) -> None:
    fields = PAYLOADS[channel]
    with connect(database_url) as host:
        assert take_lock(host)
        host.execute(f"listen {channel}".encode())
        given = ["\t".join(fields)] if together else fields
        said = commands.said("resend", channel, *given)
        (heard,) = host.notifies(timeout=5, stop_after=1)
    assert (heard.channel, heard.payload) == (channel, "\t".join(fields))
    assert "goes to one, if they want it" in said
    assert "sent" in said


@pytest.mark.parametrize("channel", CHANNELS)
def test_a_payload_of_another_form_is_refused_with_the_form(
    commands: Commands, channel: str
) -> None:
    for fields in ([], ["x"] * 6):
        said = commands.said("resend", channel, *fields, status=2)
        assert f"write {channel} {FORMS[channel]}" in said


def test_an_unknown_event_is_refused_with_those_that_there_are(
    commands: Commands,
) -> None:
    said = commands.said("resend", "build_fnished", "1", status=2)
    assert "no event is named build_fnished" in said
    assert "build_finished" in said


@pytest.mark.parametrize(
    ("arguments", "reason"),
    [
        (["build_finished", "99"], "build 99 is not there"),
        (["build_finished", "2"], "build 2 is not finished"),
        (["build_started", "99"], "build 99 is not there"),
        (["step_finished", "1", "7", "-"], "step 7 of build 1 is not there"),
        (["eval_started", "trace", "99"], "jobset 99 is not there"),
    ],
)
def test_what_is_not_there_is_not_announced(
    commands: Commands, arguments: list[str], reason: str
) -> None:
    assert f"{reason}, so there is nothing" in commands.said(
        "resend", *arguments, status=1
    )


def test_without_a_host_only_flags_are_as_good_as_a_notification(
    commands: Commands, connection: Connection
) -> None:
    insert_finished(connection, 4)
    said = commands.said("resend", "build_finished", "4")
    assert "since its flag is set, the next one delivers it" in said
    said = commands.said("resend", "build_finished", "1", "4", status=1)
    assert "and 1 dependent\n" in said
    assert "nobody has heard build_finished 1 4" in said


def test_more_than_postgres_takes_is_refused(commands: Commands) -> None:
    builds = [str(1_000_000_000 + build) for build in range(800)]
    said = commands.said("resend", "build_finished", *builds, status=2)
    assert "7,999 bytes" in said


def test_text_that_is_not_utf8_is_refused(commands: Commands) -> None:
    result = run("resend", "eval_started", b"\xff", "1", cwd=commands.path.parent)
    assert result.returncode == 2
    assert "not UTF-8" in result.stderr
