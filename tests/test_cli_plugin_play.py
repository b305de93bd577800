"""`plugin send` and `plugin replay` as a person meets them."""

import json
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest
from tests import transcripts
from tests.command_line import Commands

from hydra_notify.kit.replay.steps import lives
from hydra_notify.kit.replay.transcript import Step

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


# Recordings

GOLDEN = ("cancel", "parse_error", "not_yet_started", "window_out_of_order")


@pytest.mark.parametrize("name", GOLDEN)
def test_a_golden_conversation_is_the_same_again(commands: Commands, name: str) -> None:
    file = str(transcripts.FOLDER / f"{name}.jsonl")
    plugin = (sys.executable, str(PROGRAMS / "scripted.py"), name)
    said = commands.said("plugin", "replay", file, "--", *plugin)
    assert "all alike" in said
    assert "different" not in said


def recording(*replies: Mapping[str, object]) -> str:
    """A file of a conversation in which events were answered so."""
    hello = {
        "protocol_versions": [1],
        "host": {"name": "hydra-notify", "version": "0"},
        "instance": "chat",
        "config": {"manifest": {"max_in_flight": 9}},
        "secrets": {"token": "***"},
        "state_dir": "/var/lib/gone",
    }
    manifest = {"protocol_version": 1, "name": "obliging", "version": "0"}
    manifest |= {"events": ["*"], "max_in_flight": 9}
    steps: list[dict[str, Any]] = [
        {"from": "comment", "text": "recorded"},
        {"from": "host", "t": 0, "frame": _frame("i0-a", "initialize", hello)},
        {"from": "plugin", "t": 9, "frame": {"id": "i0-a", "result": manifest}},
    ]
    for number, reply in enumerate(replies):
        name = f"e{number}-a"
        delivery = {"attempt": 1, "redelivered": False, "timeout_ms": 1000}
        data = {"build": 1, "job": {"reply": reply}}
        event = {"id": "build_finished:1", "source": "x", "type": "x", "data": data}
        params = {"name": "build_finished", "delivery": delivery, "event": event}
        steps += [
            {"from": "host", "t": 10, "frame": _frame(name, "event", params)},
            {"from": "plugin", "t": 11, "frame": {"id": name, **reply}},
        ]
    Path("file.jsonl").write_text("".join(f"{json.dumps(step)}\n" for step in steps))
    return "file.jsonl"


def _frame(name: str, method: str, params: object) -> dict[str, object]:
    return {"jsonrpc": "2.0", "id": name, "method": method, "params": params}


def change(file: str, old: str, new: str) -> None:
    """Have the recording say something else than the plugin will."""
    lines = Path(file).read_text().splitlines(keepends=True)
    lines[-1] = lines[-1].replace(old, new)
    Path(file).write_text("".join(lines))


def test_settings_are_those_of_the_recording_and_masked_secrets_are_said(
    commands: Commands,
) -> None:
    file = recording({"result": {}}, {"result": {"status": "skipped"}})
    said = commands.said("plugin", "replay", file, "--", *OBLIGING)
    assert "the secret token is *** in the recording" in said
    assert "line 3: initialize: same, in other words: result.version" in said
    assert "all alike: 3 answers" in said


def test_settings_and_secrets_of_ones_own_win(commands: Commands) -> None:
    file = recording({"result": {}})
    Path("my.toml").write_text('settings.a = 1\nsecrets.token = "s3cret"\n')
    said = commands.said(
        "plugin", "replay", file, "--config", "my.toml", "--", *OBLIGING, status=1
    )
    assert "the secret token" not in said
    assert "initialize: different: result.version, result.max_in_flight" in said


def test_another_code_is_a_difference_and_another_message_is_not(
    commands: Commands,
) -> None:
    error = {"error": {"code": 429, "message": "slow"}}
    file = recording(error)
    change(file, "slow", "fast")
    said = commands.said("plugin", "replay", file, "--", *OBLIGING)
    assert "same, in other words: error.message" in said
    change(file, "429", "404")
    said = commands.said("plugin", "replay", file, "--", *OBLIGING, status=1)
    assert "event build_finished: different: error.code, error.message" in said
    assert "not the same: 1 alike, 1 not" in said


def test_a_redelivery_is_marked_as_one(commands: Commands) -> None:
    file = recording({"result": {}})
    see = (
        "import sys, json\n"
        "for line in sys.stdin:\n"
        "    frame = json.loads(line)\n"
        "    print(frame['params'].get('delivery'), file=sys.stderr, flush=True)\n"
        "    print(json.dumps({'id': frame['id'], 'result': {}}), flush=True)\n"
    )
    plugin = (sys.executable, "-S", "-c", see)
    said = commands.said(
        "plugin", "replay", file, "--as-redelivery", "--", *plugin, status=1
    )
    assert "'attempt': 2, 'redelivered': True" in said


def test_a_plugin_that_ends_is_a_difference_and_the_rest_is_not_sent(
    commands: Commands,
) -> None:
    file = recording({"result": {}}, {"result": {}})
    plugin = (sys.executable, "-S", "-c", "import sys; input(); sys.exit(3)")
    said = commands.said("plugin", "replay", file, "--", *plugin, status=1)
    assert "initialize: different: no answer: the plugin has ended" in said
    assert "the end: different: it has ended: exit status 3" in said
    assert "the rest: different: lines 4 to 6 are not sent to it" in said


def test_ids_tell_one_life_in_a_recording_from_the_next() -> None:
    def step(number: int, name: str, method: str) -> Step:
        return Step(number, "host", _frame(name, method, {}))

    first = [step(1, "i0-a", "initialize"), step(2, "e1-a", "event")]
    second = [step(3, "i0-b", "initialize"), step(4, "i0-b", "initialize")]
    assert list(lives([*first, *second])) == [first, second]


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("", "holds no frame of a host; record one"),
        ("[plugins.chat]\n", "line 1 is not JSON"),
        ('{"from": "host"}\n', "line 1 has neither frame, raw, end nor exit"),
        ('\n{"from": "hist", "frame": {}}\n', 'line 2 is from "hist"'),
        ('{"jsonrpc": "2.0", "id": "1"}\n', "line 1 is no step of a conversation"),
        ('{"from": "host", "frame": {"id": "1"}}\n', "line 1 is a frame of the host"),
        (
            '{"from": "host", "frame": {"method": "event", "params": '
            '{"$sample": "build_finishd"}}}\n',
            "$sample: build_finishd is no event; did you mean build_finished?",
        ),
    ],
)
def test_what_is_no_transcript_is_an_error_with_line_and_fix(
    commands: Commands, text: str, says: str
) -> None:
    Path("file.jsonl").write_text(text)
    said = commands.said("plugin", "replay", "file.jsonl", "true", status=2)
    assert says in said
    assert "; " in said
