"""Man pages and completion: whole, and as the programs that read them want them."""

import os
import re
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import click
import pytest
from generate.completions import SHELLS
from tests.languages import need
from tests.packaging import PACKAGING
from tests.pages import ROOT

from hydra_notify.cli import main

PAGES = sorted((PACKAGING / "man").iterdir())

BIN = Path(sys.executable).parent


def rendered(page: Path) -> tuple[str, str]:
    """What a person reads, on one line, and what groff has against it."""
    need("groff")
    made = subprocess.run(
        ["groff", "-man", "-ww", "-Tascii", "-P-cbou", page],
        capture_output=True,
        text=True,
        timeout=60,
        check=True,
    )
    # Long words are divided at the end of a line.
    text = re.sub(r"-\n *", "-", made.stdout)
    return " ".join(text.split()), made.stderr


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_a_page_is_rendered_without_a_warning(page: Path, tmp_path: Path) -> None:
    text, warnings = rendered(page)
    assert warnings == ""
    assert text.startswith(page.stem.upper())
    bad = tmp_path / page.name
    bad.write_text(page.read_text() + ".NO_SUCH_MACRO\n\\[nosuchglyph]\n")
    assert rendered(bad)[1] != ""


def contexts(context: click.Context) -> Iterator[click.Context]:
    yield context
    if isinstance(context.command, click.Group):
        for name, command in context.command.commands.items():
            yield from contexts(click.Context(command, context, name))


def test_every_command_and_option_has_its_place() -> None:
    page = (PACKAGING / "man" / "hydra-notify.1").read_text().replace("\\-", "-")
    for context in contexts(click.Context(main, info_name="hydra-notify")):
        assert context.command_path in page
        for option in context.command.params:
            if isinstance(option, click.Option):
                assert f"\\fB{option.opts[0]}" in page, context.command_path


def test_an_exit_status_and_a_signal_are_explained() -> None:
    text, _ = rendered(PACKAGING / "man" / "hydra-notify.1")
    assert "69 the database cannot be reached" in text
    assert "SIGHUP The configuration is read again, see Reload." in text


def test_every_key_has_its_place() -> None:
    text, _ = rendered(PACKAGING / "man" / "hydra-notify.toml.5")
    reference = (ROOT / "hydra-notify.toml").read_text()
    explained, _, _ = reference.partition("[plugins.webhook]")
    keys = re.findall(r"^# (\w+) = ", explained, re.MULTILINE)
    assert len(keys) > 10
    assert [key for key in keys if f"{key} = " not in text] == []
    assert "[plugins.NAME.match]" in text


def test_bash_completes_commands_and_options(tmp_path: Path) -> None:
    need("bash")
    script = PACKAGING / "completions" / "hydra-notify.bash"
    asked = """
    source "$1"; shift
    COMP_WORDS=("$@"); COMP_CWORD=$(($# - 1))
    _hydra_notify_completion hydra-notify
    echo "${COMPREPLY[@]}"
    """

    def completed(*words: str) -> list[str]:
        made = subprocess.run(
            ["bash", "-c", asked, "bash", script, "hydra-notify", *words],
            env={**os.environ, "PATH": f"{BIN}:{os.environ['PATH']}"},
            cwd=tmp_path,
            capture_output=True,
            text=True,
            timeout=60,
            check=True,
        )
        return made.stdout.split()

    assert completed("led") == ["ledger"]
    assert {"run", "pending", "dead"} <= set(completed(""))
    assert completed("dead", "list", "--pl") == ["--plugin"]


@pytest.mark.parametrize("shell", SHELLS)
def test_a_shell_can_parse_its_completion(shell: str) -> None:
    need(shell)
    script = PACKAGING / "completions" / f"hydra-notify.{shell}"
    subprocess.run([shell, "-n", script], check=True, timeout=60)
