#!/usr/bin/env python3
"""Runs commands when builds finish: Hydra's RunCommand, without its database.

    [plugins.run_command]
    command = ["example_plugins/run_command/run_command.py"]
    [[plugins.run_command.settings.commands]]
    job = "nixpkgs:*:hello.x86_64-linux"   # each part a name or `*`, which is also
                                           # what a missing part means
    command = 'jq .buildStatus "$HYDRA_JSON"'

A command runs in a shell, in the plugin's state directory, with nothing to read. It
finds what is known of the build in the file `$HYDRA_JSON` (Hydra's own document and
more), and the event's id in `$HYDRA_EVENT_ID`: the same id means the same event again.
Matching commands run in order, for successful and failed builds alike.

How a command ends is recorded, and never a reason to run it again: in `commands.log`
one JSON object per run, its output in `logs/<two digits>/<uuid>`.
"""

import contextlib
import errno
import itertools
import os
import signal
import subprocess
import tempfile
import time
import uuid
from pathlib import Path

import msgspec
from msgspec import Struct

from hydra_notify_sdk import BuildEvent, Cancelled, ConfigProblem, Context, Plugin
from hydra_notify_sdk.wire import CloudEvent

LOOK = 0.5
"""Seconds between two looks for a cancellation."""

LOOKS_PER_PROGRESS = 20
"""A sign of life every ten seconds."""

TERM_GRACE = 2.0
"""Seconds for a cancelled command between SIGTERM and SIGKILL."""

SHELL_ERRORS = {126: errno.EACCES, 127: errno.ENOENT}
"""What a shell's exit status says about a command that it could not start."""


class Command(Struct, forbid_unknown_fields=True):
    """Which jobs, and what to run."""

    command: str
    job: str = "*:*:*"


class Settings(Struct):
    """See above."""

    commands: list[Command]


class Run(Struct, rename="camel", kw_only=True):
    """One run of a command; times are seconds since 1970."""

    uuid: str
    event: str
    build: int
    job_matcher: str
    command: str
    start_time: int
    stop_time: int
    exit_code: int | None = None
    signal: int | None = None
    error_number: int | None = None


plugin = Plugin("run-command", "1.0", config=Settings, timeout=900)


@plugin.on_start
def check(context: Context[Settings]) -> None:
    """Refuses matchers that cannot be meant; tidies up after a crash."""
    for left_over in context.state_dir.glob("hydra-*.json"):
        left_over.unlink()
    for number, entry in enumerate(context.config.commands):
        if len(sections(entry.job)) > 3:
            raise ConfigProblem(
                f"settings.commands[{number}].job",
                f"{entry.job!r} has more than three sections",
                fix="write project:jobset:job",
            )


@plugin.on("build_finished")
def run_commands(event: BuildEvent, context: Context[Settings]) -> None:
    """Runs what matches the build. Builds that finished with it do not count."""
    data = event.data
    document = msgspec.json.decode(event.cloudevent, type=CloudEvent).data
    with tempfile.NamedTemporaryFile(
        dir=context.state_dir, prefix="hydra-", suffix=".json"
    ) as file:
        file.write(document)
        file.flush()
        extra = {"HYDRA_JSON": file.name, "HYDRA_EVENT_ID": event.id}
        if context.hydra_data:
            extra["HYDRA_DATA"] = context.hydra_data
        # A crash may have come after some of them.
        done = recorded(event.id) if event.redelivered else set()
        for entry in context.config.commands:
            if (entry.job, entry.command) in done:
                continue
            if matches(entry.job, (data.project, data.jobset, data.job)):
                run_one(entry, event, context, os.environ | extra)


def sections(pattern: str) -> list[str]:
    """The parts of a matcher; empty ones at its end do not count."""
    return pattern.rstrip(":").split(":") if pattern.strip(":") else []


def matches(pattern: str, names: tuple[str, str, str]) -> bool:
    """Whether a job is meant: each section is `*` or the very name."""
    pairs = zip(sections(pattern), names, strict=False)
    return all(section in ("*", name) for section, name in pairs)


def run_one(
    entry: Command,
    event: BuildEvent,
    context: Context[Settings],
    environment: dict[str, str],
) -> None:
    """Runs one command to its end and records it."""
    name = str(uuid.uuid4())
    path = context.state_dir / "logs" / name[:2] / name
    path.parent.mkdir(mode=0o750, parents=True, exist_ok=True)
    begin = int(time.time())
    with path.open("xb") as output:
        # Whatever the umask: Hydra's web interface may be another user of the group.
        path.chmod(0o640)
        process = subprocess.Popen(
            ["sh", "-c", entry.command],
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=output,
            env=environment,
            process_group=0,
        )
        status = wait(process, event, context)
    run = Run(
        uuid=name,
        event=event.id,
        build=event.data.build,
        job_matcher=entry.job,
        command=entry.command,
        start_time=begin,
        stop_time=int(time.time()),
    )
    if status < 0:
        run.signal = -status
    elif status in SHELL_ERRORS and is_plain(entry.command):
        run.error_number = SHELL_ERRORS[status]
    else:
        run.exit_code = status
    with Path("commands.log").open("ab") as record:
        record.write(msgspec.json.encode(run) + b"\n")
    context.log.info("%r ended with %d; output in %s", entry.command, status, path)


def recorded(event: str) -> set[tuple[str, str]]:
    """Matchers and commands that have run to their end for an event."""
    log = Path("commands.log")
    lines = log.read_bytes().splitlines() if log.exists() else []
    runs = (msgspec.json.decode(line, type=Run) for line in lines)
    return {(run.job_matcher, run.command) for run in runs if run.event == event}


def is_plain(command: str) -> bool:
    """Whether a command is words only, so that the shell's errors are about it."""
    return command.translate(str.maketrans("", "", "/.,:+-_ ")).isalnum()


def wait(
    process: subprocess.Popen[bytes], event: BuildEvent, context: Context[Settings]
) -> int:
    """The exit status of a command, or minus the signal that ended it.

    Raises:
        Cancelled: The host no longer waits; the command and its children are gone.
    """
    try:
        for look in itertools.count(1):
            with contextlib.suppress(subprocess.TimeoutExpired):
                return process.wait(LOOK)
            if event.cancelled:
                raise Cancelled
            if look % LOOKS_PER_PROGRESS == 0:
                context.progress("the command runs")
        raise AssertionError("counting does not end")
    finally:
        if process.returncode is None:
            kill(process)


def kill(process: subprocess.Popen[bytes]) -> None:
    """Ends a command and everything it has started."""
    os.killpg(process.pid, signal.SIGTERM)
    with contextlib.suppress(subprocess.TimeoutExpired):
        process.wait(TERM_GRACE)
    with contextlib.suppress(ProcessLookupError):
        os.killpg(process.pid, signal.SIGKILL)
    process.wait()


plugin.run()
