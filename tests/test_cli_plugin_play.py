"""`plugin send` as a person meets it."""

import json
import sys
from pathlib import Path

import pytest
from tests.command_line import Commands

PROGRAMS = Path(__file__).parent / "programs"
OBLIGING = (sys.executable, "-S", str(PROGRAMS / "obliging.py"))


@pytest.fixture
def commands(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Commands:
    monkeypatch.setenv("XDG_RUNTIME_DIR", str(tmp_path))
    monkeypatch.chdir(tmp_path)
    return Commands(tmp_path / "hydra-notify.toml")


def send(commands: Commands, *arguments: str, status: int = 0) -> str:
    said: str = commands.said("plugin", "send", *arguments, status=status)
    return said


def test_one_event_for_a_program(commands: Commands) -> None:
    event = ("build_finished", "--set", "buildStatus=timed_out")
    said = send(commands, *event, "--", *OBLIGING)
    assert ':7"' in said
    assert "= delivered" in said
    assert "initialize" not in said
    assert "shutdown" not in said


@pytest.mark.parametrize(
    ("order", "words", "status"),
    [
        ({"exit": 3}, "= it ended before it answered", 1),
        ({"reply": {"error": {"code": 404, "message": "no"}}}, "= dead: 404 no", 1),
        ({"reply": {"result": {"status": "skipped"}}}, "= skipped", 0),
    ],
)
def test_the_exit_status_says_whether_it_was_delivered(
    commands: Commands, order: dict[str, object], words: str, status: int
) -> None:
    edit = ("--set", f"job={json.dumps(order)}")
    said = send(commands, "build_queued", *edit, "--", *OBLIGING, status=status)
    assert words in said


def test_frames_for_a_pipe_are_a_conversation(commands: Commands) -> None:
    Path("told.toml").write_text('settings.room = "x"\nsecrets.token = "s3cret"\n')
    said = send(commands, "eval_failed", "--print", "--config", "told.toml")
    hello, event = map(json.loads, said.splitlines())
    assert hello["method"] == "initialize"
    assert hello["params"]["config"] == {"room": "x"}
    assert hello["params"]["secrets"] == {"token": "s3cret"}
    assert event["params"]["name"] == "eval_failed"


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        (("build_finishd", "--print"), "did you mean build_finished?"),
        (("eval_added", "--print", "--set", "evl.id=1"), "did you mean eval?"),
        (("eval_added",), "no plugin runs; start one with `hydra-notify plugin run"),
        (("eval_added", "--", "./missing"), "./missing does not exist"),
        (("eval_added", "--to", "x", "--print"), "--to names a run"),
        (("eval_added", "--config", "x"), "--config is for `plugin run`"),
        (("eval_added", "--print", "--config", "x.toml"), "x.toml does not exist"),
    ],
)
def test_what_cannot_be_sent_is_status_2_and_has_a_fix(
    commands: Commands, arguments: tuple[str, ...], says: str
) -> None:
    assert says in send(commands, *arguments, status=2)
