"""`hydra-notify doctor`: what it finds, and that it changes nothing."""

import json
import os
import re
import shutil
import socket as sockets
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from uuid import uuid4

import pytest
import tomli_w
from tests import pretended_host
from tests.command_line import Commands
from tests.hydra_rows import insert_finished
from tests.pretended_host import pretending

from hydra_notify import ledger
from hydra_notify.database import Connection, connect, threads
from hydra_notify.doctor import examine, files, handshake
from hydra_notify.http import SOCKET_NAME
from hydra_notify.metrics import PluginState, Role
from hydra_notify.status import HostStatus, Problem

NOWHERE = "postgresql://nobody:hunter22@127.0.0.1:1/hydra"

SECRET = "correct-horse"

PLUGIN = """
import json, os, sys
for line in sys.stdin:
    frame = json.loads(line)
    print(frame["method"], os.getcwd(), file=open({log!r}, "a"))
    result = {{}}
    if frame["method"] == "initialize":
        params = frame["params"]
        assert params["instance"] == "chat", params
        result = {{"protocol_version": 1, "name": "chat", "version": "1.4",
                  "events": ["build_finished"]}}
    print(json.dumps({{"jsonrpc": "2.0", "id": frame["id"], "result": result}}))
    sys.stdout.flush()
"""


class Patient:
    """What is examined: a configuration, and all that it names."""

    def __init__(self, directory: Path) -> None:
        self.directory = directory
        self.commands = Commands(directory / "hydra-notify.toml")
        self.tables: dict[str, Any] = {
            "database": {"url": NOWHERE},
            "host": {"state_dir": str(directory)},
            "plugins": {},
        }

    @property
    def socket(self) -> Path:
        return self.directory / SOCKET_NAME

    def examined(self, status: int = 0) -> dict[str, list[dict[str, str]]]:
        """The checks of each section; the verdict must be `status`."""
        self.commands.path.write_text(tomli_w.dumps(self.tables))
        said = json.loads(self.commands.said("doctor", "--json", status=status))
        assert said["ok"] is (status == 0)
        found: dict[str, list[dict[str, str]]] = {}
        for check in said["checks"]:
            found.setdefault(check["section"], []).append(check)
            assert bool(check["fix"]) is (check["mark"] != "ok"), check
        return found

    def amiss(self, section: str, status: int = 0) -> list[tuple[str, str, str]]:
        """What is not well of a section: mark, words, fix."""
        return [
            (check["mark"], check["words"], check["fix"])
            for check in self.examined(status).get(section, [])
            if check["mark"] != "ok"
        ]


@pytest.fixture
def patient(tmp_path: Path) -> Patient:
    return Patient(tmp_path)


@pytest.fixture
def connection(patient: Patient, database_url: str) -> Iterator[Connection]:
    """To a database with a ledger, which the patient uses."""
    patient.tables["database"]["url"] = database_url
    with connect(database_url) as connection:
        ledger.create(connection)
        yield connection


def chat(patient: Patient) -> Path:
    """Give the patient a plugin that is well; where it writes what it hears."""
    log = patient.directory / "heard"
    program = patient.directory / "chat.py"
    program.write_text(PLUGIN.format(log=str(log)))
    patient.tables["plugins"]["chat"] = {"command": [sys.executable, str(program)]}
    return log


def test_where_all_is_well_nothing_is_changed_and_no_event_is_sent(
    patient: Patient, connection: Connection
) -> None:
    log = chat(patient)
    insert_finished(connection, 1)
    connection.execute('listen "build_finished"')
    said_before = connection.execute("select count(*) from pg_locks").fetchone()
    assert said_before is not None
    before = sorted(patient.directory.iterdir())
    with pretending(patient.socket, pretended_host.host(role=Role.STANDBY)):
        found = patient.examined()
    amiss = [each for checks in found.values() for each in checks if each["fix"]]
    # The one that is made up knows another database, and no plugin.
    assert {each["section"] for each in amiss} == {"host"}
    assert found["plugins"][-1]["words"] == (
        "it would start: chat 1.4 wants build_finished, 1 at a time, 30 s for each"
    )
    heard = [line.split() for line in log.read_text().splitlines()]
    assert [method for method, _ in heard] == ["initialize", "shutdown"]
    # Its directory was one for the moment.
    assert not any(Path(directory).exists() for _, directory in heard)
    log.unlink()
    patient.commands.path.unlink()
    assert sorted(patient.directory.iterdir()) == before
    flag = "select notificationpendingsince is not null from builds where id = 1"
    assert connection.execute(flag).fetchone() == (True,)
    assert list(connection.notifies(timeout=0)) == []


def test_a_database_that_says_nothing_is_not_waited_for_without_end(
    patient: Patient, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(threads, "STATEMENT_DEADLINE", 0.1)
    monkeypatch.setattr(threads, "CONNECT_TIMEOUT", 0.1)
    with sockets.socket() as silent:
        silent.bind(("127.0.0.1", 0))
        silent.listen()
        url = f"postgresql://a:b@127.0.0.1:{silent.getsockname()[1]}/hydra"
        patient.tables["database"]["url"] = url
        ((mark, words, fix),) = patient.amiss("database", 1)
        said = patient.commands.said("status", status=1)
    assert mark == "fail"
    assert "no answer within the deadline" in words
    assert "firewall" in fix
    assert "cannot be asked either: no answer within the deadline" in said


def test_people_read_marks_words_and_fixes(patient: Patient) -> None:
    patient.examined(1)
    lines = patient.commands.said("doctor", status=1).splitlines()
    index = lines.index("database")
    assert lines[index + 1].startswith(
        "  FAIL  postgresql://nobody:***@127.0.0.1:1/hydra cannot be reached: "
    )
    assert lines[index + 2] == (
        "        fix: start Postgres, or mend host and port in database.url"
    )
    assert lines[-1].startswith("1 thing fails, ")
    assert "hunter22" not in "".join(lines)


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("[host]\nstate_dir = 5\n", "host.state_dir is an integer, not a string"),
        ("[host\n", "line 1, column 6 is not TOML"),
        (None, "does not exist"),
    ],
)
def test_a_configuration_that_cannot_be_used_is_all_that_is_said(
    patient: Patient, text: str | None, words: str
) -> None:
    if text is not None:
        patient.commands.path.write_text(text)
    said = patient.commands.said("doctor", status=1)
    assert words in said
    assert "database" not in said


def test_a_password_in_a_file_that_everybody_reads_is_named(patient: Patient) -> None:
    patient.tables["plugins"]["chat"] = {"command": ["true"]}
    patient.commands.path.touch(0o644)
    everybody_may_enter(patient.directory)
    (_, words, fix) = patient.amiss("config", 1)[0]
    assert "has the database's password in it" in words
    assert fix.endswith(f"chmod o-rwx {patient.commands.path}")
    patient.commands.path.chmod(0o640)
    assert patient.amiss("config", 1) == []


def everybody_may_enter(directory: Path) -> None:
    """Open what pytest keeps to itself."""
    for each in (directory, *directory.parents):
        if "pytest" in str(each):
            each.chmod(each.stat().st_mode | 0o001)


def test_missing_grants_are_said_with_what_grants_them(
    patient: Patient, connection: Connection
) -> None:
    role = f"poor_{uuid4().hex}"
    connection.execute(f'create role "{role}" login'.encode())
    url = re.sub("//[^@]*@", f"//{role}@", patient.tables["database"]["url"])
    try:
        patient.tables["database"]["url"] = url
        found = patient.examined(1)
        (denied,) = (each for each in found["database"] if each["mark"] == "fail")
        (of_ledger,) = found["ledger"]
        for check in (denied, of_ledger):
            connection.execute(check["fix"].partition("run: ")[2].encode())
        found = patient.examined()
        assert all(each["mark"] == "ok" for each in found["database"])
        assert [each["mark"] for each in found["ledger"]] == ["ok"]
        connection.execute(f'revoke all on builds from "{role}"'.encode())
        ((_, _, fix),) = patient.amiss("database", 1)
        assert fix == (
            f'as their owner run: GRANT SELECT ON builds TO "{role}";'
            f' GRANT UPDATE (notificationpendingsince) ON builds TO "{role}";'
        )
    finally:
        connection.execute(f'drop owned by "{role}"'.encode())
        connection.execute(f'drop role "{role}"'.encode())


def test_a_ledger_that_is_missing_is_a_warning_and_a_strange_one_a_failure(
    patient: Patient, connection: Connection
) -> None:
    connection.execute("update hydra_notify.meta set version = 99")
    ((mark, words, fix),) = patient.amiss("ledger", 1)
    assert (mark, fix) == ("fail", "upgrade hydra-notify")
    assert "version 99" in words
    connection.execute("drop schema hydra_notify cascade")
    ((mark, _, fix),) = patient.amiss("ledger")
    assert (mark, fix) == ("warn", "run: hydra-notify ledger create")


@pytest.mark.parametrize(
    ("statement", "words"),
    [
        ("drop table schemaversion", "Hydra's schema is not there: "),
        ("drop table users cascade", "Hydra's schema is not there: "),
        ("alter table builds drop job cascade", "is not one that this host can read"),
        ("update schemaversion set version = 84", "is version 84, before 85"),
    ],
)
def test_a_database_that_is_not_as_hydra_makes_it_is_no_traceback(
    patient: Patient, connection: Connection, statement: str, words: str
) -> None:
    connection.execute(statement.encode())
    ((mark, said, _),) = patient.amiss("database", 1)
    assert mark == "fail"
    assert words in said


def test_a_database_that_goes_away_or_does_not_exist_is_no_traceback(
    patient: Patient, database_url: str
) -> None:
    base, _, _ = database_url.rpartition("/")
    for url, fix in (
        (f"{base}/no-such", "name Hydra's database in database.url"),
        (re.sub("//[^@]*@", "//nobody@", database_url), "create it: createuser"),
        (f"{database_url}?no_such_key=1", "try it by hand: psql"),
    ):
        patient.tables["database"]["url"] = url
        ((_, _, said),) = patient.amiss("database", 1)
        assert said.startswith(fix)


def test_programs_and_secrets_that_are_not_there_are_named(
    patient: Patient, connection: Connection
) -> None:
    del connection
    directory = patient.directory
    everybody_may_enter(directory)
    (directory / "open").write_text(SECRET)
    (directory / "open").chmod(0o604)
    (directory / "closed").write_text(SECRET)
    (directory / "closed").chmod(0o600)
    (directory / "no-program").touch(0o600)
    told = {
        name: {"command": command, **keys}
        for name, command, keys in (
            ("absent", ["no-such-program"], {}),
            ("strange", [str(directory / "no-program")], {}),
            ("nowhere", ["/no/such/program"], {}),
            ("crashing", ["sh", "-c", f"echo {SECRET} >&2; exit 3"], {
                "secrets": {"token": {"file": str(directory / "closed")}}
            }),
            ("secrets", ["cat"], {
                "secrets": {
                    "gone": {"file": "/no/such/file"},
                    "open": {"file": str(directory / "open")},
                    "unit": {"credential": "smtp"},
                }
            }),
        )
    }  # fmt: skip
    patient.tables["plugins"] = told
    checks = patient.examined(1)["plugins"]
    found = {
        (each["plugin"], each["mark"]): each["words"]
        for each in checks
        if each["mark"] != "ok" and "credential" not in each["words"]
    }
    open_file = directory / "open"
    assert found == {
        ("absent", "fail"): "its program no-such-program is not in PATH",
        ("strange", "fail"): f"its program {directory}/no-program is not executable",
        ("nowhere", "fail"): "its program /no/such/program is not there",
        ("crashing", "fail"): "it does not start: it has ended: exit status 3 (***)",
        ("secrets", "fail"): "plugins.secrets.secrets.gone cannot be read from"
        " /no/such/file (No such file or directory)",
        ("secrets", "warn"): "plugins.secrets.secrets.open: everybody can read"
        f" {open_file}",
    }
    (unit,) = (each for each in checks if "credential" in each["words"])
    assert unit["mark"] == "warn"
    assert SECRET not in json.dumps(checks)


def test_a_plugin_that_never_gets_ready_is_not_waited_for_without_end(
    patient: Patient, connection: Connection, monkeypatch: pytest.MonkeyPatch
) -> None:
    del connection
    monkeypatch.setattr(handshake, "HANDSHAKE_LIMIT", 0.2)
    monkeypatch.setattr(handshake, "STOP_LIMIT", 0.1)
    patient.tables["plugins"]["silent"] = {"command": ["sleep", "1000"]}
    ((mark, words, fix),) = patient.amiss("plugins", 1)
    assert mark == "fail"
    assert words.startswith("it does not start: it is not ready after 0 s")
    assert fix.endswith("hydra-notify plugin run -- sleep 1000")


def test_what_a_service_may_have_and_this_process_has_not_is_only_a_warning(
    patient: Patient, connection: Connection
) -> None:
    del connection
    chat(patient)
    keys = patient.tables["plugins"]["chat"]
    keys["limits"] = {"cpu": "50%"}
    ((mark, words, fix),) = patient.amiss("sandbox")
    assert mark == "warn"
    assert words == "limits.cpu is not enforced (seen from outside the service)"
    assert fix.startswith("if it is so for the service, too: ")
    keys["sandbox"] = {"user": "no-such-user"}
    marks = [mark for mark, _, _ in patient.amiss("sandbox", 1)]
    assert sorted(marks) == ["fail", "warn"]
    # It must never run as another than that.
    assert "not tried" in patient.amiss("plugins", 1)[0][1]


def running(**changes: Any) -> HostStatus:
    """A host that runs what the patient of the test below has."""
    plugin = pretended_host.plugin(
        "chat",
        command=["/no/such/program"],
        enforced=["limits.memory holds for all its processes (cgroup)"],
        degraded=["limits.cpu is not enforced (why); add Delegate=yes"],
    )
    other = pretended_host.plugin("mail", state=PluginState.DISABLED)
    return pretended_host.host(plugin, other, **changes)


def test_a_host_that_runs_is_believed_and_its_plugins_are_not_started(
    patient: Patient, connection: Connection
) -> None:
    del connection
    patient.tables["plugins"] = {
        "chat": {
            "command": ["/no/such/program"],
            "secrets": {"token": {"credential": "smtp"}},
        },
        "mail": {"command": ["true"]},
        "new": {"command": ["true"]},
    }
    problems = [
        Problem("plugin-disabled", "critical", "mail is not started", "mend", "mail"),
        Problem("listen-does-not-work", "critical", "LISTEN does not work", "past"),
        Problem("ledger-missing", "warning", "said elsewhere", "create"),
    ]
    host = running(version="0.0.9", problems=problems)
    with pretending(patient.socket, host):
        found = patient.examined(1)
    words = [(each["mark"], each["words"]) for each in found["host"]]
    assert ("fail", "LISTEN does not work") in words
    assert any("is of version 0.0.9" in said for _, said in words)
    assert ("warn", "it does not know the plugin new of the file") in words
    assert ("warn", "it runs another command for mail than the file says") in words
    assert not any("said elsewhere" in said for _, said in words)
    plugins = [(each["plugin"], each["words"]) for each in found["plugins"]]
    assert ("chat", "the host has it ready (chat 1.4)") in plugins
    assert ("mail", "is not started") in plugins
    (secret,) = (each for each in found["plugins"] if "smtp" in each["words"])
    assert secret["mark"] == "ok"
    sandbox = [(each["mark"], each["words"]) for each in found["sandbox"]]
    assert ("ok", "enforced: limits.memory") in sandbox
    assert ("warn", "limits.cpu is not enforced (why)") in sandbox


def test_a_host_that_cannot_be_asked_may_run_the_plugins(
    patient: Patient, connection: Connection
) -> None:
    del connection
    log = chat(patient)
    with pretending(patient.socket, lambda *_: (500, b"no")):
        assert "cannot be asked" in patient.amiss("host")[0][1]
        assert "not tried" in patient.amiss("plugins")[0][1]
    assert not log.exists()


def test_the_page_is_asked_whether_it_is_there(
    patient: Patient, connection: Connection
) -> None:
    del connection
    listening = sockets.socket()
    listening.bind(("127.0.0.1", 0))
    port = listening.getsockname()[1]
    http: dict[str, Any] = {"listen": f"127.0.0.1:{port}"}
    patient.tables["http"] = http
    assert patient.amiss("http") == []
    with pretending(patient.socket, running()):
        ((mark, words, _),) = patient.amiss("http", 1)
        assert (mark, words) == (
            "fail",
            f"nothing answers at 127.0.0.1:{port}, though a host runs",
        )
        listening.close()
        page = patient.directory / "page"
        http["listen"] = f"unix:{page}"
        with pretending(page, lambda *_: (200, b'{"status":"ok"}')):
            assert patient.amiss("http") == []
        with pretending(page, lambda *_: (200, b"hello")):
            assert "another program answers" in patient.amiss("http")[0][1]
    http["listen"] = "0.0.0.0:1"
    http["token"] = {"file": "/no/such/file"}
    beyond, token = patient.amiss("http", 1)
    assert beyond[:2] == (
        "warn",
        "whoever reaches 0.0.0.0:1 can look, and nothing is encrypted",
    )
    assert token[1].startswith("http.token cannot be read from /no/such/file")


def test_a_state_directory_that_cannot_be_used_is_named(
    patient: Patient, monkeypatch: pytest.MonkeyPatch
) -> None:
    host = patient.tables["host"]
    host["state_dir"] = str(patient.directory / "not-yet")
    assert "makes it at its first start" in patient.amiss("state_dir", 1)[0][1]
    (patient.directory / "file").touch()
    host["state_dir"] = str(patient.directory / "file")
    assert "is not a directory" in patient.amiss("state_dir", 1)[0][1]
    everybody = patient.directory / "everybody"
    everybody.mkdir()
    everybody.chmod(0o777)
    host["state_dir"] = str(everybody)
    ((mark, words, _),) = patient.amiss("state_dir", 1)
    assert (mark, words) == ("warn", f"everybody may write to {everybody}")
    everybody.chmod(0o700)
    free = shutil.disk_usage(everybody).free
    monkeypatch.setattr(files, "LEAST_FREE", 2 * free)
    assert "are free there" in patient.amiss("state_dir", 1)[0][1]
    if os.geteuid() == 0:
        os.chown(everybody, 12345, 12345)
        assert (
            "is 12345's, and this runs as root" in patient.amiss("state_dir", 1)[0][1]
        )


def test_files_that_hang_are_not_waited_for_without_end(
    patient: Patient, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(examine, "FILES_LIMIT", 0.0)
    ((mark, words, _),) = patient.amiss("config", 1)
    assert mark == "fail"
    assert "could not be looked at within" in words
