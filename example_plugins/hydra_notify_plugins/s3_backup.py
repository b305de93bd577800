"""Copies what builds have made to S3, as a binary cache: Hydra's S3Backup.

    [plugins.backup]
    command = ["hydra-notify-s3-backup"]
    environment = { PATH = "/run/current-system/sw/bin" }  # has nix-store (and zstd)

    [plugins.backup.settings]
    bucket = "our-cache"
    jobs = "nixpkgs:trunk:.*"     # regular expression of project:jobset:job; empty: all
    prefix = "cache/"             # in front of every name, as it stands
    compression = "bzip2"         # bzip2, xz, zstd or none
    region = "eu-central-1"
    endpoint = "https://s3.example.org"   # of another service than Amazon's

    [plugins.backup.secrets]
    access_key_id = { file = "/run/keys/s3-id" }
    secret_access_key = { file = "/run/keys/s3-key" }
    session_token = { file = "/run/keys/s3-token" }   # if there is one

A build that succeeded or failed with output, or one of those that ended with it, is
copied with all it needs. What the bucket has already, by its `.narinfo`, is left alone;
that is written after everything it refers to. So a copy that is broken off is taken up
where it was, and whoever fetches from the bucket finds whole things only.

Without keys the role of the machine is used, if it has one. Archives are made in the
plugin's directory, one at a time, so it needs room for the largest. One instance works
at a time, by the lock `$HYDRA_DATA/.hydra-s3backup.lock`, which Hydra's own plugin and
its garbage collector for buckets take as well.
"""

import contextlib
import fcntl
import re
import shutil
import time
from collections.abc import Callable, Generator, Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Annotated, Final
from urllib.parse import urlsplit

from msgspec import Meta, Struct

from hydra_notify_plugins.jobs import compile_jobs, wanted
from hydra_notify_plugins.nars import EXTENSIONS, Compression, pack
from hydra_notify_plugins.nix_store import StorePath, closure, described, narinfo
from hydra_notify_plugins.s3_bucket import Bucket
from hydra_notify_sdk import (
    BuildEvent,
    BuildEventData,
    Cancelled,
    ConfigProblem,
    Context,
    Plugin,
    Retry,
    Skipped,
)

QUESTIONS: Final = 16
"""At a time: what the bucket has is asked for every path of a closure."""

BUSY_PAUSE: Final = 15.0
"""Seconds until the lock is tried again: a copy takes minutes."""

PROGRESS_PAUSE: Final = 10.0
"""Seconds between two signs of life."""

COPIED: Final = frozenset({0, 6})
"""Statuses of builds with something to copy."""

LOCK: Final = ".hydra-s3backup.lock"


class Settings(Struct):
    """See above."""

    bucket: Annotated[str, Meta(min_length=1)]
    jobs: str = ""
    prefix: str = ""
    compression: Compression = "bzip2"
    region: str = "us-east-1"
    endpoint: str = ""


class Backup(Struct, frozen=True):
    """Where copies go."""

    bucket: Bucket
    jobs: re.Pattern[str]


plugin = Plugin(
    "s3-backup", "1.0", config=Settings, include=["dependents"], timeout=900
)
backups: dict[Path, Backup] = {}
"""By state directory: in a process there is one."""


@plugin.on_start
def start(context: Context[Settings]) -> None:
    """Refuses what can never work."""
    config = context.config
    if config.prefix.startswith("/") or "//" in config.prefix:
        problem = "begins with a slash or has two in a row"
        raise ConfigProblem("settings.prefix", problem, fix='write "cache/"')
    needed = ["nix-store"] + ["zstd"] * (config.compression == "zstd")
    for program in needed:
        if shutil.which(program) is None:
            fix = f"put the folder of {program} into [plugins.{context.instance}]"
            raise ConfigProblem(
                "environment.PATH", f"has no {program}", fix=f"{fix} environment"
            )
    jobs = compile_jobs(config.jobs)
    backups[context.state_dir] = Backup(bucket_of(context), jobs)
    for left_over in context.state_dir.glob("*.nar"):
        left_over.unlink()


def bucket_of(context: Context[Settings]) -> Bucket:
    """The bucket, to which nothing has been said yet."""
    config, secrets = context.config, context.secrets
    url = urlsplit(config.endpoint)
    if config.endpoint and (url.scheme not in ("http", "https") or not url.hostname):
        fix = "https://s3.example.org"
        raise ConfigProblem("settings.endpoint", "is no web address", fix=fix)
    if ("access_key_id" in secrets) is not ("secret_access_key" in secrets):
        missing = {"access_key_id", "secret_access_key"} - set(secrets)
        raise ConfigProblem(f"secrets.{missing.pop()}", "is required", fix="set both")
    names = ("access_key_id", "secret_access_key", "session_token")
    keys = {name: secrets[name].strip() for name in names if name in secrets}
    return Bucket(config.bucket, config.region, config.endpoint, keys)


@plugin.on("build_finished")
def back_up(event: BuildEvent, context: Context[Settings]) -> Skipped | None:
    """Copies what a build and those that ended with it have made."""
    backup = backups[context.state_dir]
    outputs = outputs_of(backup, event.data)
    if not outputs:
        return Skipped("it has made nothing that is copied")
    tick = ticker(event, context)
    with locked(context):
        paths = closure(outputs)
        missing = missing_of(backup.bucket, paths, context.config.prefix)
        context.log.info("%d of %d paths are missing", len(missing), len(paths))
        if missing:
            introduce(backup.bucket, context.config.prefix, missing[0])
        for number, path in enumerate(described(missing)):
            percent = 100 * number / len(missing)
            context.progress(f"{number}/{len(missing)} {path.path}", percent)
            copy(backup.bucket, path, context, tick)
    return None


def outputs_of(backup: Backup, data: BuildEventData) -> list[str]:
    """The paths that are to be copied."""
    return [
        output.path
        for build in wanted(backup.jobs, data)
        if build.build_status in COPIED
        for output in build.outputs
        if output.path is not None
    ]


def missing_of(bucket: Bucket, paths: Sequence[str], prefix: str) -> list[str]:
    """Those that the bucket does not have, in their order."""

    def has(path: str) -> bool:
        digest = Path(path).name.partition("-")[0]
        return bucket.has(f"{prefix}{digest}.narinfo")

    with ThreadPoolExecutor(QUESTIONS) as questions:
        found = list(questions.map(has, paths))
    return [path for path, there in zip(paths, found, strict=True) if not there]


def introduce(bucket: Bucket, prefix: str, path: str) -> None:
    """Says that this is a cache: without that, Nix takes nothing from it."""
    name = f"{prefix}nix-cache-info"
    if not bucket.has(name):
        text = f"StoreDir: {Path(path).parent}\n"
        bucket.put(name, text.encode(), "text/x-nix-cache-info")


def copy(
    bucket: Bucket,
    path: StorePath,
    context: Context[Settings],
    tick: Callable[[], None],
) -> None:
    """Copies one path: first what it is, then that it is there."""
    config = context.config
    nar = pack(path, config.compression, context.state_dir, tick)
    try:
        url = f"nar/{nar.hash.hex()}.nar{EXTENSIONS[config.compression]}"
        bucket.upload(config.prefix + url, nar.file, "application/x-nix-nar", tick)
    finally:
        nar.file.unlink()
    text = narinfo(path, url, config.compression, nar.hash, nar.size)
    name = f"{config.prefix}{path.digest}.narinfo"
    bucket.put(name, text.encode(), "text/x-nix-narinfo")


def ticker(event: BuildEvent, context: Context[Settings]) -> Callable[[], None]:
    """What to call in long work: tells the host of it, and ends it when it should."""
    last = time.monotonic()

    def tick() -> None:
        nonlocal last
        if event.cancelled:
            raise Cancelled
        if time.monotonic() - last >= PROGRESS_PAUSE:
            last = time.monotonic()
            context.progress()

    return tick


@contextlib.contextmanager
def locked(context: Context[Settings]) -> Generator[None]:
    """Nobody else copies meanwhile.

    Raises:
        Retry: Somebody does, or the lock cannot be had.
    """
    path = Path(context.hydra_data or context.state_dir) / LOCK
    with contextlib.ExitStack() as opened:
        try:
            file = opened.enter_context(path.open("a"))
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError as error:
            message = f"another copy is at work: {path} is locked"
            raise Retry(message, code=503, after=BUSY_PAUSE) from error
        except OSError as error:
            fix = f"let the plugin's user write {path}"
            message = f"{path} cannot be locked: {error.strerror}"
            raise Retry(message, fix=fix) from error
        yield


def main() -> None:
    """Works for the host."""
    plugin.run()


if __name__ == "__main__":
    main()
