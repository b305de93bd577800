"""`plugin restart`, `pause` and `resume`: what is asked of the host, what is said."""

import os
import signal
from collections.abc import Sequence
from pathlib import Path

import msgspec
import pytest
import tomli_w
from tests import pretended_host
from tests.command_line import Commands
from tests.pretended_host import Answer, pretending
from tests.statuses import NOW

from hydra_notify.cli import plugin_orders
from hydra_notify.http import SOCKET_NAME
from hydra_notify.metrics import PluginState, Role
from hydra_notify.status import PluginStatus

WELL = pretended_host.plugin("chat", queued=12)
DRAINING = pretended_host.plugin("chat", state=PluginState.DRAINING, in_flight=3)
STARTING = pretended_host.plugin(
    "chat", state=PluginState.STARTING, started_at=NOW + 1, pid=None
)
AGAIN = pretended_host.plugin("chat", started_at=NOW + 1, pid=4712)


class Course:
    """A host whose plugin changes from one look to the next; the last is repeated."""

    def __init__(self, *looks: PluginStatus, refusal: Answer | None = None) -> None:
        self._looks: list[PluginStatus] = list(looks)
        self._refusal = refusal

    def __call__(self, method: str, _: str) -> Answer:
        if method == "POST":
            return self._refusal or (200, b"{}")
        now = self._looks.pop(0) if len(self._looks) > 1 else self._looks[0]
        return 200, msgspec.json.encode(pretended_host.host(now))


@pytest.fixture
def commands(tmp_path: Path) -> Commands:
    commands = Commands(tmp_path / "hydra-notify.toml")
    state = {"state_dir": str(tmp_path)}
    commands.path.write_text(tomli_w.dumps({"host": state}))
    return commands


def said(
    commands: Commands, course: Course, arguments: Sequence[str], status: int = 0
) -> str:
    """What a command says at a host; it must have given its order once."""
    with pretending(commands.path.parent / SOCKET_NAME, course) as host:
        output = commands.said("plugin", *arguments, status=status)
    orders = [target for method, target in host.asked if method == "POST"]
    assert orders == [f"/plugins/chat/{arguments[0]}"]
    return output


def test_pausing_says_what_follows_and_what_waits(commands: Commands) -> None:
    paused = msgspec.structs.replace(WELL, paused=True)
    assert said(commands, Course(WELL, paused), ["pause", "chat"]) == (
        "chat is paused: it is sent nothing until it is resumed or the host restarts;"
        " 12 deliveries wait, and 1 delivery is sent and may still be answered\n"
    )
    output = said(commands, Course(paused), ["pause", "chat"])
    assert output.startswith("chat is paused already: ")


def test_resuming_says_what_waits_or_that_nothing_was_paused(
    commands: Commands,
) -> None:
    paused = msgspec.structs.replace(WELL, paused=True)
    output = said(commands, Course(paused, WELL), ["resume", "chat"])
    assert output == "chat is resumed; 12 deliveries wait and are sent in order\n"
    output = said(commands, Course(AGAIN), ["resume", "chat"])
    assert output == "chat was not paused; nothing waits for it\n"


def test_a_restart_is_waited_for(commands: Commands) -> None:
    course = Course(WELL, DRAINING, STARTING, AGAIN)
    assert said(commands, course, ["restart", "chat"]).splitlines() == [
        "chat: draining, 3 in flight",
        "chat: starting",
        "chat is started again (chat 1.4, pid 4712): ready",
    ]


def test_a_restart_that_fails_says_why(commands: Commands) -> None:
    disabled = msgspec.structs.replace(
        WELL, state=PluginState.DISABLED, last_error="old", last_error_at=NOW - 9
    )
    failed = msgspec.structs.replace(
        disabled, last_error="cannot start: No such file\x1b", last_error_at=NOW
    )
    # As long as it is disabled for the old reason, nothing has come of it yet.
    course = Course(disabled, disabled, STARTING, failed)
    output = said(commands, course, ["restart", "chat"], 1)
    last = "hydra-notify: chat did not start (disabled): cannot start: No such file·"
    assert output.splitlines() == ["chat: starting", last]


def test_a_restart_is_not_waited_for_without_end(
    commands: Commands, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(plugin_orders, "READY_LIMIT", 0.0)
    output = said(commands, Course(DRAINING), ["restart", "chat"], 1)
    assert "chat is not ready after 0 s: it is draining, 3 in flight; " in output


def test_ctrl_c_ends_the_wait_alone(commands: Commands) -> None:
    course = Course(WELL)

    def interrupting(method: str, target: str) -> Answer:
        if method == "GET" and ("POST", "/plugins/chat/restart") in host.asked:
            os.kill(os.getpid(), signal.SIGINT)
        return course(method, target)

    with pretending(commands.path.parent / SOCKET_NAME, interrupting) as host:
        output = commands.said("plugin", "restart", "chat", status=1)
    assert "what was ordered is done all the same" in output


def test_what_there_is_not_is_said_with_what_there_is(commands: Commands) -> None:
    socket = commands.path.parent / SOCKET_NAME
    with pretending(
        socket, pretended_host.host(WELL, pretended_host.plugin("b"))
    ) as at:
        output = commands.said("plugin", "pause", "chta", status=1)
        assert output == "hydra-notify: there is no plugin chta; there are: chat, b\n"
    assert all(method == "GET" for method, _ in at.asked)
    with pretending(socket, pretended_host.host(WELL, role=Role.STANDBY)) as at:
        output = commands.said("plugin", "restart", "chat", status=1)
        assert "this host is standby, and runs no plugins" in output
    assert all(method == "GET" for method, _ in at.asked)
    refusal = (409, b'{"error": "it is just being restarted"}')
    output = said(commands, Course(WELL, refusal=refusal), ["restart", "chat"], 1)
    assert output == "hydra-notify: the host says: it is just being restarted\n"
    output = commands.said("plugin", "resume", "chat", status=1)
    assert output.startswith("hydra-notify: no host listens at /")
