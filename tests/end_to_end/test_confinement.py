"""Plugins that want more than they may: refused, explained, nobody else's trouble."""

import json
import os
import shutil
import socket
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
import trio
from tests.delegation import delegated, within
from tests.end_to_end.stage import Host, Stage, gone
from tests.languages import need

from hydra_notify import process

MACHINE = process.find_machine(None)

needs_landlock = pytest.mark.skipif(
    MACHINE.landlock < 6, reason="this kernel has no Landlock of 2024"
)
needs_root = pytest.mark.skipif(os.geteuid() != 0, reason="only root becomes others")

SYSTEM_PYTHON = "/usr/bin/python3"
needs_system_python = pytest.mark.skipif(
    not Path(SYSTEM_PYTHON).exists(), reason="there is no Python that everybody runs"
)

EATS_MEMORY = """
kept = []
while True:
    kept.append(b"x" * 10_000_000)
"""

EATS_DESCRIPTORS = """
import os
while True:
    os.dup(2)
"""

EATS_DISK = """
with open("big", "wb") as file:
    while True:
        file.write(bytes(65536))
"""

FORKS = """
import os, time
while True:
    if os.fork() == 0:
        time.sleep(1000)
"""


@pytest.fixture
def cgroup(request: pytest.FixtureRequest) -> Iterator[Path]:
    """A delegated cgroup, with the controllers that the test names."""
    with delegated(*getattr(request, "param", ())) as path:
        yield path


async def others_go_on(stage: Stage) -> None:
    build, (event,) = await stage.one_build("good")
    await event.succeed()
    await stage.cleared(build)


def bad(stage: Stage, command: list[str], **keys: object) -> None:
    stage.puppet("good")
    stage.plugins["bad"] = {"command": command, "required": False, **keys}


@pytest.mark.parametrize(
    ("program", "limits", "words"),
    [
        (EATS_MEMORY, {"memory": "256M"}, "MemoryError"),
        (EATS_DESCRIPTORS, {"open_files": 64}, "Too many open files"),
        (EATS_DISK, {"file_size": "1M"}, "File too large"),
    ],
    ids=["memory", "open_files", "file_size"],
)
async def test_a_plugin_that_exceeds_a_limit_fails_alone_and_says_why(
    stage: Stage,
    script: Callable[[str], Path],
    program: str,
    limits: dict[str, object],
    words: str,
) -> None:
    bad(stage, [sys.executable, "-I", str(script(program))], limits=limits)
    host = await stage.listening()
    assert words in await host.logged("bad: exit status 1")
    await others_go_on(stage)


async def test_a_program_that_is_killed_for_the_size_of_a_file_is_said_to(
    stage: Stage, script: Callable[[str], Path]
) -> None:
    text = "exec dd if=/dev/zero of=big bs=64k"
    bad(stage, ["sh", str(script(text))], limits={"file_size": "1M"})
    host = await stage.listening()
    assert "wrote more into a file than it may" in await host.logged("bad: killed")
    await others_go_on(stage)


@needs_root
@needs_system_python
async def test_a_fork_bomb_is_bounded_by_its_user_without_cgroups(
    stage: Stage, script: Callable[[str], Path]
) -> None:
    path = script(FORKS)
    open_to(path, 0o755)
    open_to(stage.directory, 0o755)
    bad(
        stage,
        [SYSTEM_PYTHON, "-I", str(path)],
        limits={"tasks": 20},
        sandbox={"user": "nobody"},
    )
    host = await stage.listening()
    assert "not its own alone" in await host.logged("bad: limits.tasks")
    assert "Resource temporarily" in await host.logged("bad: exit status 1")
    await others_go_on(stage)
    assert len(list((stage.directory / "state" / "plugins").iterdir())) == 2


def open_to(path: Path, mode: int) -> None:
    """Let everybody reach `path`; pytest makes its directories for one user alone."""
    path.chmod(mode)
    for parent in path.parents:
        if parent.stat().st_uid == os.geteuid() and parent != Path("/"):
            parent.chmod(parent.stat().st_mode | 0o711)


async def start_in(cgroup: Path, stage: Stage) -> Host:
    stage.limit(SHUTDOWN_REPLY_MS=200)
    stage.program = within(cgroup, stage.program)
    return await stage.listening()


async def test_a_cgroup_ends_what_has_left_a_plugin_and_forgotten_whose_it_is(
    stage: Stage, script: Callable[[str], Path], cgroup: Path
) -> None:
    text = """
( env -i "PATH=$PATH" setsid sh -c 'echo "pid $$" >&2; : >there; exec sleep 1000' & ) &
until [ -e there ]; do sleep 0.02; done
exit 3
"""
    bad(stage, ["sh", str(script(text))])
    host = await start_in(cgroup, stage)
    pid = int((await host.logged("bad: pid ")).rpartition(" ")[2])
    await host.logged("bad: exit status 3")
    await gone(pid)
    await others_go_on(stage)
    assert await host.terminate() == 0
    assert list(await trio.Path(cgroup).glob("plugin-*")) == []


@pytest.mark.parametrize(
    ("cgroup", "program", "limits", "words"),
    [
        (["memory"], EATS_MEMORY, {"memory": "64M"}, "limits.memory, 64M"),
        (["pids"], FORKS, {"tasks": 20}, "limits.tasks, 20"),
    ],
    ids=["memory", "tasks"],
    indirect=["cgroup"],
)
async def test_a_plugin_that_exceeds_a_limit_of_its_cgroup_fails_alone(
    stage: Stage,
    script: Callable[[str], Path],
    cgroup: Path,
    program: str,
    limits: dict[str, object],
    words: str,
) -> None:
    command = [sys.executable, "-I", str(script(program))]
    bad(stage, command, limits=limits, sandbox={"required": True})
    host = await start_in(cgroup, stage)
    assert words in await host.logged("starting it again")
    await others_go_on(stage)
    assert await host.terminate() == 0


@pytest.mark.parametrize("cgroup", [["cpu"]], indirect=True)
async def test_a_share_of_the_processors_is_given_to_the_cgroup(
    stage: Stage, cgroup: Path
) -> None:
    stage.puppet("good", limits={"cpu": "50%"}, sandbox={"required": True})
    host = await start_in(cgroup, stage)
    share = (cgroup / "plugin-good" / "cpu.max").read_text()
    assert share.split() == ["50000", "100000"]
    await others_go_on(stage)
    assert await host.terminate() == 0


async def test_what_cannot_be_enforced_disables_a_plugin_that_requires_it(
    stage: Stage,
) -> None:
    stage.puppet("good")
    stage.puppet("bad", required=False, limits={"cpu": "50%"})
    stage.plugins["bad"]["sandbox"] = {"required": True}
    host = await stage.start_host()
    await host.logged("good: ready")
    line = await host.logged("bad: disabled until its configuration changes: ")
    assert "limits.cpu is not enforced" in line
    assert "Delegate=yes" in line
    await others_go_on(stage)
    # What it may not have is said once, and it runs.
    stage.plugins["bad"]["sandbox"] = {}
    await stage.reload(host)
    await host.logged("bad: limits.cpu is not enforced")
    await host.logged("bad: ready")


def gains_nothing(pid: int) -> bool:
    """Whether a process is under no_new_privs."""
    text = Path(f"/proc/{pid}/status").read_text()
    return "NoNewPrivs:\t1" in text


@pytest.mark.skipif(not MACHINE.linux, reason="no_new_privs is Linux's")
async def test_setuid_programs_work_in_the_plugin_that_asks_for_them_alone(
    stage: Stage,
) -> None:
    stage.puppet("one")
    host = await stage.listening()
    assert gains_nothing(host.process.pid)
    assert gains_nothing(await pid_of("one", host))
    # It is the host's own, and cannot be taken back.
    stage.puppet("other", sandbox={"no_new_privs": False})
    await stage.reload(host)
    await host.logged("other: sandbox.no_new_privs cannot be false")
    await host.kill()
    host = await stage.listening()
    assert not gains_nothing(host.process.pid)
    assert gains_nothing(await pid_of("one", host))
    assert not gains_nothing(await pid_of("other", host))


async def pid_of(plugin: str, host: Host) -> int:
    """Of the first life of a plugin."""
    return int((await host.logged(f"{plugin}: started")).split("(pid ")[1].rstrip(")"))


HOSTILE = """
import json, os, socket, sys

def attempt(name, trial):
    try:
        trial()
    except OSError as error:
        print("refused", name, error, file=sys.stderr)
    else:
        print("done", name, file=sys.stderr)

def connect(address):
    kind = socket.AF_UNIX if isinstance(address, str) else socket.AF_INET
    with socket.socket(kind) as one:
        one.connect(address)

host = os.getppid()
aims = json.loads(sys.argv[1])
attempt("signal", lambda: os.kill(host, 0))
attempt("memory", lambda: open(f"/proc/{host}/mem").close())
attempt("read", lambda: open(aims["read"]).close())
attempt("write", lambda: open(aims["write"], "r+").close())
attempt("database", lambda: connect(aims["database"]))
attempt("socket", lambda: connect(aims["socket"]))
attempt("tcp", lambda: connect(("127.0.0.1", aims["tcp"])))
attempt("own", lambda: open("own", "w").close())
print("tried all", file=sys.stderr)
sys.stdin.read()
"""


@pytest.fixture
def neighbour() -> Iterator[int]:
    """The port of a server that has nothing to do with Hydra."""
    with socket.create_server(("127.0.0.1", 0)) as server:
        yield server.getsockname()[1]


async def hostile(
    stage: Stage,
    program: Path,
    neighbour: int,
    python: str = sys.executable,
    **sandbox: object,
) -> tuple[set[str], set[str]]:
    """What a hostile plugin has done, and what it was refused."""
    state = stage.directory / "state"
    secret = state / "plugins" / "good" / "secret"
    secret.parent.mkdir(parents=True, mode=0o700)
    secret.write_text("hunter22")
    aims = {
        "read": str(secret),
        "write": str(stage.directory / "hydra-notify.toml"),
        "database": database_socket(stage),
        "socket": str(state / "host.sock"),
        "tcp": neighbour,
    }
    bad(stage, [python, "-I", str(program), json.dumps(aims)], sandbox=sandbox)
    host = await stage.listening()
    await host.logged("bad: tried all")
    tried = [line.partition("bad: ")[2].split() for line in host.log]
    await others_go_on(stage)
    return tuple(
        {words[1] for words in tried if words[:1] == [outcome]}
        for outcome in ("done", "refused")
    )  # type: ignore[return-value] # two of them


def database_socket(stage: Stage) -> str:
    info = stage.watcher.info
    return f"{info.host}/.s.PGSQL.{info.port}"


async def test_a_hostile_plugin_without_a_sandbox_does_what_its_user_may(
    stage: Stage, script: Callable[[str], Path], neighbour: int
) -> None:
    # What SECURITY.md says of it; and what shows that the others could fail.
    done, refused = await hostile(stage, script(HOSTILE), neighbour)
    everything = {"signal", "memory", "read", "write", "database", "socket", "tcp"}
    assert done == everything | {"own"}
    assert refused == set()


@needs_landlock
async def test_a_hostile_plugin_under_landlock_reaches_its_own_and_unix_sockets(
    stage: Stage, script: Callable[[str], Path], neighbour: int
) -> None:
    done, refused = await hostile(
        stage,
        script(HOSTILE),
        neighbour,
        read=[sys.prefix, sys.base_prefix],
        connect_tcp=[],
        required=True,
    )
    assert refused == {"signal", "memory", "read", "write", "tcp"}
    # Landlock does not guard the sockets of the file system.
    assert done == {"own", "database", "socket"}


@needs_root
@needs_system_python
async def test_a_hostile_plugin_of_another_user_gets_at_nothing_of_the_hosts(
    stage: Stage, script: Callable[[str], Path], neighbour: int
) -> None:
    program = script(HOSTILE)
    open_to(program, 0o755)
    open_to(stage.directory, 0o711)
    done, refused = await hostile(
        stage, program, neighbour, SYSTEM_PYTHON, user="nobody", required=True
    )
    assert refused == {"signal", "memory", "read", "write", "socket", "database"}
    assert done == {"own", "tcp"}


@needs_system_python
async def test_bwrap_shows_a_hostile_plugin_only_what_it_is_told_to(
    stage: Stage, script: Callable[[str], Path], neighbour: int
) -> None:
    need("bwrap")
    own, program = str(stage.directory / "state/plugins/bad"), script(HOSTILE)
    # As docs/operating.md shows it, without the network.
    launcher = [
        "bwrap", "--unshare-all", "--ro-bind", "/usr", "/usr",
        "--symlink", "usr/bin", "/bin", "--symlink", "usr/lib", "/lib",
        "--symlink", "usr/lib64", "/lib64", "--proc", "/proc", "--dev", "/dev",
        "--ro-bind", str(program), str(program), "--bind", own, own,
    ]  # fmt: skip
    done, refused = await hostile(
        stage, program, neighbour, SYSTEM_PYTHON, launcher=launcher
    )
    # It sees only itself: its parent is the first process of its own world.
    assert refused == {"read", "write", "database", "socket", "tcp"}
    assert done == {"own", "signal", "memory"}


@needs_root
@pytest.mark.skipif(shutil.which("unshare") is None, reason="there is no unshare")
async def test_a_launcher_takes_away_whatever_it_can(
    stage: Stage, script: Callable[[str], Path], neighbour: int
) -> None:
    hide = Path(database_socket(stage)).parent
    mount = f'mount -t tmpfs none "{hide}" && exec "$@"'
    launcher = ["unshare", "--mount", "--net", "--", "sh", "-c", mount, "sh"]
    done, refused = await hostile(stage, script(HOSTILE), neighbour, launcher=launcher)
    assert refused == {"database", "tcp"}
    assert done == {"own", "signal", "memory", "read", "write", "socket"}
