"""What docs/operating.md and docs/alerts have somebody type does its work."""

import re
import shlex
import shutil
import subprocess
from collections.abc import Callable, Iterator, Sequence
from functools import partial
from pathlib import Path
from typing import Final

import click
import pytest
import trio
from tests.command_line import Commands
from tests.end_to_end.stage import Stage
from tests.http_asking import free_port
from tests.packaging import unit
from tests.pages import ROOT, blocks, section
from tests.test_docs_operating import words_of_the_host
from tests.test_monitoring import NAMES

from hydra_notify.cli import main
from hydra_notify.demo.simulation.evaluator import queue_builds
from hydra_notify.demo.simulation.queue_runner import finish_build

OPERATING: Final = ROOT / "docs" / "operating.md"
PAGES: Final = [OPERATING, *sorted((ROOT / "docs" / "alerts").glob("*.md"))]

NOT_HERE: Final = {
    "status",
    "doctor",
    "plugin restart",
    "plugin pause",
    "plugin resume",
}
"""Commands that the pages name and this tree has not. One less here, and it is run."""

UNIT: Final = "hydra-notify-host"
PLUGIN: Final = "chat"
BUILD: Final = 317_000_002
"""The one that the pages name: the simulated Hydra's second."""

PATIENCE: Final = 30
"""Seconds for one command: far more than any takes."""

ENDLESS: Final = {"plugin trace", "plugin record", "run"}
"""They go on until Ctrl-C, and have tests of their own: their words are looked at."""


def text_of(page: Path) -> str:
    """A page without what other tests follow; blocks in lists are not indented."""
    text = page.read_text()
    if page == OPERATING:
        # test_docs_install.py
        text = text.replace(section(text, "Install"), "")
    return re.sub(r"^ {2}", "", text, flags=re.M)


def typed(page: Path, kind: str) -> Iterator[str]:
    """Each command of a page; of SQL each block."""
    for language, _, text in blocks(text_of(page)):
        if language == kind:
            yield from [text] if kind == "sql" else text.splitlines()


COMMANDS: Final = {page: list(typed(page, "sh")) for page in PAGES}
EVERY: Final = list(dict.fromkeys(each for all_ in COMMANDS.values() for each in all_))
OURS: Final = [each for each in EVERY if re.match(r"(sudo .*)?hydra-notify ", each)]
OTHERS: Final = [each for each in EVERY if each not in OURS]


def within(words: Sequence[str]) -> tuple[str, click.Command | None]:
    """Which command of ours that is, and the command."""
    group: click.Command | None = main
    path: list[str] = []
    for word in words[1:]:
        if not isinstance(group, click.Group) or word.startswith("-"):
            break
        path.append(word)
        group = group.commands.get(word)
    return " ".join(path), group


def our_words(command: str) -> list[str]:
    words = shlex.split(command, comments=True)
    if words[0] == "sudo":
        # -u hydra-notify --preserve-env=... hydra-notify
        return words[words.index("hydra-notify", 3) :]
    return words


def inline(page: Path) -> list[str]:
    """Commands of ours in running text, cells and headings."""
    found = re.findall(r"`(hydra-notify [a-z][^`]*)`", text_of(page))
    return [each for each in found if each not in words_of_the_host()]


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.stem)
def test_a_command_in_the_text_is_one_with_such_options(page: Path) -> None:
    for command in [*inline(page), *(c for c in COMMANDS[page] if c in OURS)]:
        words = our_words(command)
        path, found = within(words)
        if path in NOT_HERE:
            continue
        assert found is not None, command
        known = {option for each in found.params for option in each.opts}
        assert {w for w in words if w.startswith("--")} <= known, command
        if isinstance(found, click.Group):
            # A whole group is named, as `dead`: no argument follows.
            assert len(words) == len(path.split()) + 1, command


def test_what_is_not_here_is_known() -> None:
    every = [*OURS, *(command for page in PAGES for command in inline(page))]
    paths = {within(our_words(command)) for command in every}
    assert {path for path, found in paths if found is None} == NOT_HERE


async def test_every_command_of_ours_does_its_work_beside_a_running_host(
    stage: Stage,
) -> None:
    """Page by page. A plugin refuses all, so that there is what to list."""
    queue_builds(stage.hydra, 3)
    finish_build(stage.hydra, BUILD)
    stage.create_ledger()
    stage.puppet(PLUGIN)
    stage.puppet("mail")
    await stage.listening()
    stage.nursery.start_soon(refuse_all, stage, PLUGIN)
    commands = Commands(stage.write_config())
    ran = []
    for command in OURS:
        words = our_words(command)
        path, found = within(words)
        if found is None or path in ENDLESS:
            continue
        if path.startswith("dead"):
            await dead_letter(stage)
        result = await trio.to_thread.run_sync(partial(commands.run, *words[1:]))
        assert result.exit_code == 0, f"$ {command}\n{result.output}"
        ran.append(path)
    assert {"pending", "dead list", "dead drop", "resend", "check-config"} <= set(ran)


async def refuse_all(stage: Stage, plugin: str) -> None:
    while True:
        frame = await stage.frame(plugin)
        if frame.method == "event":
            await frame.fail(422)
        elif frame.method == "shutdown":
            await frame.succeed()


async def dead_letter(stage: Stage) -> None:
    """There is one, and it can be seen."""

    def there_is() -> bool:
        return any(row[1:] == (PLUGIN, "dead") for row in stage.ledger())

    if not there_is():
        (build,) = queue_builds(stage.hydra)
        finish_build(stage.hydra, build)
        await stage.until(there_is)


async def test_every_statement_is_one_that_postgres_takes(stage: Stage) -> None:
    statements = [text for page in PAGES for text in typed(page, "sql")]
    assert len(statements) > 4
    stage.watcher.execute('create role "hydra-notify"')
    try:
        for text in statements:
            stage.watcher.execute(text.encode())
    finally:
        stage.watcher.execute('drop owned by "hydra-notify"')
        stage.watcher.execute('drop role "hydra-notify"')


async def test_what_is_asked_by_http_is_answered(stage: Stage) -> None:
    address = free_port()
    stage.http = {"listen": f"127.0.0.1:{address.port}"}
    stage.puppet(PLUGIN)
    await stage.listening()
    asked = [command for command in OTHERS if command.startswith("curl ")]
    assert len(asked) > 3
    for command in asked:
        words = shlex.split(
            command.replace("127.0.0.1:9199", f"127.0.0.1:{address.port}")
        )
        socket = str(stage.directory / "state" / "host.sock")
        words = [socket if word.endswith("/host.sock") else word for word in words]
        assert (await first_line(words)).strip(), command


async def first_line(words: Sequence[str]) -> bytes:
    """Of what a command prints, which may have no end."""
    process = await trio.lowlevel.open_process(words, stdout=subprocess.PIPE)
    try:
        assert process.stdout is not None
        with trio.fail_after(PATIENCE):
            return bytes(await process.stdout.receive_some())
    finally:
        process.terminate()
        with trio.CancelScope(shield=True):
            await process.wait()


def systemctl(words: Sequence[str]) -> None:
    """Not run: there is no systemd in a test, and it needs root."""
    verb, *rest = [word for word in words if not word.startswith("-")]
    assert verb in {"start", "restart", "reload", "status", "show", "disable"}
    assert rest[0] in {UNIT, "postgresql"}
    # What follows are properties, of -p.
    assert set(rest[1:]) <= {"NRestarts", "Result", "ExecMainStatus"}
    if verb == "reload":
        assert unit("Service")["ExecReload"] == ["/bin/kill -HUP $MAINPID"]


def journalctl(words: Sequence[str]) -> None:
    """Not run: the journal needs systemd. What is looked for is what the host says."""
    options = dict(zip(words[::2], words[1::2], strict=True))
    assert options.pop("-u") == UNIT
    pattern = options.pop("-g", "")
    for words_ in filter(None, pattern.split("|")):
        assert words_ in words_of_the_host() or words_ == f"{PLUGIN}:"
    assert options.pop("-p", "warning") == "warning"
    assert re.fullmatch(r"-\d+(h|min)", options.pop("--since", "-1h"))
    assert options.pop("-n", "1").isdigit()
    assert not options


def promtool(words: Sequence[str]) -> None:
    """Run by test_monitoring.py on the same files."""
    assert words[:2] in (["check", "rules"], ["test", "rules"])
    assert (ROOT / words[2]).is_file()


def amtool(words: Sequence[str]) -> None:
    """Not run: it needs an Alertmanager."""
    assert words[:2] == ["silence", "add"]
    matchers = dict(word.split("=") for word in words if "=" in word)
    assert matchers["alertname"] in NAMES
    assert matchers.keys() <= {"alertname", "plugin", "job", "instance"}


def export(words: Sequence[str]) -> None:
    """Not run: it is the shell's own. Its variable is one that commands read."""
    (word,) = words
    assert word == "HYDRA_NOTIFY_CONFIG=/etc/hydra-notify.toml"
    assert "--config /etc/hydra-notify.toml" in unit("Service")["ExecStart"][0]


def du(words: Sequence[str]) -> None:
    """Not run: it needs the state directory of a machine."""
    state = f"/var/lib/{unit('Service')['StateDirectory'][0]}"
    assert words == ["-sh", f"{state}/plugins/{PLUGIN}"]


def pg_dump(words: Sequence[str]) -> None:
    """Run below."""
    assert words[-1] == "hydra"


def curl(_: Sequence[str]) -> None:
    """Run above."""


CHECKED: Final[dict[str, Callable[[Sequence[str]], None]]] = {
    each.__name__: each
    for each in (systemctl, journalctl, promtool, amtool, export, du, pg_dump, curl)
}
"""By program, with the reason why it is not simply run."""


@pytest.mark.parametrize("command", OTHERS)
def test_a_command_of_others_names_what_there_is(command: str) -> None:
    program, *words = shlex.split(command)
    CHECKED[program](words)


def test_every_program_is_used() -> None:
    assert {shlex.split(command)[0] for command in OTHERS} == set(CHECKED)


async def test_a_backup_of_the_ledger_holds_what_is_owed(
    stage: Stage, tmp_path: Path
) -> None:
    if shutil.which("pg_dump") is None:
        pytest.skip("no pg_dump here")
    stage.create_ledger()
    (command,) = [each for each in OTHERS if each.startswith("pg_dump ")]
    words = shlex.split(command)[:-1]
    done = await trio.run_process(
        [*words, stage.url],
        cwd=tmp_path,
        capture_stderr=True,
        check=False,
    )
    if b"server version mismatch" in done.stderr:
        pytest.skip("this pg_dump is older than the Postgres of the tests")
    assert done.returncode == 0, done.stderr
    assert "hydra_notify.delivery" in (tmp_path / "ledger.sql").read_text()
