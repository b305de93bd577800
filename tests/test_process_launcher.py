"""The launcher, with real processes: what it sets up holds, nothing else changes."""

import json
import os
import resource
import signal
import socket
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path

import pytest
import trio

from hydra_notify import process
from hydra_notify.config import PluginConfig, SandboxConfig
from hydra_notify.process.launch import launch_command
from hydra_notify.sandbox import launch_options

LIMIT = 20.0
"""Seconds for one program: far beyond any that it takes."""

PYTHON = (sys.executable, "-I", "-S", "-c")
ABI = process.find_machine(None).landlock

NO_NEW_PRIVS = ("no-new-privs", "yes")

needs_landlock = pytest.mark.skipif(ABI < 1, reason="this kernel has no Landlock")
needs_network = pytest.mark.skipif(ABI < 4, reason="its Landlock knows no network")
needs_scopes = pytest.mark.skipif(ABI < 6, reason="its Landlock knows no signals")
needs_root = pytest.mark.skipif(os.geteuid() != 0, reason="only root becomes others")


async def run(
    command: Sequence[str],
    directory: Path,
    options: Sequence[str],
    env: dict[str, str] | None = None,
) -> tuple[int, str, str]:
    """Exit status, stdout and stderr of a program that is started as plugins are."""
    with trio.fail_after(LIMIT):
        started = await process.spawn(
            command, directory, {"PATH": os.environ["PATH"], **(env or {})}, options
        )
        assert started.stdin is not None
        assert started.stdout is not None
        assert started.stderr is not None
        await started.stdin.aclose()
        said = [b"", b""]
        for index, stream in enumerate((started.stdout, started.stderr)):
            async with stream:
                async for chunk in stream:
                    said[index] += chunk
        return await process.wait_end(started), said[0].decode(), said[1].decode()


async def says(code: str, directory: Path, *options: str) -> str:
    """What a program in Python prints."""
    status, stdout, stderr = await run((*PYTHON, code), directory, options)
    assert status == 0, stderr
    return stdout.strip()


def sleeping(uid: int | None) -> subprocess.Popen[bytes]:
    return subprocess.Popen(["sleep", "1000"], user=uid, group=uid)


def confined(directory: Path, sandbox: SandboxConfig) -> list[str]:
    """The options for a sandbox of a plugin with this directory, in this Python."""
    reads = (Path(sys.prefix), Path(sys.base_prefix), *(sandbox.read or ()))
    if sandbox.restricts_files:
        sandbox = SandboxConfig(
            read=reads, write=sandbox.write, connect_tcp=sandbox.connect_tcp
        )
    plugin = PluginConfig(
        name="one", directory=directory, command=PYTHON, sandbox=sandbox
    )
    machine = process.find_machine(None)
    return launch_options(plugin, machine, directory, {}, None)


async def test_it_becomes_the_program_and_leaves_nothing_of_itself(
    tmp_path: Path,
) -> None:
    code = """
import json, os
fds = sorted(int(each) for each in os.listdir("/proc/self/fd"))
environ = open("/proc/self/environ").read().split(chr(0))
cmdline = open("/proc/self/cmdline").read().split(chr(0))
print(json.dumps([os.getcwd(), fds[:-1], environ[:-1], cmdline[1:4], os.getsid(0)]))
"""
    bare = json.loads(await says(code, tmp_path))
    launched = json.loads(await says(code, tmp_path, *NO_NEW_PRIVS))
    session, other = bare.pop(), launched.pop()
    assert session != other
    assert launched == bare
    # No LC_CTYPE, which Python adds for itself in the locale C.
    assert launched[2] == [f"PATH={os.environ['PATH']}"]


async def test_signals_that_python_ignores_are_not_ignored_by_plugins(
    tmp_path: Path,
) -> None:
    command = ("grep", "^SigIgn:", "/proc/self/status")
    _, bare, _ = await run(command, tmp_path, ())
    _, launched, _ = await run(command, tmp_path, NO_NEW_PRIVS)
    assert launched == bare
    assert int(launched.split()[1], 16) & 1 << signal.SIGPIPE - 1 == 0


async def test_arguments_and_variables_pass_byte_by_byte(tmp_path: Path) -> None:
    odd = os.fsdecode(b"\xff\xc3\xa4 \n--")
    command = ("sh", "-c", 'printf "%s|%s" "$1" "$ODD" | od -An -tx1', "sh", odd)
    bare = await run(command, tmp_path, (), {"ODD": odd})
    assert await run(command, tmp_path, NO_NEW_PRIVS, {"ODD": odd}) == bare


@pytest.mark.parametrize("command", ["no-such-program", "/no/such/program", "/etc"])
async def test_a_program_that_cannot_be_started_is_said_as_without_it(
    tmp_path: Path, command: str
) -> None:
    said: list[tuple[int | None, str | None, str]] = []
    for options in ((), NO_NEW_PRIVS):
        with pytest.raises(OSError) as caught:  # noqa: PT011 -- compared below
            await process.spawn([command], tmp_path, {"PATH": "/usr/bin"}, options)
        error = caught.value
        said.append((error.errno, error.strerror, error.filename))
    assert said[0] == said[1]
    assert said[0][2] == command


async def test_what_cannot_be_set_up_is_said_and_no_process_is_left(
    tmp_path: Path,
) -> None:
    options = ("cgroup", str(tmp_path / "none"))
    with pytest.raises(FileNotFoundError, match=r"none/cgroup\.procs"):
        await process.spawn(["sleep", "1000"], tmp_path, {}, options)
    assert process.living_in(tmp_path) == set()


async def test_a_start_that_is_cancelled_leaves_no_process(tmp_path: Path) -> None:
    # The launcher waits for somebody to read.
    os.mkfifo(tmp_path / "cgroup.procs")
    env = process.environment("one", tmp_path, {}, os.environ)
    options = ("cgroup", str(tmp_path))
    with trio.fail_after(LIMIT):
        async with trio.open_nursery() as nursery:
            nursery.start_soon(process.spawn, ["true"], tmp_path, env, options)
            while not process.living_in(tmp_path):  # noqa: ASYNC110 -- rings nobody
                await trio.sleep(0.01)
            nursery.cancel_scope.cancel()
    assert process.living_in(tmp_path) == set()


async def test_programs_gain_nothing_by_being_setuid(tmp_path: Path) -> None:
    if sys.platform != "linux":
        pytest.skip("no_new_privs is Linux's")
    command = ("grep", "NoNewPrivs", "/proc/self/status")
    _, said, _ = await run(command, tmp_path, NO_NEW_PRIVS)
    assert said.split() == ["NoNewPrivs:", "1"]


async def test_limits_of_a_process_hold_and_cannot_be_raised(tmp_path: Path) -> None:
    code = """
import resource
for name in ("AS", "NPROC", "NOFILE", "FSIZE"):
    print(*resource.getrlimit(getattr(resource, "RLIMIT_" + name)))
"""
    options = ("as", "500000000", "nproc", "4000", "nofile", "64", "fsize", "4096")
    said = await says(code, tmp_path, *options)
    numbers = ("500000000", "4000", "64", "4096")
    assert said.splitlines() == [f"{each} {each}" for each in numbers]


async def test_a_limit_above_the_hosts_own_is_the_hosts_own(tmp_path: Path) -> None:
    _, most = resource.getrlimit(resource.RLIMIT_NOFILE)
    code = "import resource; print(resource.getrlimit(resource.RLIMIT_NOFILE)[1])"
    said = await says(code, tmp_path, "nofile", str(most + 1))
    assert int(said) in (most, most + 1)


TRY = """
import sys
for path in sys.argv[2:]:
    try:
        open(path, sys.argv[1]).close()
    except PermissionError:
        print("no", end=" ")
    else:
        print("yes", end=" ")
"""


async def tries(
    mode: str, directory: Path, options: Sequence[str], *paths: Path | str
) -> str:
    # Without a name in its command, which it could read for that.
    code = TRY.replace("sys.argv[1]", repr(mode))
    code = code.replace("sys.argv[2:]", repr([str(path) for path in paths]))
    return await says(code, directory, *options)


@needs_landlock
async def test_only_files_that_are_named_are_reached(tmp_path: Path) -> None:
    own, other, shared = (tmp_path / name for name in ("own", "other", "shared"))
    for directory in (own, other, shared):
        directory.mkdir()
        (directory / "file").write_text("secret")
    files = [each / "file" for each in (own, shared, other)]
    options = confined(own, SandboxConfig(read=(shared,)))
    assert await tries("r", own, options, *files) == "yes yes no"
    assert await tries("a", own, options, *files) == "yes no no"
    assert await tries("w", own, options, own / "new", other / "new") == "yes no"
    options = confined(own, SandboxConfig(write=(shared,)))
    assert await tries("a", own, options, *files) == "yes yes no"
    private = ("/etc/shadow", "/root/.profile", "/proc/1/environ")
    there = [path for path in private if os.access(path, os.R_OK)]
    assert "yes" not in await tries("r", own, options, *there)
    assert await tries("r", own, options, "/etc/passwd", "/dev/null") == "yes yes"
    assert await tries("a", own, options, "/dev/null") == "yes"


@needs_landlock
async def test_what_was_written_cannot_be_run(tmp_path: Path) -> None:
    code = """
import os
with open("program", "w") as file:
    file.write("#!/bin/sh")
os.chmod("program", 0o700)
try:
    os.execv("program", ["program"])
except PermissionError:
    print("no")
"""
    assert await says(code, tmp_path, *confined(tmp_path, SandboxConfig(read=()))) == (
        "no"
    )


@needs_landlock
async def test_the_files_that_the_command_names_are_read(tmp_path: Path) -> None:
    own, program = tmp_path / "own", tmp_path / "program.py"
    own.mkdir()
    program.write_text("import tempfile; print(tempfile.gettempdir())")
    options = confined(own, SandboxConfig(read=()))
    command = (sys.executable, "-I", str(program))
    status, said, stderr = await run(command, own, options, {"TMPDIR": str(own)})
    assert (status, said.strip()) == (0, str(own)), stderr


@needs_landlock
async def test_a_path_that_is_not_there_is_named(tmp_path: Path) -> None:
    options = confined(tmp_path, SandboxConfig(read=(tmp_path / "none",)))
    with pytest.raises(FileNotFoundError) as caught:
        await process.spawn(["true"], tmp_path, {"PATH": "/usr/bin:/bin"}, options)
    assert caught.value.filename == str(tmp_path / "none")


@needs_network
async def test_only_ports_that_are_named_are_connected_to(tmp_path: Path) -> None:
    with (
        socket.create_server(("127.0.0.1", 0)) as one,
        socket.create_server(("127.0.0.1", 0)) as other,
    ):
        allowed, refused = (each.getsockname()[1] for each in (one, other))
        options = confined(tmp_path, SandboxConfig(connect_tcp=(allowed,)))
        code = f"""
import _socket
for port in ({allowed}, {refused}):
    try:
        _socket.socket().connect(("127.0.0.1", port))
    except PermissionError:
        print("no", end=" ")
    else:
        print("yes", end=" ")
"""
        assert await says(code, tmp_path, *options) == "yes no"
        # Nothing was said about files.
        assert await tries("r", tmp_path, options, "/etc/passwd") == "yes"


@needs_scopes
async def test_nobody_outside_is_sent_signals_or_looked_into(tmp_path: Path) -> None:
    # Both as one user, who is not root: root may look into anybody's variables.
    root = os.geteuid() == 0
    become = ("groups", "65534", "gid", "65534", "uid", "65534") if root else ()
    with sleeping(65534 if root else None) as other:
        try:
            code = f"""
for file in /proc/{other.pid}/environ /proc/{other.pid}/mem; do
    if true < $file; then echo yes; else echo no; fi
done
if kill -0 {other.pid}; then echo yes; else echo no; fi
if kill -0 $$; then echo yes; else echo no; fi
"""
            command = ("sh", "-c", code)
            _, said, _ = await run(command, tmp_path, become)
            assert said.split() == ["yes"] * 4
            options = confined(tmp_path, SandboxConfig(read=()))
            _, said, stderr = await run(command, tmp_path, [*options, *become])
            assert said.split() == ["no", "no", "no", "yes"], stderr
        finally:
            other.kill()


@needs_root
async def test_another_user_has_its_rights_and_no_others(tmp_path: Path) -> None:
    machine = process.find_machine("nobody")
    assert machine.account is not None
    own = Path("/tmp") / f"hydra-notify-{os.getpid()}"
    own.mkdir()
    try:
        plugin = PluginConfig(
            name="one",
            directory=own,
            command=("id",),
            sandbox=SandboxConfig(user="nobody"),
        )
        options = launch_options(plugin, machine, own, {}, None)
        command = ("sh", "-c", "id -u; id -G; pwd; cat /etc/shadow 2>&1; true")
        status, said, stderr = await run(command, own, options)
        assert status == 0, stderr
        uid, groups, directory, secret = said.splitlines()
        assert uid == str(machine.account.uid)
        assert set(groups.split()) == set(map(str, machine.account.groups))
        assert directory == str(own)
        assert "Permission denied" in secret
    finally:
        own.rmdir()


@needs_root
async def test_a_directory_that_its_user_cannot_enter_is_named(tmp_path: Path) -> None:
    closed = tmp_path / "closed"
    closed.mkdir(mode=0o700)
    own = closed / "own"
    own.mkdir()
    options = ("groups", "65534", "gid", "65534", "uid", "65534", "directory", str(own))
    with pytest.raises(PermissionError) as caught:
        await process.spawn(["true"], own, {"PATH": "/usr/bin:/bin"}, options)
    assert caught.value.filename == str(own)


def test_the_host_gives_up_cores_and_setuid_for_all_that_it_starts() -> None:
    code = """
import resource, subprocess
from hydra_notify import process
process.give_up_privileges(setuid=False)
subprocess.run(["grep", "-E", "^NoNewPrivs|^Max core", "/proc/self/status",
                "/proc/self/limits"])
"""
    ran = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, timeout=LIMIT
    )
    words = ran.stdout.split()
    if sys.platform == "linux":
        assert "/proc/self/status:NoNewPrivs:" in words, ran.stderr
        assert words[words.index("/proc/self/status:NoNewPrivs:") + 1] == "1"
        assert words[words.index("size") + 1] == "0"


def test_the_launcher_imports_nothing_slow() -> None:
    # Each start of a plugin pays for it.
    command = launch_command((), ["true"], {})
    code = f"import sys; exec(open({command[5]!r}).read(), {{}}); print(*sys.modules)"
    ran = subprocess.run(
        [*command[:5], "-c", code], capture_output=True, text=True, timeout=LIMIT
    )
    assert ran.returncode == 0, ran.stderr
    loaded = set(ran.stdout.split())
    assert not {"hydra_notify", "typing", "re", "pathlib", "subprocess"} & loaded
