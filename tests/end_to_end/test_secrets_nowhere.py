"""Secrets are in nothing that we write, however a plugin says them.

Other codings of a secret (base64, a digest) are not found, and not looked for.
"""

import html
import json
import subprocess
import sys
from collections.abc import Iterable, Iterator
from pathlib import Path
from urllib.parse import quote

import pytest
import trio
from tests.command_line import Commands
from tests.end_to_end.stage import PROGRAM, PROGRAMS, Host, Stage
from tests.end_to_end.test_looking import looking
from tests.http_asking import Answer, ask, free_port
from tests.service_manager import service_manager

from hydra_notify.demo.simulation.evaluator import queue_builds
from hydra_notify.demo.simulation.queue_runner import finish_build

OF_THE_PLUGIN = {
    "plain": "hunter22plain",
    "json": 'jq"zw\\xv{kj}/:end',
    "quotes": "zk'vq\"wx'`$kz",
    "key": "-----BEGIN KEY-----\nMIIEvQxxIBADANBgkq\nhkiG9wzz0BAQ\n-----END KEY-----",
    "unicode": "zäqwörd-ключ-☃\u2028end",
    "spaces": "  two wzk  words qkz ",
}
PASSWORD = "dbpw%@zz/qq"
OF_LIBPQ = "libpqpw-zzqq"
TOKEN = "http-token-qqzz"

SECRETS = (*OF_THE_PLUGIN.values(), PASSWORD, OF_LIBPQ, TOKEN)

EVERY_ROW = "select * from hydra_notify."


def found_in(text: str) -> list[str]:
    """The secrets that are in a text, in one way of writing them or another."""
    return [secret for secret in SECRETS if any(form in text for form in ways(secret))]


def ways(secret: str) -> Iterator[str]:
    for part in (secret, *(line for line in secret.splitlines() if len(line) > 7)):
        for ascii_only in (False, True):
            once = json.dumps(part, ensure_ascii=ascii_only)[1:-1]
            yield once
            yield json.dumps(once, ensure_ascii=ascii_only)[1:-1]
        yield from (part, repr(part)[1:-1], quote(part), quote(part, safe=""))
        yield from (html.escape(part), " | ".join(part.splitlines()))


def test_the_search_finds_each_secret_however_it_is_written() -> None:
    for secret in SECRETS:
        for text in (secret, repr(secret), json.dumps({"a": json.dumps(secret)})):
            assert found_in(f"before {text} after") == [secret]
    assert found_in("nothing of that kind") == []


async def leaking(stage: Stage, form: str) -> Host:
    """A host with secrets everywhere, and the plugin that says them."""
    stage.limit(RESTART_BASE=0.1)
    for name, value in {**OF_THE_PLUGIN, "http": TOKEN}.items():
        await trio.Path(stage.directory / name).write_text(value, newline="")
    secrets = {name: {"file": str(stage.directory / name)} for name in OF_THE_PLUGIN}
    command = [sys.executable, "-I", str(PROGRAMS / "leaky.py")]
    stage.plugins["leaky"] = {"command": command, "secrets": secrets}
    port = free_port()
    token = {"file": str(stage.directory / "http")}
    stage.http = {"listen": f"{port.host}:{port.port}", "token": token}
    separator = "&" if "?" in stage.url else "?"
    stage.url += f"{separator}password={quote(PASSWORD, safe='')}"
    stage.create_ledger()
    host = await stage.start_host("--log-format", form, "--log-level", "debug")
    await host.logged("ready (leaky")
    wrong = await ask(port, "/", bearer("wrong"), method="POST")
    right = await ask(port, "/plugins/none/pause", bearer(TOKEN), method="POST")
    assert (wrong.status, right.status) != (right.status, wrong.status)
    return host


def bearer(token: str) -> dict[str, str]:
    return {"Authorization": f"Bearer {token}", "Content-Length": "0"}


@pytest.mark.parametrize("form", ["human", "journal", "json"])
async def test_a_secret_is_in_nothing_that_we_write(
    stage: Stage, form: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PGPASSWORD", OF_LIBPQ)
    async with service_manager(stage.directory) as manager:
        monkeypatch.setenv("NOTIFY_SOCKET", manager.address)
        host = await leaking(stage, form)
        monkeypatch.delenv("NOTIFY_SOCKET")
        frames = await frames_of_two_events(stage, host)
        outputs = {
            "the log": "\n".join(host.log),
            "what systemd is told": "\n".join(manager.told),
            "frames": frames,
            **await answers(stage),
            **{f"ledger.{name}": rows(stage, name) for name in ("event", "delivery")},
            **dict(of_processes(host)),
            **dict(of_files(stage.directory / "state")),
            **dict(of_commands(stage)),
            "status": await said(stage, "status"),
            "doctor": await said(stage, "doctor") if form == "human" else "",
        }
    leaks = {name: found_in(text) for name, text in outputs.items() if found_in(text)}
    assert leaks == {}
    for name in ("the log", "frames", "ledger.delivery", "/status.json", "dead show"):
        assert outputs[name].count("***") >= len(OF_THE_PLUGIN), name
    assert await host.terminate() == 0
    assert found_in("\n".join(host.log)) == []


async def frames_of_two_events(stage: Stage, host: Host) -> str:
    """A dead letter, a crash, and a failure to be tried again, as they are recorded."""
    output = ("--output", str(stage.directory / "frames"))
    async with looking(stage, "record", "leaky", *output) as recorder:
        assert recorder.process.stderr is not None
        await recorder.process.stderr.receive_some()
        for words in ("failed, given up", "last words"):
            (build,) = queue_builds(stage.hydra)
            finish_build(stage.hydra, build)
            await host.logged(words)
        await host.logged("failed, to be tried again")
        await stage.until(lambda: len(stage.ledger()) == 2)
        await recorder.interrupted()
    return await trio.Path(stage.directory / "frames").read_text()


async def answers(stage: Stage) -> dict[str, str]:
    """What is to be had over the host's own socket."""
    said: dict[str, Answer] = {}
    for target in ("/", "/status.json", "/metrics", "/plugins/leaky"):
        said[target] = await ask(stage.directory / "state" / "host.sock", target)
        assert said[target].status == 200, target
    return {target: answer.body.decode() for target, answer in said.items()}


def rows(stage: Stage, table: str) -> str:
    return str(stage.watcher.execute((EVERY_ROW + table).encode()).fetchall())


def of_processes(host: Host) -> Iterator[tuple[str, str]]:
    """Command lines of the host and of its plugins, and the environment of these."""
    pid = host.process.pid
    # Each thread has those that it has started.
    threads = Path(f"/proc/{pid}/task").glob("*/children")
    children = " ".join(thread.read_text() for thread in threads).split()
    yield "the host's command line", Path(f"/proc/{pid}/cmdline").read_text()
    for child in children:
        for name in ("cmdline", "environ"):
            yield f"{name} of {child}", Path(f"/proc/{child}/{name}").read_text()
    assert children


def of_files(directory: Path) -> Iterable[tuple[str, str]]:
    """All that is kept in files."""
    return [
        (str(path), path.read_bytes().decode("utf-8", "replace"))
        for path in directory.rglob("*")
        if path.is_file()
    ]


def of_commands(stage: Stage) -> Iterator[tuple[str, str]]:
    commands = Commands(stage.directory / "hydra-notify.toml")
    for words in ("check-config", "dead list", "pending", "ledger status"):
        yield words, commands.said(*words.split())
    (letter,) = json.loads(commands.said("dead", "list", "--json"))
    yield "dead show", commands.said("dead", "show", str(letter["event"]))
    yield "dead list --json", json.dumps(letter)


async def said(stage: Stage, command: str) -> str:
    """What a command says that asks the host."""
    config = str(stage.directory / "hydra-notify.toml")
    done: subprocess.CompletedProcess[bytes] = await trio.run_process(
        [*PROGRAM, command, "--config", config],
        capture_stdout=True,
        capture_stderr=True,
        check=False,
    )
    text = (done.stdout + done.stderr).decode()
    assert "leaky" in text
    return text


def test_what_libpq_quotes_of_an_address_is_hidden(tmp_path: Path) -> None:
    commands = Commands(tmp_path / "hydra-notify.toml")
    for rest in ("h:no/db", "h/db?what=ever", "h/db?sslmode=no", "h%zz/db"):
        for password in ("pw%zzqq", "pwzzqq%", "pwzzqq"):
            commands.configure(f"postgresql://u:{password}@{rest}", {})
            assert "zzqq" not in commands.said("ledger", "status", status=69)
