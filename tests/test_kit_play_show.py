"""What an author sees: words for outcomes and exits, payloads that fit a screen."""

import errno
import io
import json
import re
from pathlib import Path

import pytest

from hydra_notify.errors import PluginError
from hydra_notify.kit.play.happenings import Read, Wrote
from hydra_notify.kit.play.payload import cut, pretty
from hydra_notify.kit.play.screen import Screen
from hydra_notify.kit.play.show import Show
from hydra_notify.kit.play.words import (
    command_of,
    end_words,
    outcome_words,
    start_words,
)
from hydra_notify.outcomes import DELIVERED, Dead, Delivered, Outcome, Retry
from hydra_notify.plugin_log import masker


@pytest.mark.parametrize(
    ("outcome", "words", "tone"),
    [
        (DELIVERED, "delivered", "good"),
        (Delivered(skipped=True, note="no input"), "skipped: no input", "good"),
        (Dead("422 no"), "dead: 422 no (a dead letter: not sent again)", "bad"),
        (Retry("500 oh"), "retry in 2 s, then 4, 8, ...: 500 oh", "middling"),
        (Retry("500 oh", after=30.0), "retry in 30 s: 500 oh", "middling"),
        (
            Retry("429 slow", after=600.0, pause=600.0),
            "retry in 10 min: 429 slow "
            "(pauses the plugin: nothing else is sent until then)",
            "middling",
        ),
        (
            Retry("no answer in time", unanswered=True),
            "no answer in time (retry, marked as redelivered)",
            "bad",
        ),
    ],
)
def test_an_outcome_has_words(outcome: Outcome, words: str, tone: str) -> None:
    assert outcome_words(outcome) == (words, tone)


def test_refused_credentials_block() -> None:
    words, tone = outcome_words(Retry("401 bad token", block=True))
    assert words.startswith("blocked: credentials: 401 bad token (nothing more is sent")
    assert tone == "bad"


@pytest.mark.parametrize(
    ("status", "asked", "says"),
    [
        (0, True, "it has ended: exit status 0"),
        (0, False, "too early: a plugin runs until its stdin ends"),
        (3, False, "exit status 3; the host starts it again after 1 s"),
        (77, False, "lacks a permission; the host does not start it again until"),
        (-9, False, "killed by SIGKILL"),
    ],
)
def test_an_end_has_words(status: int, asked: bool, says: str) -> None:
    words, tone = end_words(status, asked=asked)
    assert says in words
    assert tone == ("good" if asked else "bad")


def test_json_for_the_eyes_says_the_same() -> None:
    value = {"a": [1, {"b": "x" * 30}], "c": {}, "d": "line\nbreak", "e": [[]] * 40}
    lines = pretty(value, 40, lambda text: text)
    assert json.loads("".join(lines)) == value
    assert max(map(len, lines)) <= 40
    assert pretty({"a": 1}, 40, lambda text: text) == ['{"a": 1}']


def test_what_a_terminal_would_obey_is_escaped_and_secrets_are_not_shown() -> None:
    value = {"key": "s3cret \u202e\x1b[2J", "long": "s3cret " * 20}
    text = "".join(pretty(value, 40, masker(["s3cret"])))
    assert "s3cret" not in text
    assert text.isprintable()


def test_what_does_not_fit_is_counted() -> None:
    assert cut(["a"] * 5, 5) == (["a"] * 5, "")
    shown, rest = cut(["  1234"] * 300, 5)
    assert (len(shown), rest) == (4, "... 1,184 bytes more")


async def test_a_terminal_gets_payloads_cut_to_a_screen_and_a_prompt(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    for name, value in (("FORCE_COLOR", "1"), ("COLUMNS", "80"), ("LINES", "20")):
        monkeypatch.setenv(name, value)
    monkeypatch.delenv("NO_COLOR", raising=False)
    file = io.StringIO()
    show = Show(Screen(prompt="plugin> ", file=file))
    show.screen.ask()
    show.screen.ask()
    params = {"name": "x", "data": {str(n): "y" * 50 for n in range(40)}}
    frame = {"jsonrpc": "2.0", "id": "e1", "method": "event", "params": params}
    show(Wrote(json.dumps(frame).encode()))
    show(Read(b'{"id":"e1","result":{}}'))
    text = file.getvalue()
    assert text.count("plugin> ") == 1
    assert "\x1b[36m→" in text
    assert "bytes more" in text
    assert text.count('yyy"') < 20
    plain = re.sub(r"\x1b\[[0-9;]*[mK]", "", text)
    assert max(map(len, plain.splitlines())) <= 80
    assert re.search(r"← result of event  e1  after \d+ ms  \{\}", plain)


def test_a_program_is_found_where_it_was_typed(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    program = tmp_path / "chat"
    program.write_text("#!/bin/sh\n")
    with pytest.raises(PluginError, match=r"not executable; chmod \+x \./chat"):
        command_of(["./chat"])
    program.chmod(0o755)
    assert command_of(["./chat", "-x"]) == (str(program), "-x")
    assert command_of(["chat", "chat"]) == (str(program), str(program))
    assert command_of(["sh"]) == ("sh",)
    with pytest.raises(PluginError, match=r"chit is neither in PATH nor a file here"):
        command_of(["chit"])
    with pytest.raises(PluginError, match=r"\./chit does not exist"):
        command_of(["./chit"])
    with pytest.raises(PluginError, match=r"/ is a directory"):
        command_of(["/"])


def test_a_missing_interpreter_is_told_from_a_missing_program(tmp_path: Path) -> None:
    program = tmp_path / "chat"
    program.write_text("#!/no/such/interpreter\n")
    missing = FileNotFoundError(errno.ENOENT, "No such file or directory")
    assert "the interpreter that its first line" in start_words(missing, str(program))
    denied = PermissionError(errno.EACCES, "Permission denied")
    assert start_words(denied, "./chat").endswith("Permission denied; chmod +x ./chat")
    format_error = OSError(errno.ENOEXEC, "Exec format error")
    assert "#!/usr/bin/env" in start_words(format_error, str(program))
