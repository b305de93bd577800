"""What docs/operating.md and docs/alerts have somebody type does its work."""

import logging
import re
import shlex
import shutil
import subprocess
from collections.abc import Callable, Iterator, Mapping, Sequence
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
from hydra_notify.logs import about
from hydra_notify.logs.forms import JournalForm, JsonForm

OPERATING: Final = ROOT / "docs" / "operating.md"
PAGES: Final = [OPERATING, *sorted((ROOT / "docs" / "alerts").glob("*.md"))]

UNIT: Final = "hydra-notify-host"
PLUGIN: Final = "chat"
BUILD: Final = 317_000_002
"""The one that the pages name: the simulated Hydra's second."""

PATIENCE: Final = 30
"""Seconds for one command: far more than any takes."""

JUDGES: Final = {"status", "doctor"}
"""They exit with 1 if not all is well, and on this stage it is not."""

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
            # A pipe goes on in the next line.
            whole = re.sub(r" \|\n *", " | ", text)
            yield from [text] if kind == "sql" else whole.splitlines()


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
        assert found is not None, command
        known = {option for each in found.params for option in each.opts}
        assert {w for w in words if w.startswith("--")} <= known, command
        if isinstance(found, click.Group):
            # A whole group is named, as `dead`: no argument follows.
            assert len(words) == len(path.split()) + 1, command


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
        path, _ = within(words)
        if path in ENDLESS:
            continue
        if path.startswith("dead"):
            await dead_letter(stage)
        result = await trio.to_thread.run_sync(partial(commands.run, *words[1:]))
        said = f"$ {command}\n{result.output}"
        assert result.exit_code in ({0, 1} if path in JUDGES else {0}), said
        assert path not in JUDGES or PLUGIN in result.output, said
        ran.append(path)
    assert set(ran) > {"pending", "dead retry", "dead drop", "resend", *JUDGES}


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


async def test_what_is_asked_by_http_is_answered(stage: Stage, tmp_path: Path) -> None:
    if shutil.which("curl") is None or shutil.which("openssl") is None:
        pytest.skip("no curl or no openssl here")
    address = free_port()
    token = tmp_path / "token"
    stage.http = {
        "listen": f"127.0.0.1:{address.port}",
        "token": {"file": str(token)},
    }
    here = {
        "127.0.0.1:9199": f"127.0.0.1:{address.port}",
        "/var/lib/hydra-notify/host.sock": f"{stage.directory}/state/host.sock",
        "/etc/hydra-notify/http-token": str(token),
        "/PATH": f"/plugins/{PLUGIN}/pause",
        # What is refused is no answer.
        "curl ": "curl --fail --silent ",
    }
    (making,) = [command for command in OTHERS if "openssl" in command]
    await trio.run_process(["bash", "-c", replaced(making, here)])
    assert token.stat().st_mode & 0o077 == 0
    stage.puppet(PLUGIN)
    await stage.listening()
    asked = [command for command in OTHERS if "curl " in command]
    assert len(asked) > 4
    for command in asked:
        line = await first_line(["bash", "-c", replaced(command, here)])
        assert line.strip(), command
        assert "--request POST" not in command or b"paused" in line


def replaced(command: str, here: Mapping[str, str]) -> str:
    """The command with what is elsewhere in a test."""
    for there, mine in here.items():
        command = command.replace(there, mine)
    return command


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


RECORD: Final = logging.makeLogRecord(
    {
        "levelno": logging.ERROR,
        "levelname": "ERROR",
        "msg": "failed, given up: 404",
        **about(PLUGIN, "build_finished:4711:1767607100-1767607200:1", 3, "e1-0"),
    }
)
"""What the host logs of a delivery."""

LINE: Final = JournalForm().format(RECORD)


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
    for sought in filter(None, pattern.split("|")):
        found = re.search(sought, LINE)
        assert found or sought in words_of_the_host()
    assert options.pop("-p", "warning") == "warning"
    assert re.fullmatch(r"-\d+(h|min)", options.pop("--since", "-1h"))
    assert options.pop("-n", "1").isdigit()
    assert not options


def jq(words: Sequence[str]) -> None:
    """Run on a line of the log: the program is sought, and found what it selects."""
    if shutil.which("jq") is None:
        pytest.skip("no jq here")
    *arguments, file = words
    assert file == "hydra-notify.log"
    done = subprocess.run(
        ["jq", *arguments],
        input=JsonForm().format(RECORD) + "\n",
        capture_output=True,
        text=True,
        timeout=PATIENCE,
        check=True,
    )
    assert "build_finished:4711:" in done.stdout


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


def run_above(_: Sequence[str]) -> None:
    """By test_what_is_asked_by_http_is_answered."""


CHECKED: Final[dict[str, Callable[[Sequence[str]], None]]] = {
    "systemctl": systemctl,
    "journalctl": journalctl,
    "jq": jq,
    "promtool": promtool,
    "amtool": amtool,
    "export": export,
    "du": du,
    "pg_dump": pg_dump,
    "curl": run_above,
    "printf": run_above,
    "(umask": run_above,
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
