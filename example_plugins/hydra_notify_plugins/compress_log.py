"""Compresses the logs of build steps: Hydra's CompressLog.

    [plugins.compress_log]
    command = ["hydra-notify-compress-log"]

    [plugins.compress_log.settings]
    compression = "bzip2"       # or "zstd"; the program of that name is used

It needs no `[plugins.compress_log.match]`, and the right to write into the directories
below Hydra's `build-logs`: it runs as the user of the queue runner, or in its group.

There is a complete log at every moment: the compressed one gets its name when it is
whole and on the disk, and only then the other is removed. A log that is gone is left
alone. One that was written while it was compressed is tried again later. The compressor
runs one at a time, and when nobody else wants the processor (nice 10).

Not for a Hydra with `upload_logs_to_binary_cache`: its queue runner takes each log away
too, and whichever of the two comes second finds none.
"""

import contextlib
import os
import shutil
import stat
import subprocess
from pathlib import Path
from typing import BinaryIO, Final, Literal

from msgspec import Struct

from hydra_notify_sdk import (
    BuildEvent,
    Cancelled,
    ConfigProblem,
    Context,
    Plugin,
    Retry,
    Skipped,
    Unauthorized,
)
from hydra_notify_sdk.wire import Code

LOOK: Final = 0.5
"""Seconds between two looks for a cancellation."""

LOOKS_PER_PROGRESS: Final = 20
"""A sign of life every ten seconds."""

EVENT_TIMEOUT: Final = 60.0
"""Seconds for one log; a compressor that lives starts them again."""

NICE: Final = 10
"""How far the compressor stands back, 0 to 19: evaluations and builds come first."""

_SUFFIXES: Final = {"bzip2": ".bz2", "zstd": ".zst"}
_COMMANDS: Final = {
    "bzip2": ["bzip2", "--stdout"],
    "zstd": ["zstd", "--quiet", "--threads=0", "--stdout"],
}


class Settings(Struct):
    """See above."""

    compression: Literal["bzip2", "zstd"] = "bzip2"


plugin = Plugin(
    "compress-log",
    "0.1.0",
    config=Settings,
    # The same log never twice at once, and bzip2 takes one processor.
    max_in_flight=1,
    # A log that has to wait holds no other of its build back.
    ordering="none",
    timeout=EVENT_TIMEOUT,
)


@plugin.on_start
def check(context: Context[Settings]) -> None:
    """Looks for the programs."""
    for program in (context.config.compression, "nice"):
        if shutil.which(program) is None:
            place = f"[plugins.{context.instance}.environment]"
            raise ConfigProblem(
                "settings.compression",
                f"there is no program {program} in {os.environ.get('PATH', 'PATH')}",
                fix=f"install {program}, or set PATH in {place}",
            )


@plugin.on("step_finished")
def compress(event: BuildEvent, context: Context[Settings]) -> Skipped | None:
    """Compresses the log of a step."""
    step = event.data.step
    if not step or not step.log_path:
        return Skipped("it has no log")
    path = Path(step.log_path)
    if path.suffix in _SUFFIXES.values():
        return Skipped("its log is compressed already")
    try:
        before = path.lstat()
        if not stat.S_ISREG(before.st_mode):
            return Skipped("its log is no file")
        replace(path, before, event, context)
    except FileNotFoundError:
        return Skipped("its log is gone, or compressed already")
    except OSError as error:
        raise refused(path, error) from error
    return None


def replace(
    path: Path, before: os.stat_result, event: BuildEvent, context: Context[Settings]
) -> None:
    """Puts a compressed log in the place of a log.

    Args:
        path: The log.
        before: What it was like before anything was read of it.
        event: Asked whether somebody still waits.
        context: The plugin's.

    Raises:
        Failure: It has not come to that; the log is as it was.
        OSError: The same.
    """
    compression = context.config.compression
    suffix = _SUFFIXES[compression]
    # What a crash has left of it is written over.
    part = path.with_name(f".{path.name}{suffix}.part")
    try:
        with path.open("rb") as log, part.open("wb") as target:
            run(_COMMANDS[compression], log, target, event, context)
            resemble(target.fileno(), before)
            os.fsync(target.fileno())
        if seen(path.lstat()) != seen(before):
            raise Retry(f"{path} is still being written", code=Code.TOO_EARLY)
        part.replace(f"{path}{suffix}")
        path.unlink(missing_ok=True)
    finally:
        part.unlink(missing_ok=True)
    for other in _SUFFIXES.values():
        # Of an earlier run of the step. Hydra would show it instead.
        if other != suffix:
            Path(f"{path}{other}").unlink(missing_ok=True)


def seen(status: os.stat_result) -> tuple[int, int, int]:
    """What changes when a file is written, or made anew."""
    return status.st_ino, status.st_size, status.st_mtime_ns


def resemble(target: int, before: os.stat_result) -> None:
    """Gives a file the owner, group, rights and time of another.

    As far as it may: the group decides whether Hydra's web interface can read it.
    """
    for owner, group in ((before.st_uid, -1), (-1, before.st_gid)):
        with contextlib.suppress(PermissionError):
            os.fchown(target, owner, group)
    os.fchmod(target, stat.S_IMODE(before.st_mode))
    os.utime(target, ns=(before.st_atime_ns, before.st_mtime_ns))


def run(
    command: list[str],
    log: BinaryIO,
    target: BinaryIO,
    event: BuildEvent,
    context: Context[Settings],
) -> None:
    """Runs the compressor to its end.

    Raises:
        Retry: It has not started, or has failed.
        Cancelled: Nobody waits any more; it is gone.
    """
    program = command[0]
    try:
        process = subprocess.Popen(
            ["nice", "-n", str(NICE), *command],
            stdin=log,
            stdout=target,
            stderr=subprocess.PIPE,
        )
    except OSError as error:
        raise Retry(f"{program} does not start: {error.strerror}") from error
    with process:
        try:
            words = wait(process, event, context)
        finally:
            process.kill()
    if process.returncode:
        said = f": {words}" if words else ""
        raise Retry(f"{program} ended with {process.returncode}{said}")


def wait(
    process: subprocess.Popen[bytes], event: BuildEvent, context: Context[Settings]
) -> str:
    """What the compressor says, until it ends.

    Raises:
        Cancelled: Nobody waits any more.
    """
    looks = 0
    while True:
        try:
            _, words = process.communicate(timeout=LOOK)
        except subprocess.TimeoutExpired:
            looks += 1
        else:
            return words.decode(errors="replace").strip()
        if event.cancelled:
            raise Cancelled
        if looks % LOOKS_PER_PROGRESS == 0:
            context.progress("compressing")


def refused(path: Path, error: OSError) -> Retry | Unauthorized:
    """What it means that a log cannot be read, or its directory not be written."""
    message = f"{path} cannot be compressed: {error.strerror}"
    fix = "run hydra-notify as the user of Hydra's queue runner, or in its group"
    if not os.access(path.parent, os.W_OK | os.X_OK, effective_ids=True):
        return Unauthorized(message, code=Code.FORBIDDEN, fix=fix)
    return Retry(message, fix=fix if isinstance(error, PermissionError) else "")


def main() -> None:
    """Runs the plugin."""
    plugin.run()


if __name__ == "__main__":
    main()
