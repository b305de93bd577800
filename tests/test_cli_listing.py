"""Tables: as wide as the terminal, as wide as they are without one."""

import sys

import click
import pytest
from rich.cells import cell_len

from hydra_notify.cli.listing import (
    Column,
    age,
    count_of,
    event_words,
    show_table,
    status_words,
)
from hydra_notify.events import Notification

COLUMNS = (
    Column("ID", number=True),
    Column("job", cut="begin"),
    Column("plugin"),
    Column("last failure", cut="end"),
)

ROWS = [
    ["7", "nixpkgs:trunk:hello.x86_64-linux", "github", "refused " * 30],
    ["123456", "nixos:unstable:tests." + "long" * 20, "mail", "日本語のエラー" * 20],
    ["8", "", "mail", ""],
]


def pretend_terminal(monkeypatch: pytest.MonkeyPatch, width: int) -> None:
    """Make what stdout is now a terminal so wide."""
    monkeypatch.setattr(sys.stdout, "isatty", lambda: True)
    monkeypatch.setenv("COLUMNS", str(width))


@pytest.mark.parametrize("width", [50, 60, 80, 120])
def test_no_line_is_wider_than_the_terminal(
    width: int, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    pretend_terminal(monkeypatch, width)
    show_table(COLUMNS, ROWS)
    lines = click.unstyle(capsys.readouterr().out).splitlines()
    assert max(map(cell_len, lines)) <= width
    assert "…" in lines[2]
    # The job's end says most.
    assert "x86_64-linux" in lines[2]


def test_where_there_is_no_room_the_last_column_has_lines_of_its_own(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    pretend_terminal(monkeypatch, 50)
    show_table(COLUMNS, ROWS)
    head, _, *lines = capsys.readouterr().out.splitlines()
    assert "last failure" not in head
    assert [line.lstrip().startswith("└ ") for line in lines] == [
        False,
        True,
        False,
        True,
        False,
    ]


def test_on_a_terminal_of_no_width_it_is_still_written(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    pretend_terminal(monkeypatch, 10)
    show_table(COLUMNS, ROWS)
    assert "github" in capsys.readouterr().out


def test_without_a_terminal_nothing_is_cut_or_coloured(
    capsys: pytest.CaptureFixture[str],
) -> None:
    show_table(COLUMNS, ROWS)
    lines = capsys.readouterr().out.splitlines()
    assert len(lines) == 1 + len(ROWS)
    assert lines[0].split() == ["ID", "job", "plugin", "last", "failure"]
    assert lines[2].endswith("日本語のエラー" * 20)
    assert "\x1b" not in "".join(lines)
    assert not any(line.endswith(" ") for line in lines)


def test_a_table_may_have_no_rows(capsys: pytest.CaptureFixture[str]) -> None:
    show_table(COLUMNS, [])
    assert capsys.readouterr().out == "ID  job  plugin  last failure\n"


@pytest.mark.parametrize(
    ("seconds", "words"),
    [
        (-5, "0 s"),
        (0.4, "0 s"),
        (119, "119 s"),
        (120, "2 min"),
        (7199, "119 min"),
        (7200, "2 h"),
        (172_800, "2 d"),
        (1e9, "11574 d"),
    ],
)
def test_a_time_is_told_in_one_unit(seconds: float, words: str) -> None:
    assert age(seconds) == words


def test_events_statuses_and_numbers_in_words() -> None:
    assert event_words(Notification("eval_added", "a\t1\t2")) == "eval_added a 1 2"
    long = event_words(Notification("build_finished", "\t".join(["123"] * 50)))
    assert (len(long), long[-1]) == (30, "…")
    assert status_words(6, finished=True) == "failed with output"
    assert status_words(99, finished=True) == "99"
    assert status_words(None, finished=True) == "unknown"
    assert status_words(0, finished=False) == "restarted"
    assert (count_of(1, "row"), count_of(2000, "row")) == ("1 row", "2,000 rows")
