"""`plugin trace` and `plugin record`: how frames look, and what can be wrong."""

import json
import re
import stat
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import pytest
import tomli_w
import trio
from click.testing import Result
from tests.command_line import Commands

from hydra_notify.http import (
    SOCKET_NAME,
    HostSocket,
    Reply,
    Request,
    Route,
    Server,
)

HELLO = {
    "jsonrpc": "2.0",
    "id": "i0-x",
    "method": "initialize",
    "params": {"host": {"name": "hydra-notify", "version": "9"}},
}
EVENT = {
    "id": "e1-x",
    "method": "event",
    "params": {"event": {"id": "build_finished:47"}, "long": "x" * 200},
}

LINES: list[dict[str, Any]] = [
    {"from": "comment", "t": 0, "text": "started (pid 42)"},
    {"from": "host", "t": 0, "frame": HELLO},
    {"from": "plugin", "t": 80, "frame": {"id": "e0-x", "result": {}}},
    {
        "from": "plugin",
        "t": 81,
        "frame": {"id": "i0-x", "result": {"name": "chat", "version": "1.4"}},
    },
    {"from": "host", "t": 2_000, "frame": EVENT},
    {
        "from": "plugin",
        "t": 2_100,
        "frame": {"method": "log", "params": {"message": "\x1b[31mhm\u202e"}},
    },
    {
        "from": "plugin",
        "t": 63_000,
        "frame": {"id": "e1-x", "error": {"code": 500, "message": "no"}},
    },
    {"from": "plugin", "t": 63_001, "raw": "Trace\x07back"},
    {"from": "plugin", "t": 63_002, "frame": {"id": None, "method": 5}},
    {"from": "host", "t": 63_003, "end": True},
    {"from": "plugin", "t": 63_004, "exit": -9},
]


@asynccontextmanager
async def host(commands: Commands) -> AsyncGenerator[None]:
    """Something that shows LINES of the plugin `chat`, as the host does."""

    async def frames(request: Request, reply: Reply) -> None:
        assert request.values["name"] == "chat"
        async with reply.stream("application/x-ndjson"):
            for line in LINES:
                await reply.add(json.dumps(line).encode() + b"\n")

    path = commands.path.parent / SOCKET_NAME
    async with trio.open_nursery() as nursery:
        server = Server(HostSocket(path), [Route("/plugins/{name}/frames", frames)])
        nursery.start_soon(server.run)
        while not await trio.Path(path).exists():
            await trio.lowlevel.checkpoint()
        yield
        nursery.cancel_scope.cancel()


@pytest.fixture
def commands(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Commands:
    monkeypatch.chdir(tmp_path)
    path = tmp_path / "hydra-notify.toml"
    path.write_text(tomli_w.dumps({"host": {"state_dir": str(tmp_path)}}))
    return Commands(path)


async def run(commands: Commands, *arguments: str) -> Result:
    """Run a command beside the host."""
    return await trio.to_thread.run_sync(commands.run, *arguments)


async def test_frames_are_lines_that_a_person_can_read(commands: Commands) -> None:
    async with host(commands):
        result = await run(commands, "plugin", "trace", "chat")
    assert result.exit_code == 0
    assert result.output.splitlines() == [
        "     0.000 · started (pid 42)",
        '     0.000 → i0-x initialize {"host":{"name":"hydra-notify","version":"9"}}',
        "     0.080 ← e0-x result",
        "     0.081 ← i0-x result of initialize after 81 ms"
        ' {"name":"chat","version":"1.4"}',
        "     2.000 → e1-x event build_finished:47"
        f' {{"event":{{"id":"build_finished:47"}},"long":"{"x" * 200}"}}',
        # Nothing of it acts on a terminal.
        '     2.100 ← log {"message":"\\u001b[31mhm·"}',
        '    63.000 ← e1-x error of event after 61000 ms {"code":500,"message":"no"}',
        "    63.001 ← no frame: Trace·back",
        "    63.002 ← None 5",
        "    63.003 → closes its stdin",
        "    63.004 ← exit -9",
    ]


async def test_on_a_terminal_no_line_is_wider_than_that(
    commands: Commands, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("FORCE_COLOR", "1")
    monkeypatch.setenv("COLUMNS", "60")
    async with host(commands):
        result = await run(commands, "plugin", "trace", "chat")
    lines = re.sub(r"\x1b\[[0-9;]*m", "", result.output).splitlines()
    assert len(lines) == len(LINES)
    assert max(map(len, lines)) == 60
    assert lines[4].startswith("     2.000 → e1-x event build_finished:47 ")
    assert lines[4].endswith("…")


async def test_programs_get_the_lines_as_they_are(commands: Commands) -> None:
    async with host(commands):
        result = await run(commands, "plugin", "trace", "chat", "--json")
    assert [json.loads(line) for line in result.stdout.splitlines()] == LINES


async def test_a_recording_says_what_it_is_of_and_leaves_out_what_nobody_asked(
    commands: Commands,
) -> None:
    output = commands.path.parent / "some.jsonl"
    async with host(commands):
        arguments = ("plugin", "record", "chat", "--output", str(output))
        result = await run(commands, *arguments)
        again = await run(commands, *arguments)
        forced = await run(commands, *arguments, "--events", "1", "--force")
    assert result.exit_code == 0
    assert "some.jsonl: 1 answered event of chat" in result.output
    assert again.exit_code == 1
    assert "is there already: use --force, or another --output" in again.output
    assert forced.exit_code == 0
    text = await trio.Path(output).read_text()
    first, *lines = map(json.loads, text.splitlines())
    words = r"chat \(chat 1\.4\), recorded at hydra-notify 9, 20\S+; secrets are \*\*\*"
    assert re.fullmatch(words, first["text"])
    assert lines == [*LINES[:2], *LINES[3:7]]
    mode = (await trio.Path(output).stat()).st_mode
    assert stat.S_IMODE(mode) == 0o600


async def test_a_recording_that_cannot_be_written_says_so(commands: Commands) -> None:
    async with host(commands):
        arguments = ("plugin", "record", "chat", "--output", "no/such/file")
        result = await run(commands, *arguments)
    assert result.exit_code == 1
    assert "no/such/file cannot be written: No such file" in result.output


def test_without_a_host_nothing_is_recorded(commands: Commands) -> None:
    said = commands.said("plugin", "record", "chat", status=1)
    assert said.startswith("hydra-notify: no host listens at /")
    assert not (commands.path.parent / "chat.jsonl").exists()


def test_nothing_that_is_not_asked_for_is_taken(commands: Commands) -> None:
    assert "'NAME'" in commands.said("plugin", "trace", status=2)
    assert "0" in commands.said("plugin", "record", "chat", "--events", "0", status=2)
