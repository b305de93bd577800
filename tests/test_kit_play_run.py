"""`plugin run`: a plugin kept running, and what its author is told."""

import io
import os
import re
import shutil
import signal
import subprocess
import sys
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager, suppress
from pathlib import Path

import pytest
import trio
from trio.testing import MockClock

from hydra_notify.errors import HydraNotifyError
from hydra_notify.kit.play import door
from hydra_notify.kit.play.orders import obey
from hydra_notify.kit.play.run import Run
from hydra_notify.kit.play.screen import Screen
from hydra_notify.kit.play.show import Show
from hydra_notify.kit.settings import Settings

OBLIGING = Path(__file__).parent / "programs" / "obliging.py"
LIMIT = 60.0
"""Seconds for what is waited for: far beyond what it takes."""


class Heard(io.StringIO):
    """What was printed, and a way to wait for it."""

    def __init__(self) -> None:
        super().__init__()
        self.text = ""
        self._news = trio.Event()

    def write(self, text: str) -> int:
        self.text += text
        self._news.set()
        return len(text)

    async def until(self, pattern: str, times: int = 1) -> None:
        with trio.fail_after(LIMIT):
            while len(re.findall(pattern, self.text)) < times:
                self._news = trio.Event()
                await self._news.wait()


@pytest.fixture
def heard(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Heard:
    monkeypatch.setenv("XDG_RUNTIME_DIR", str(tmp_path))
    return Heard()


class Played:
    """A run, the descriptor its commands are typed into, and how it ended."""

    def __init__(self, run: Run, descriptor: int) -> None:
        self.run = run
        self.well: bool | None = None
        self._descriptor = descriptor

    def type(self, *lines: str) -> None:
        os.write(self._descriptor, "".join(f"{line}\n" for line in lines).encode())

    def close(self) -> None:
        with suppress(OSError):
            os.close(self._descriptor)


@asynccontextmanager
async def played(
    tmp_path: Path,
    heard: Heard,
    *,
    program: Path = OBLIGING,
    watched: bool = False,
    typed: bool = False,
    settings: Settings | None = None,
) -> AsyncGenerator[Played]:
    """A plugin that is kept running; on leaving its input ends, and so does it."""
    settings = settings or Settings()
    state_dir = tmp_path / f"state-{program.stem}"
    state_dir.mkdir(exist_ok=True)
    run = Run(
        command=(sys.executable, "-S", str(program)),
        state_dir=state_dir,
        settings=settings,
        show=Show(Screen(settings.secrets.values(), file=heard)),
        typed=typed,
        watched=watched,
    )
    reading, writing = os.pipe()
    play = Played(run, writing)

    async def keep() -> None:
        play.well = await obey(run, program.name, reading)

    try:
        with trio.fail_after(LIMIT):
            async with trio.open_nursery() as nursery:
                nursery.start_soon(keep)
                yield play
                play.close()
    finally:
        play.close()
        os.close(reading)


def job(order: str) -> str:
    """A line that has the plugin do something."""
    return f"build_finished 'job={order}'"


async def test_what_is_typed_is_sent_and_the_answer_is_told(
    tmp_path: Path, heard: Heard
) -> None:
    async with played(tmp_path, heard) as play:
        play.type(
            "build_finished buildStatus=0", "eval_failed", "again", "ping", "help"
        )
    assert play.well
    assert re.findall(r"→ event (\w+)", heard.text) == [
        "build_finished",
        "eval_failed",
        "eval_failed",
    ]
    assert heard.text.count("= delivered") == 3
    assert '"attempt":2,"redelivered":true' in heard.text
    assert "← result of ping" in heard.text
    assert "send the last event once more" in heard.text
    assert "it has ended: exit status 0" in heard.text


async def test_each_event_is_another_one(tmp_path: Path, heard: Heard) -> None:
    async with played(tmp_path, heard) as play:
        play.type(*["build_finished"] * 2, *["eval_added"] * 2)
    ids = re.findall(r'"specversion":"1.0","id":"([^"]+)"', heard.text)
    assert len(set(ids)) == 4


async def test_a_repetition_that_was_asked_for_is_no_redelivery(
    tmp_path: Path, heard: Heard
) -> None:
    error = '{"code":429,"message":"slow","data":{"retry_after_ms":60000}}'
    async with played(tmp_path, heard) as play:
        play.type(job(f'{{"reply":{{"error":{error}}}}}'), "again")
    assert play.well
    assert "= retry in 60 s: 429 slow (pauses the plugin" in heard.text
    assert '"attempt":2,"redelivered":false' in heard.text


async def test_no_plugin_and_no_order_is_a_start_and_an_end(
    tmp_path: Path, heard: Heard
) -> None:
    async with played(tmp_path, heard) as play:
        pass
    assert play.well
    assert "= ready: obliging 1 wants *" in heard.text
    assert "→ shutdown" in heard.text


async def test_a_crash_is_explained_and_ends_it_all(
    tmp_path: Path, heard: Heard
) -> None:
    async with played(tmp_path, heard) as play:
        play.type(job('{"say":"[ERROR] no room","exit":78}'), "build_finished")
        await heard.until("it has ended by itself")
    assert play.well is False
    assert "│ error: no room" in heard.text
    assert "exit status 78: it says its configuration is wrong" in heard.text
    assert "does not start it again until its configuration changes" in heard.text
    assert "it ended before it answered (retry, marked as redelivered)" in heard.text
    assert heard.text.count("→ event") == 1


async def test_text_on_stdout_is_forgiven_and_a_bad_frame_is_not(
    tmp_path: Path, heard: Heard
) -> None:
    async with played(tmp_path, heard) as play:
        play.type(job('{"write":"Loading...\\n"}'))
    assert play.well
    assert "← Loading..." in heard.text
    assert "print to stderr, or use the SDK" in heard.text
    async with played(tmp_path, heard) as play:
        play.type(job('{"write":"{\\"id\\": 7}\\n"}'))
    assert play.well is False
    assert "! bad frame: " in heard.text


async def test_a_refusal_is_told_in_the_plugins_words(
    tmp_path: Path, heard: Heard
) -> None:
    refuse = {"code": 422, "message": "settings.room: is required"}
    async with played(
        tmp_path, heard, settings=Settings(settings={"refuse": refuse})
    ) as play:
        await heard.until("= refused")
    assert play.well is False
    assert "until its configuration changes: 422 settings.room" in heard.text


async def test_secrets_are_told_to_the_plugin_and_to_nobody_else(
    tmp_path: Path, heard: Heard
) -> None:
    settings = Settings(secrets={"token": "s3cret"})
    async with played(tmp_path, heard, settings=settings) as play:
        play.type(job('{"say":"token s3cret"}'))
    assert '"secrets":{"token":"***"}' in heard.text
    assert "token ***" in heard.text
    assert "s3cret" not in heard.text


async def test_a_plugin_that_hangs_is_told_of_as_the_daemon_sees_it(
    tmp_path: Path, heard: Heard, mock_clock: MockClock
) -> None:
    mock_clock.rate = 20
    settings = Settings(settings={"manifest": {"timeout_ms": 1000}})
    async with played(tmp_path, heard, settings=settings) as play:
        play.type(job('{"hang":true}'))
        await heard.until("it has ended")
    assert play.well is False
    assert "→ cancel" in heard.text
    assert "= no answer in time (retry, marked as redelivered)" in heard.text
    assert "the host ends it (hang)" in heard.text


async def test_an_event_that_the_manifest_does_not_name_is_remarked_on(
    tmp_path: Path, heard: Heard
) -> None:
    settings = Settings(settings={"manifest": {"events": ["build_*"]}})
    async with played(tmp_path, heard, settings=settings) as play:
        play.type("eval_added", "build_queued")
    assert heard.text.count("the host would not send this") == 1


async def test_who_types_is_asked_again_after_a_crash_and_a_mistake(
    tmp_path: Path, heard: Heard
) -> None:
    async with played(tmp_path, heard, typed=True) as play:
        play.type("build_finsihed", job('{"exit":3}'))
        await heard.until("type restart, or quit")
        play.type("build_finished", "restart", "build_finished")
        await heard.until("= delivered")
        play.type("quit")
    assert play.well
    assert "did you mean build_finished?" in heard.text
    assert "the plugin does not run; mend it, and type restart" in heard.text


async def test_an_event_that_finds_no_room_waits_and_that_is_said(
    tmp_path: Path, heard: Heard, mock_clock: MockClock
) -> None:
    mock_clock.rate = 20
    settings = Settings(settings={"manifest": {"timeout_ms": 1000}})
    async with played(tmp_path, heard, settings=settings, typed=True) as play:
        play.type(job('{"hang":true}'), "eval_added")
        await heard.until("it waits for the answer to another one")
        await heard.until("type restart, or quit")
    assert heard.text.count("→ event") == 1


async def test_a_change_starts_it_anew_and_sends_the_last_event_again(
    tmp_path: Path, heard: Heard
) -> None:
    program = tmp_path / "plugin" / "mine.py"
    program.parent.mkdir()
    shutil.copy(OBLIGING, program)
    good = program.read_text()
    async with played(tmp_path, heard, program=program, watched=True) as play:
        play.type("build_finished")
        await heard.until("= delivered")
        program.write_text("this is no python\n")
        await heard.until("it has ended by itself")
        await heard.until("mend it and save the file")
        (program.parent / "beside.txt").write_text("a part of it")
        program.write_text(good)
        await heard.until("= delivered", times=2)
    assert play.well
    assert '"attempt":2,"redelivered":true' in heard.text
    assert "has changed: starting the plugin anew and sending the last" in heard.text


async def test_another_program_of_the_user_can_send_events(
    tmp_path: Path, heard: Heard
) -> None:
    environ = {"XDG_RUNTIME_DIR": str(tmp_path)}

    async def ask(request: door.Request, wanted: str = "") -> door.Answer:
        return await trio.to_thread.run_sync(door.ask, request, wanted, environ)

    settings = Settings(secrets={"token": "s3cret"})
    async with played(tmp_path, heard, settings=settings) as play:
        await heard.until("= ready")
        (socket,) = (tmp_path / "hydra-notify").iterdir()
        assert socket.name == f"obliging.py.{os.getpid()}"
        assert socket.stat().st_mode & 0o777 == 0o600
        answer = await ask(door.Request("build_finished", ["buildStatus=0"]))
        assert (answer.words, answer.good) == ("delivered", True)
        assert '"result"' in answer.reply
        dead = '{"reply":{"error":{"code":422,"message":"no s3cret"}}}'
        answer = await ask(
            door.Request("build_finished", [f"job={dead}"]), "obliging.py"
        )
        assert answer.words.startswith("dead: 422 no ***")
        assert "s3cret" not in answer.reply
        assert not answer.good
        answer = await ask(door.Request("build_finshed"))
        assert "did you mean build_finished?" in answer.problem
        with pytest.raises(
            HydraNotifyError, match=r"no run is called other; there are"
        ):
            await ask(door.Request("build_finished"), "other")
        async with played(tmp_path, heard, program=renamed(tmp_path)) as second:
            await heard.until("= ready", times=2)
            with pytest.raises(HydraNotifyError, match="name one with --to"):
                await ask(door.Request("build_finished"))
            answer = await ask(door.Request("build_finished"), "other.py")
            assert answer.good
        assert second.well
    assert play.well
    assert list((tmp_path / "hydra-notify").iterdir()) == []
    with pytest.raises(HydraNotifyError, match="no plugin runs; start one"):
        await ask(door.Request("build_finished"))


def renamed(tmp_path: Path) -> Path:
    """The same plugin under another name."""
    path = tmp_path / "other.py"
    shutil.copy(OBLIGING, path)
    return path


def test_what_a_dead_run_has_left_is_removed(tmp_path: Path) -> None:
    environ = {"XDG_RUNTIME_DIR": str(tmp_path)}
    child = subprocess.Popen([sys.executable, "-S", "-c", ""])
    child.wait()
    code = "import socket, sys; socket.socket(socket.AF_UNIX).bind(sys.argv[1])"
    path = door.directory(environ) / f"chat.py.{child.pid}"
    subprocess.run([sys.executable, "-S", "-c", code, path], check=True)
    with pytest.raises(HydraNotifyError, match="no plugin runs"):
        door.ask(door.Request("build_finished"), "", environ)
    assert not path.exists()


def test_a_directory_of_others_is_not_trusted(tmp_path: Path) -> None:
    (tmp_path / "hydra-notify").mkdir(mode=0o755)
    with pytest.raises(HydraNotifyError, match="not a directory of yours alone"):
        door.directory({"XDG_RUNTIME_DIR": str(tmp_path)})


@pytest.mark.parametrize(
    ("typed", "status"), [("eval_added", 0), (job('{"hang":true}'), 1)]
)
def test_ctrl_c_ends_it_and_a_second_one_kills_what_hangs(
    tmp_path: Path, typed: str, status: int
) -> None:
    command = ["plugin", "run", "--", sys.executable, "-S", str(OBLIGING)]
    running = subprocess.Popen(
        [sys.executable, "-m", "hydra_notify", *command],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        env={**os.environ, "XDG_RUNTIME_DIR": str(tmp_path), "PYTHONUNBUFFERED": "1"},
        cwd=tmp_path,
        text=True,
    )
    with running:
        assert running.stdin is not None
        assert running.stdout is not None
        running.stdin.write(f"{typed}\n")
        running.stdin.flush()
        said = []
        for line in running.stdout:
            said.append(line)
            if "→ event" in line if status else "= delivered" in line:
                running.send_signal(signal.SIGINT)
            if status and "waiting for its answer; Ctrl-C again: kill it" in line:
                running.send_signal(signal.SIGINT)
        assert running.wait(LIMIT) == status
    assert ("→ shutdown" in "".join(said)) == (status == 0)
