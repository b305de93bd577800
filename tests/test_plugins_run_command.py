"""The plugin that is Hydra's RunCommand, by the cases of Hydra's tests and more."""

import json
import os
import select
import signal
import stat
import sys
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from uuid import UUID

import psycopg
import pytest
from psycopg.conninfo import make_conninfo
from psycopg.rows import dict_row
from tests.hydra_rows import insert_finished
from tests.toy_host import LIMIT, ToyHost, event_params

from hydra_notify.database import Connection, connect
from hydra_notify_plugins.run_command import journals, plugin
from hydra_notify_plugins.run_command.dynamic import hook_of
from hydra_notify_plugins.run_command.matching import matches
from hydra_notify_sdk import BuildEventData
from hydra_notify_sdk.testing import Host, Outcome, Sample, StartFailed, sample_event
from hydra_notify_sdk.testing import drive as drive_plugin
from hydra_notify_sdk.wire.data import Output

Settings = dict[str, Any]
Row = dict[str, Any]


class Place:
    """Where a plugin runs: Hydra's data, and a directory of its own."""

    def __init__(self, path: Path) -> None:
        self.data = path / "hydra"
        self.state = path / "state"
        self.data.mkdir()
        self.state.mkdir()

    def drive(self, *commands: str | Settings, url: str = "", **settings: Any) -> Host:
        if self.state in journals:
            # As if the plugin had ended in between.
            journals.pop(self.state).close()
        entries = [{"command": c} if isinstance(c, str) else c for c in commands]
        return drive_plugin(
            plugin,
            config={"commands": entries, **settings},
            secrets={"database": url} if url else {},
            state_dir=self.state,
            hydra_data=str(self.data),
        )

    def log_of(self, row: Row) -> Path:
        name = str(row["uuid"])
        return self.data / "runcommand-logs" / name[:2] / name

    def logs(self) -> list[Path]:
        return [p for p in self.data.glob("runcommand-logs/*/*") if p.is_file()]


@pytest.fixture
def place(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Place]:
    found = Place(tmp_path)
    monkeypatch.chdir(found.state)
    yield found
    for state in list(journals):
        journals.pop(state).close()


@pytest.fixture
def table(database_url: str) -> Iterator[Connection]:
    """Hydra's database, with the build that the samples are about."""
    with connect(database_url) as connection:
        insert_finished(connection, 4711)
        yield connection


def rows(connection: Connection) -> list[Row]:
    with connection.cursor(row_factory=dict_row) as cursor:
        cursor.execute("select * from runcommandlogs order by id")
        return cursor.fetchall()


def finished(status: int = 0, **changes: Any) -> Sample[BuildEventData]:
    sample = sample_event("build_finished", status=status)
    sample.data.dependent_ids = []
    for name, value in changes.items():
        setattr(sample.data, name, value)
    return sample


# T/Hydra/Plugin/RunCommand/matcher.t


@pytest.mark.parametrize(
    ("settings", "starts"),
    [
        ({}, False),
        ({"commands": []}, False),
        ({"dynamic": False}, False),
        ({"dynamic": True}, True),
        ({"commands": [{"command": "true"}]}, True),
        ({"commands": [{"command": "true"}], "dynamic": False}, True),
        ({"commands": [{"command": "true"}], "dynamic": True}, True),
    ],
)
def test_matcher_it_needs_a_command_or_dynamic_ones(
    settings: Settings, starts: bool, tmp_path: Path
) -> None:
    if starts:
        drive_plugin(plugin, config=settings, state_dir=tmp_path)
        return
    with pytest.raises(StartFailed, match=r"settings\.commands: is empty"):
        drive_plugin(plugin, config=settings, state_dir=tmp_path)


@pytest.mark.parametrize(
    ("pattern", "expected"),
    [
        ("project:jobset:job", True),
        ("*:jobset:job", True),
        ("project:*:job", True),
        ("project:jobset:*", True),
        ("*:*:job", True),
        ("*:jobset:*", True),
        ("project:*:*", True),
        ("*:*:*", True),
        ("", True),
        ("project", True),
        ("project:jobset", True),
        ("project::", True),
        ("project:jobset:nonmatch", False),
        ("project:nonmatch:job", False),
        ("nonmatch:jobset:job", False),
        ("nonmatch", False),
        ("*:nonmatch:*", False),
        (":jobset:job", False),
        ("*:*:j.*", False),
        (".*:.*:.*", False),
    ],
)
def test_matcher_sections_are_names_or_stars(pattern: str, expected: bool) -> None:
    assert matches(pattern, ("project", "jobset", "job")) is expected


def test_matcher_four_sections_are_refused(place: Place) -> None:
    with pytest.raises(StartFailed, match="more than three sections"):
        place.drive({"job": "a:b:c:d", "command": "true"})


# T/Hydra/Plugin/RunCommand/basic.t, errno.t, T/Hydra/Schema/Result/RunCommandLogs.t


def test_basic_a_run_is_in_hydras_table_and_its_output_where_hydra_looks(
    place: Place, table: Connection, database_url: str
) -> None:
    command = 'cp "$HYDRA_JSON" "$HYDRA_DATA/joboutput.json"'
    host = place.drive({"job": "*:*:*", "command": command}, url=database_url)
    host.send(finished()).raise_for_failure()
    assert json.loads((place.data / "joboutput.json").read_text())["build"] == 4711
    (row,) = rows(table)
    assert (row["job_matcher"], row["command"]) == ("*:*:*", command)
    assert row["build_id"] == 4711
    assert row["start_time"] <= row["end_time"]
    assert (row["exit_code"], row["signal"], row["core_dumped"]) == (0, None, None)
    assert row["uuid"].version == 4
    log = place.log_of(row)
    assert log.read_bytes() == b""
    assert stat.S_IMODE(log.stat().st_mode) == 0o640
    assert stat.S_IMODE(log.parent.stat().st_mode) == 0o750


@pytest.mark.parametrize(
    ("command", "expected"),
    [
        ("exit 0;", {"exit_code": 0}),
        ("exit 85;", {"exit_code": 85}),
        ("kill -15 $$", {"signal": 15, "core_dumped": False}),
        ("kill -9 $$", {"signal": 9, "core_dumped": False}),
        ("/does/not/exist", {"error_number": 2}),
        ("no-such-command  -x", {"error_number": 2}),
        ("./no-program", {"error_number": 13}),
        ("no-such-command; true", {"exit_code": 0}),
        ("(exit 127)", {"exit_code": 127}),
        ("./bare", {"exit_code": 3}),
        ("A=1 env", {"exit_code": 0}),
    ],
)
def test_errno_how_a_command_ends_is_recorded_and_is_no_failure(
    command: str,
    expected: Row,
    place: Place,
    table: Connection,
    database_url: str,
) -> None:
    (place.state / "no-program").touch(mode=0o644)
    bare = place.state / "bare"
    bare.write_text("exit 3\n")
    bare.chmod(0o755)
    place.drive(command, url=database_url).send(finished()).raise_for_failure()
    (row,) = rows(table)
    nothing = dict.fromkeys(("exit_code", "signal", "core_dumped", "error_number"))
    assert {name: row[name] for name in nothing} == nothing | expected
    assert row["end_time"] is not None


def test_a_row_is_there_while_its_command_runs(
    place: Place, table: Connection, database_url: str
) -> None:
    """The command waits until somebody has looked."""
    os.mkfifo(place.state / "go")
    host = place.drive("read line <go", url=database_url)
    outcomes: list[Outcome] = []
    thread = threading.Thread(target=lambda: outcomes.append(host.send(finished())))
    thread.start()
    with (place.state / "go").open("w") as go:
        (row,) = rows(table)
        assert row["start_time"] is not None
        assert row["end_time"] is None
        go.write("on\n")
    thread.join(LIMIT)
    assert outcomes[0].delivered
    assert rows(table)[0]["exit_code"] == 0


# T/Hydra/Plugin/RunCommand/json.t


def test_json_the_document_has_every_field_of_hydras(place: Place) -> None:
    sample = finished(outputs=[Output("out", "/nix/store/a"), Output("bin", "/b")])
    place.drive('cp "$HYDRA_JSON" copy.json').send(sample).raise_for_failure()
    document = json.loads((place.state / "copy.json").read_text())
    assert document["event"] == "buildFinished"
    assert (document["buildStatus"], document["finished"]) == (0, True)
    assert document["outputs"] == [
        {"name": "out", "path": "/nix/store/a"},
        {"name": "bin", "path": "/b"},
    ]
    assert document["metrics"] == [{"name": "lineCoverage", "unit": "%", "value": 18.0}]
    assert document["evals"][0]["inputs"][0]["revision"] == "a" * 40
    fields = "timestamp project jobset job drvPath startTime stopTime nixName system"
    more = "homepage description license products"
    assert set(f"{fields} {more}".split()) <= set(document)
    assert not list(place.state.glob("hydra-*.json")), "it is removed in the end"


# T/Hydra/Plugin/RunCommand/fanout.t

HOOK = "runCommandHook.example"


def hook(place: Place, **changes: Any) -> Sample[BuildEventData]:
    """A build that may run: its output is an executable file."""
    program = place.data / "program"
    if not program.exists():
        program.write_text('#!/bin/sh\necho "ran $0"\n')
        program.chmod(0o755)
    made_up = {"job": HOOK, "outputs": [Output("out", str(program))]}
    sample = finished(**made_up | changes)
    sample.data.project_info.enable_dynamic_run_command = True
    sample.data.jobset_info.enable_dynamic_run_command = True
    return sample


def test_fanout_commands_run_in_order_and_the_dynamic_one_last(
    place: Place, table: Connection, database_url: str
) -> None:
    host = place.drive(
        {"job": "", "command": "echo foo"},
        {"job": "*:*:*", "command": "echo bar"},
        {"job": "tests:basic:nomatch", "command": "echo baz"},
        dynamic=True,
        url=database_url,
    )
    host.send(hook(place)).raise_for_failure()
    program = str(place.data / "program")
    assert [(row["job_matcher"], row["command"]) for row in rows(table)] == [
        ("", "echo foo"),
        ("*:*:*", "echo bar"),
        (f"DynamicRunCommand({HOOK})", program),
    ]
    texts = [place.log_of(row).read_text() for row in rows(table)]
    assert texts == ["foo\n", "bar\n", f"ran {program}\n"]


def test_fanout_without_dynamic_a_build_is_no_command(place: Place) -> None:
    place.drive({"job": "x", "command": "x"}).send(hook(place)).raise_for_failure()
    assert not place.logs()


@pytest.mark.parametrize("job", ["foo-bar-baz", "runCommandHook", "runCommandHook."])
def test_fanout_other_jobs_are_not_eligible(job: str, place: Place) -> None:
    found = hook_of(hook(place, job=job).data)
    assert (found.task, found.refusal) == (None, "")


def test_fanout_a_link_to_a_program_is_eligible(place: Place) -> None:
    sample = hook(place)
    (place.data / "link").symlink_to("program")
    sample.data.outputs = [Output("out", str(place.data / "link"))]
    outcome = place.drive(dynamic=True).send(sample)
    assert not [line for line in outcome.log if line.level == "warning"]
    assert len(place.logs()) == 1


@pytest.mark.parametrize(
    ("kind", "reason"),
    [
        ("no out", "it has no output named out"),
        ("no path", "the path of its output out is not known"),
        ("elsewhere", "is not on this machine"),
        ("directory", "is a directory"),
        ("not executable", "is not executable"),
        ("link to not executable", "is not executable"),
        ("link to directory", "is a directory"),
        ("fifo", "is no regular file"),
        ("failed", "the build has not succeeded (status 1)"),
        ("project", "not enabled for project nixpkgs"),
        ("jobset", "not enabled for jobset trunk"),
        ("both", "not enabled for project nixpkgs and jobset trunk"),
    ],
)
def test_fanout_a_refusal_has_its_reason(kind: str, reason: str, place: Place) -> None:
    sample = hook(place)
    path = place.data / "output"
    sample.data.outputs = [Output("out", str(path))]
    target = path
    if kind.startswith("link to "):
        target = place.data / "target"
        path.symlink_to(target)
    match kind.removeprefix("link to "):
        case "no out":
            sample.data.outputs = [Output("bin", "/bin/sh")]
        case "no path":
            sample.data.outputs = [Output("out", None)]
        case "directory":
            target.mkdir()
        case "not executable":
            target.touch(mode=0o644)
        case "fifo":
            os.mkfifo(target, 0o755)
        case "failed":
            sample.data.build_status = 1
        case _:
            assert kind in ("elsewhere", "project", "jobset", "both")
    if kind in ("project", "jobset", "both"):
        sample.data.outputs = hook(place).data.outputs
    if kind in ("project", "both"):
        sample.data.project_info.enable_dynamic_run_command = False
    if kind in ("jobset", "both"):
        sample.data.jobset_info.enable_dynamic_run_command = False
    outcome = place.drive(dynamic=True).send(sample)
    outcome.raise_for_failure()
    (warning,) = [line for line in outcome.log if line.level == "warning"]
    assert warning.message.startswith(f"{HOOK} of build 4711 is not run: ")
    assert reason in warning.message
    assert not place.logs()


def test_dependents_and_failed_builds_run_no_other_way(place: Place) -> None:
    host = place.drive({"job": "*:*:greeter.x86_64-linux", "command": "true"}, "true")
    host.send(finished(1)).raise_for_failure()
    assert len(place.logs()) == 1


# Over attempts, crashes and trouble


def test_what_has_run_to_its_end_does_not_run_again_on_a_repetition(
    place: Place,
) -> None:
    host = place.drive("echo a >>order", "echo a >>order", "false")
    for outcome in host.send_twice(finished()):
        outcome.raise_for_failure()
    assert (place.state / "order").read_text() == "a\na\n", "a command may stand twice"
    # Another life of the plugin knows it, too.
    place.drive("echo a >>order").send(finished(), redelivered=True)
    assert (place.state / "order").read_text() == "a\na\n"


def test_a_build_that_an_operator_has_sent_anew_runs_anew(place: Place) -> None:
    host = place.drive("echo a >>order")
    for _ in range(2):
        host.send(finished()).raise_for_failure()
    assert (place.state / "order").read_text() == "a\na\n"


def test_the_parts_of_a_long_list_of_dependents_run_it_once(place: Place) -> None:
    """Each has the same head; what is found at a start has no list at all."""
    host = place.drive("echo a >>order")
    for number in range(3):
        part = finished(1, dependent_ids=[number])
        part.id += f":{number}"
        host.send(part).raise_for_failure()
    host.send(finished(1), redelivered=True).raise_for_failure()
    assert (place.state / "order").read_text() == "a\n"


def test_a_restarted_build_that_ends_anew_runs_anew(place: Place) -> None:
    host = place.drive("echo a >>order")
    for stop in (10, 11):
        part = finished(1, dependent_ids=[1], stop_time=stop)
        host.send(part).raise_for_failure()
    assert (place.state / "order").read_text() == "a\na\n"


def test_without_the_table_nothing_runs_and_the_event_comes_again(
    place: Place, table: Connection, database_url: str
) -> None:
    host = place.drive("echo a >>order", "echo b >>order", url=database_url)
    table.execute("alter table runcommandlogs rename to away")
    outcome = host.send(finished())
    assert (outcome.code, outcome.delivered) == (503, False)
    assert "runcommandlogs cannot be written" in outcome.message
    assert not place.logs()
    table.execute("alter table away rename to runcommandlogs")
    host.send(finished(), attempt=2).raise_for_failure()
    assert (place.state / "order").read_text() == "a\nb\n"
    assert len(rows(table)) == 2


def test_an_end_that_could_not_be_written_is_written_later_and_nothing_runs_again(
    place: Place, table: Connection, database_url: str
) -> None:
    """The command itself takes the table away."""
    rename = "alter table runcommandlogs rename to away"
    code = f"import psycopg; psycopg.connect({database_url!r}, autocommit=True)"
    script = place.state / "take_away.py"
    script.write_text(f"{code}.execute({rename!r})")
    host = place.drive(f"echo a >>order; {sys.executable} {script}", url=database_url)
    assert host.send(finished()).code == 503
    table.execute("alter table away rename to runcommandlogs")
    assert rows(table)[0]["end_time"] is None
    host.send(finished(), attempt=2).raise_for_failure()
    assert (place.state / "order").read_text() == "a\n"
    (row,) = rows(table)
    assert row["exit_code"] == 0


def test_a_connection_that_was_closed_is_made_anew(
    place: Place, table: Connection, database_url: str
) -> None:
    host = place.drive("true", url=database_url)
    host.send(finished()).raise_for_failure()
    table.execute(
        "select pg_terminate_backend(pid, 10000) from pg_stat_activity"
        " where application_name = 'hydra-notify-run-command'"
        " and datname = current_database()"
    )
    host.send(finished()).raise_for_failure()
    assert len(rows(table)) == 2


def test_a_role_without_the_rights_is_told_which(
    place: Place, table: Connection, database_url: str
) -> None:
    table.execute("drop role if exists run_command_test")
    table.execute("create role run_command_test login")
    try:
        url = make_conninfo(database_url, user="run_command_test")
        host = place.drive("true", url=url)
        outcome = host.send(finished())
        assert outcome.code == 403
        for statement in outcome.fix.replace("ROLE", "run_command_test").split("; "):
            table.execute(statement.encode())
        host.send(finished(), attempt=2).raise_for_failure()
        assert rows(table)[0]["exit_code"] == 0
    finally:
        table.execute("drop owned by run_command_test")
        table.execute("drop role run_command_test")


def test_a_build_that_hydra_has_deleted_has_no_row_and_runs(
    place: Place, table: Connection, database_url: str
) -> None:
    table.execute("delete from builds")
    place.drive("true", url=database_url).send(finished()).raise_for_failure()
    assert len(place.logs()) == 1


def test_an_address_that_is_none_is_refused_without_showing_it(place: Place) -> None:
    with pytest.raises(StartFailed, match=r"secrets\.database: is no address") as told:
        place.drive("true", url="host=x s3cret")
    assert "s3cret" not in str(told.value)


def test_without_the_secret_it_says_that_hydra_will_not_show_it(
    place: Place, caplog: pytest.LogCaptureFixture
) -> None:
    with caplog.at_level("INFO"):
        place.drive("true")
    assert "there is no secrets.database" in caplog.text


def test_a_directory_in_which_no_log_can_be_made_is_named(place: Place) -> None:
    (place.data / "runcommand-logs").write_text("in the way")
    outcome = place.drive("touch ran").send(finished())
    assert outcome.code == 500
    assert f"write {place.data}/runcommand-logs" in outcome.fix
    assert not (place.state / "ran").exists()


def test_a_data_directory_that_is_not_there_is_named(place: Place) -> None:
    host = place.drive("true")
    place.data.rmdir()
    outcome = host.send(finished())
    assert outcome.fix == f"make {place.data}, or correct hydra_data of the host"


def test_a_command_that_takes_too_long_is_ended_and_that_is_its_end(
    place: Place, table: Connection, database_url: str
) -> None:
    host = place.drive("echo begun; sleep 600", url=database_url, timeout=0.2)
    host.send(finished()).raise_for_failure()
    (row,) = rows(table)
    assert row["signal"] == 15
    text = place.log_of(row).read_text()
    assert text == "begun\nended by hydra-notify: it took over 0.2 s\n"


def test_several_builds_at_a_time_only_if_asked_for(place: Place) -> None:
    assert place.drive("true").manifest.max_in_flight == 1
    assert place.drive("true", at_once=3).manifest.max_in_flight == 3


def test_commands_of_several_builds_run_at_a_time(place: Place) -> None:
    """Each waits for the other."""
    os.mkfifo(place.state / "pipe")
    host = place.drive(
        {"job": "*:*:reads", "command": "read line <pipe"},
        {"job": "*:*:writes", "command": "echo on >pipe"},
        at_once=2,
    )
    reads, writes = sample_event("build_finished"), sample_event("build_finished")
    reads.data.job, writes.data.job = "reads", "writes"
    writes.id, writes.subject = "another", "build/1"
    assert all(outcome.delivered for outcome in host.send_all([reads, writes]))


LONG = "sleep 600 & echo $! $$ >pids; mv pids started; wait"
"""Starts a child, as a shell script would, and goes on for very long."""


def wait_for_pids(host: ToyHost) -> list[int]:
    while not (host.state_dir / "started").exists():
        host.ask("ping")
    return [int(pid) for pid in (host.state_dir / "started").read_text().split()]


def assert_ended(pids: list[int]) -> None:
    for pid in pids:
        try:
            descriptor = os.pidfd_open(pid)
        except ProcessLookupError:
            continue
        try:
            assert select.select([descriptor], [], [], LIMIT)[0], f"{pid} runs on"
        finally:
            os.close(descriptor)


@pytest.mark.parametrize("how", ["cancel", "end", "sigterm", "kill"])
def test_a_command_that_is_broken_off_is_ended_with_its_children_and_runs_again(
    how: str, place: Place, table: Connection, database_url: str
) -> None:
    command = [sys.executable, "-m", "hydra_notify_plugins.run_command"]
    config = {"commands": [{"command": LONG}]}
    secrets = {"database": database_url}
    with ToyHost(command, place.state) as host:
        host.initialize(config, secrets)
        name = host.request("event", event_params("build_finished"))
        pids = wait_for_pids(host)
        match how:
            case "cancel":
                params = {"id": name, "reason": "deadline"}
                host.send({"method": "cancel", "params": params})
                error = {"code": 499, "message": "cancelled"}
                assert host.answer(name)["error"] == error
            case "end":
                assert host.end() == 0
            case "sigterm":
                os.kill(host.pid, signal.SIGTERM)
                assert host.exit_status() == 0
            case _:
                # The host of a real plugin ends what it leaves behind.
                os.kill(host.pid, 9)
                os.killpg(pids[1], 9)
        assert_ended(pids)
    (place.state / "started").unlink()
    host2 = place.drive(LONG.replace("wait", "kill $!"), url=database_url)
    host2.send(event_of(host2), redelivered=True).raise_for_failure()
    first, second = rows(table)
    assert first["signal"] == (9 if how == "kill" else 15)
    assert second["exit_code"] == 0
    assert isinstance(first["uuid"], UUID)


def event_of(host: Host) -> Sample[BuildEventData]:
    """The event that `event_params` is."""
    assert host.manifest.name == "run-command"
    event = event_params("build_finished")["event"]
    assert isinstance(event, dict)
    sample = finished()
    sample.id = str(event["id"])
    return sample


def test_psycopg_is_asked_for_by_its_extra(
    place: Place, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert psycopg.__name__ in sys.modules
    monkeypatch.setitem(sys.modules, "psycopg", None)
    monkeypatch.delitem(
        sys.modules, "hydra_notify_plugins.run_command.table", raising=False
    )
    with pytest.raises(StartFailed, match="needs psycopg"):
        place.drive("true", url="postgresql:///x")
