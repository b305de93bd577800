"""Looking at what a plugin says and is told, while it is at work."""

import json
import signal
import subprocess
from collections.abc import AsyncGenerator, Callable
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import trio
from tests import transcripts
from tests.end_to_end.stage import PATIENCE, PROGRAM, Frame, Stage

SECRET = "hunter22"

Line = dict[str, Any]


class Looker:
    """A running `hydra-notify plugin ...` and the lines that it writes."""

    def __init__(self, process: trio.Process) -> None:
        self.process = process
        self.lines: list[Line] = []
        self._rest = b""

    async def until(self, wanted: Callable[[Line], bool]) -> Line:
        """The next line that is wanted; those before it are passed over."""
        assert self.process.stdout is not None
        with trio.fail_after(PATIENCE):
            while True:
                while self.lines:
                    line = self.lines.pop(0)
                    if wanted(line):
                        return line
                chunk = await self.process.stdout.receive_some()
                assert chunk, "it has ended"
                *whole, self._rest = (self._rest + chunk).split(b"\n")
                assert SECRET.encode() not in chunk
                self.lines += [json.loads(line) for line in whole]

    async def tells(self, words: str) -> Line:
        """The next comment that holds `words`."""
        return await self.until(lambda line: words in str(line.get("text")))

    async def interrupted(self) -> tuple[int, str]:
        """Ctrl-C; its exit status, and what it said of itself."""
        self.process.send_signal(signal.SIGINT)
        return await self.ended()

    async def ended(self) -> tuple[int, str]:
        """Its exit status, and what it said of itself."""
        assert self.process.stderr is not None
        with trio.fail_after(PATIENCE):
            said = b"".join([chunk async for chunk in self.process.stderr])
            return await self.process.wait(), said.decode()


@asynccontextmanager
async def looking(stage: Stage, *arguments: str) -> AsyncGenerator[Looker]:
    """Look at a plugin of the stage in a process of its own."""
    config = str(stage.directory / "hydra-notify.toml")
    process: trio.Process = await trio.lowlevel.open_process(
        [*PROGRAM, "plugin", *arguments, "--config", config],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        cwd=stage.directory,
    )
    try:
        yield Looker(process)
    finally:
        with trio.CancelScope(shield=True):
            process.kill()
            await process.wait()
            for stream in (process.stdout, process.stderr):
                assert stream is not None
                await stream.aclose()


def with_secret(stage: Stage) -> None:
    """Put a plugin into the configuration that has one."""
    path = stage.directory / "token"
    path.write_text(SECRET)
    stage.puppet("one", secrets={"token": {"file": str(path)}})


async def echo(event: Frame) -> None:
    """Have the plugin say its secret in every way, then answer."""
    await event.write(f"the token is {SECRET}\n")
    escaped = SECRET.replace("h", "\\u0068")
    reply = json.dumps({"id": event.frame["id"], "result": {"note": "NOTE"}})
    await event.write(reply.replace("NOTE", escaped) + "\n")


async def shut_down(stage: Stage) -> None:
    """Have the plugin end when it is told to."""
    shutdown = await stage.frame("one", lambda frame: frame.method == "shutdown")
    await shutdown.succeed()


async def test_what_a_plugin_says_is_seen_without_secrets_and_over_its_restarts(
    stage: Stage,
) -> None:
    with_secret(stage)
    host = await stage.listening()
    async with looking(stage, "trace", "one", "--json") as looker:
        hello = await looker.until(lambda line: line["from"] == "host")
        assert hello["frame"]["method"] == "initialize"
        assert hello["frame"]["params"]["secrets"] == {"token": "***"}
        manifest = await looker.until(lambda line: line["from"] == "plugin")
        assert manifest["frame"]["result"]["name"] == "puppet"
        await looker.tells("from now on")
        build, (event,) = await stage.one_build("one")
        await echo(event)
        shown = await looker.until(lambda line: line["from"] == "host")
        assert shown["frame"] == event.frame
        stray = await looker.until(lambda line: line["from"] == "plugin")
        assert stray["raw"] == "the token is ***"
        answer = await looker.until(lambda line: line["from"] == "plugin")
        assert answer["frame"]["result"] == {"note": "***"}
        await stage.cleared(build)
        await event.exit(3)
        assert (await looker.until(lambda line: "exit" in line))["exit"] == 3
        await looker.tells("exit status 3; starting it again in")
        await looker.tells("started (pid ")
        hello = await looker.until(lambda line: line["from"] == "host")
        assert hello["frame"]["method"] == "initialize"
        await host.logged("one: ready", 2)
        stage.plugins["one"]["log_level"] = "debug"
        stage.nursery.start_soon(stage.reload, host)
        await shut_down(stage)
        await looker.tells("ended: its configuration was changed")
        hello = await looker.until(lambda line: line["from"] == "host")
        assert hello["frame"]["params"]["log_level"] == "debug"
        await host.logged("reloaded: ")
        async with looking(stage, "trace", "one") as other:
            assert other.process.stdout is not None
            words = b""
            while b"from now on" not in words:
                words += await other.process.stdout.receive_some()
            assert "→ i0-".encode() in words
            assert b" result of initialize {" in words
            assert await other.interrupted() == (0, "")
        host.process.terminate()
        await shut_down(stage)
        await looker.until(lambda line: line.get("end") is True)
        await looker.tells("ended: the host stops")
        assert await looker.ended() == (0, "")
        assert await host.ended() == 0


async def test_a_recording_is_a_transcript_and_is_not_overwritten(
    stage: Stage,
) -> None:
    with_secret(stage)
    host = await stage.listening()
    _, (before,) = await stage.one_build("one")
    async with looking(stage, "record", "one", "--events", "2") as looker:
        assert looker.process.stderr is not None
        said = await looker.process.stderr.receive_some()
        assert said == b"recording to one.jsonl; Ctrl-C ends it\n"
        # Asked before anybody looked: no replay could ask it.
        await before.succeed()
        for _ in range(2):
            _, (event,) = await stage.one_build("one")
            await echo(event)
        assert await looker.ended() == (0, "one.jsonl: 2 answered events of one\n")
    path = trio.Path(stage.directory / "one.jsonl")
    assert (await path.stat()).st_mode & 0o777 == 0o600
    assert SECRET not in await path.read_text()
    transcript = transcripts._read(Path(path))
    assert transcript.about.startswith("one (puppet 1), recorded at hydra-notify ")
    shape = [
        line.raw or (line.frame or {}).get("method", "answer")
        for line in transcript.lines
    ]
    turn = ["event", "the token is ***", "answer"]
    assert shape == ["initialize", "answer", *turn, *turn]
    async with looking(stage, "record", "one") as looker:
        status, words = await looker.ended()
        assert status == 1
        assert "one.jsonl is there already: use --force, or another" in words
    async with looking(stage, "trace", "two") as looker:
        status, words = await looker.ended()
        assert status == 1
        assert words == (
            "hydra-notify: the host says: there is no plugin 'two'; there are: one\n"
        )
    await host.kill()
    async with looking(stage, "trace", "one") as looker:
        status, words = await looker.ended()
        assert status == 1
        assert "no host listens at " in words
