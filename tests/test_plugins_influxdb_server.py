"""The plugin `influxdb` against InfluxDB 1 itself, which wants to know who writes."""

import re
import subprocess
from collections.abc import Iterator

import httpx2
import pytest
from tests.languages import need

from hydra_notify_plugins.influxdb import plugin
from hydra_notify_sdk.testing import Host, drive, sample_event
from hydra_notify_sdk.wire import Verdict

LIMIT = 30
"""Seconds for InfluxDB to answer or stop; it takes milliseconds."""

USER, PASSWORD = "hydra", "o'pen sesame"

SELECT = "SELECT * FROM hydra_build_status"

CONFIG = """
reporting-enabled = false
bind-address = "127.0.0.1:0"
[meta]
dir = "{folder}/meta"
[data]
dir = "{folder}/data"
wal-dir = "{folder}/wal"
[monitor]
store-enabled = false
[http]
bind-address = "127.0.0.1:0"
auth-enabled = true
"""


@pytest.fixture(scope="module")
def influxdb(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """The address of an InfluxDB 1 that wants to know who asks."""
    need("influxd")
    folder = tmp_path_factory.mktemp("influxdb")
    config = folder / "influxdb.conf"
    config.write_text(CONFIG.format(folder=folder))
    server = subprocess.Popen(
        ["influxd", "run", "-config", config],
        stdin=subprocess.DEVNULL,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.PIPE,
    )
    try:
        url = address_of(server)
        query(url, f"CREATE USER {USER} WITH PASSWORD '{quoted()}' WITH ALL PRIVILEGES")
        query(url, "CREATE DATABASE hydra")
        yield url
    finally:
        server.kill()
        assert server.stderr is not None
        server.stderr.close()
        server.wait(LIMIT)


def address_of(server: subprocess.Popen[bytes]) -> str:
    """Where it listens; it says so in its log, or ends."""
    assert server.stderr is not None
    for line in server.stderr:
        if found := re.search(rb'"Listening on HTTP".* addr=(\S+)', line):
            return f"http://{found[1].decode()}"
    raise AssertionError("InfluxDB does not start")


def quoted() -> str:
    return PASSWORD.replace("'", r"\'")


def query(url: str, text: str) -> list[dict[str, object]]:
    """The rows of the first series that answers, each by column."""
    form = {"q": text, "db": "hydra", "epoch": "s"}
    answer = httpx2.post(
        f"{url}/query", data=form, auth=(USER, PASSWORD), timeout=LIMIT
    )
    (result,) = answer.json()["results"]
    assert "error" not in result, result
    rows: list[dict[str, object]] = [
        dict(zip(series["columns"], values, strict=True))
        for series in result.get("series", [])
        for values in series["values"]
    ]
    return rows


def host(url: str, **settings: object) -> Host:
    config = {"url": url, "db": "hydra", "username": USER, "host": "here", **settings}
    return drive(plugin, config=config, secrets={"password": PASSWORD})


def test_influxdb_holds_what_was_sent_and_once(influxdb: str) -> None:
    event = sample_event("build_finished")
    event.data.job = "odd job, a=b\\ c\\"
    for outcome in host(influxdb).send_twice(event):
        outcome.raise_for_failure()
    rows = {row["build_id"]: row for row in query(influxdb, SELECT)}
    assert len(query(influxdb, SELECT)) == len(rows) == 3
    assert rows["4711"] == {
        "time": 1_767_607_200,
        "build_id": "4711",
        "build_status": 1,
        "cached": "false",
        "closure_size": 32_105_472,
        "duration": 100,
        "host": "here",
        "job": "odd job, a=b\\ c",
        "jobset": "trunk",
        "main_build_id": "4711",
        "project": "nixpkgs",
        "queued": 90,
        "repo": "trunk",
        "result": "failure",
        "size": 193_304,
        "status": "failed",
        "system": "x86_64-linux",
    }
    assert rows["4713"]["job"] == "Grüße ☃.x86_64-linux"


def test_a_database_that_is_not_there_yet_is_awaited(influxdb: str) -> None:
    outcome = host(influxdb, db="later").send(sample_event("build_finished"))
    assert outcome.verdict is Verdict.RETRY
    assert outcome.code == 404
    assert "database not found" in outcome.message
    assert "create the database" in outcome.fix


def test_a_wrong_password_holds_everything_back(influxdb: str) -> None:
    outcome = host(influxdb, username="nobody").send(sample_event("build_finished"))
    assert outcome.verdict is Verdict.BLOCK
    assert PASSWORD not in outcome.message


def test_upstream_a_built_job_ends_as_a_point_that_says_success(influxdb: str) -> None:
    """nixos-tests/notifications.nix."""
    host(influxdb).send(sample_event("build_finished", status=0)).raise_for_failure()
    assert any(row["status"] == "success" for row in query(influxdb, SELECT))
