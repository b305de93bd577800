"""Uploads captured builds to Coverity Scan: Hydra's CoverityScan.

    [plugins.coverity]
    command = ["hydra-notify-coverity"]

    [plugins.coverity.settings]
    project = "nixos/patchelf"      # as Coverity Scan names it
    email = "me@example.org"        # who is told of the result
    jobs = "patchelf:trunk:coverity"    # a regular expression for project:jobset:job
    url = "https://scan.coverity.com/builds"
    timeout = 120                   # seconds for the server to take a part, or answer

    [plugins.coverity.secrets]
    token = { file = "/run/keys/coverity" }

A build of such a job leaves `tarballs/NAME-VERSION-coverity-int.tgz` (or lzma, xz, bz2,
zip) in its output, as `releaseTools.coverityAnalysis` of nixpkgs does. The plugin reads
it there, so it has to run where Hydra's store is. Coverity Scan takes files of up to
500 MB this way.

Uploads count against a quota: an event that is sent again uploads nothing, unless the
plugin was killed in the moment between upload and note. What Coverity Scan refuses with
words of its own, such as a used-up quota, is given up with these words. Several
projects are several plugins. Builds that ended with another are not looked at: they end
so because they have failed.
"""

import io
import re
import time
from functools import cache
from pathlib import Path
from typing import Annotated, Final
from urllib.parse import quote

from msgspec import Meta, Struct

from hydra_notify_plugins.done import Done
from hydra_notify_plugins.http import Service, web_address
from hydra_notify_plugins.jobs import compile_jobs, job_name
from hydra_notify_plugins.statuses import UNINFORMATIVE
from hydra_notify_sdk import (
    BuildEvent,
    BuildEventData,
    Cancelled,
    ConfigProblem,
    Context,
    Permanent,
    Plugin,
    Skipped,
)

EVENT_TIMEOUT: Final = 300.0
"""Seconds for one event, which an upload that goes on starts again."""

REPORT_EVERY: Final = 10.0
"""Seconds between two signs of life of an upload."""

_TYPES: Final = {
    ".bz2": "application/x-bzip2",
    ".lzma": "application/x-xz",
    ".tgz": "application/x-gzip",
    ".xz": "application/x-xz",
    ".zip": "application/zip",
}
_OTHER: Final = "application/octet-stream"

_ACCEPTED: Final = ("successfully submitted", "has been submitted")
"""What it says to an upload that it takes."""

_VERSION: Final = re.compile(r"-(\d.*|[^-]+)$")
"""What follows the name of a package: from a dash before a digit, or the last one."""


class Settings(Struct):
    """See above."""

    project: str
    email: str
    jobs: str = ""
    url: str = "https://scan.coverity.com/builds"
    timeout: Annotated[float, Meta(gt=0, lt=EVENT_TIMEOUT)] = 120.0


plugin = Plugin("coverity", "0.1.0", config=Settings, timeout=EVENT_TIMEOUT)
service = Service("Coverity Scan")
done_in = cache(Done)


@plugin.on_start
def check(context: Context[Settings]) -> None:
    """Refuses what can never work."""
    config = context.config
    web_address(config.url)
    compile_jobs(config.jobs)
    for name in ("project", "email"):
        if not getattr(config, name):
            fix = "write what Coverity Scan knows the project by"
            raise ConfigProblem(f"settings.{name}", "is empty", fix=fix)
    if not context.secrets.get("token"):
        fix = f"set it in [plugins.{context.instance}.secrets]"
        raise ConfigProblem("secrets.token", "is required", fix=fix)


@plugin.on("build_finished")
def upload(event: BuildEvent, context: Context[Settings]) -> Skipped | None:
    """Uploads what a build of a job of the plugin has left."""
    data = event.data
    if not compile_jobs(context.config.jobs).fullmatch(job_name(data)):
        return Skipped("not a job of this plugin")
    if data.build_status in UNINFORMATIVE:
        return Skipped("it did not run to an end")
    tarball = find(data)
    if tarball is None:
        return Skipped("it has left no tarballs/*-coverity-int.*")
    done = done_in(context.state_dir)
    if event.id in done:
        return Skipped("it was uploaded before")
    try:
        file = Upload(tarball, event, context)
    except OSError as error:
        raise Permanent(f"{tarball} cannot be read: {error.strerror}") from error
    with file:
        submit(file, tarball, data, context)
    done.add(event.id)
    return None


def find(data: BuildEventData) -> Path | None:
    """What the first output with something to upload has; None if none has.

    Raises:
        Permanent: The build has succeeded, and its outputs are not here.
    """
    paths = [Path(output.path) for output in data.outputs if output.path]
    for path in paths:
        for tarball in sorted(path.glob("tarballs/*-coverity-int.*")):
            return tarball
    if data.build_status == 0 and not any(path.exists() for path in paths):
        fix = "the plugin has to run where Hydra's store is"
        outputs = ", ".join(map(str, paths)) or "its outputs"
        raise Permanent(f"{outputs} cannot be found", fix=fix)
    return None


def version_of(tarball: Path, build: int) -> str:
    """The version in a name such as `patchelf-0.18.0-coverity-int.tgz`.

    Args:
        tarball: The file.
        build: The build's number, which stands in where the name has none.
    """
    name, _, _ = tarball.name.rpartition("-coverity-int.")
    found = _VERSION.search(name)
    return found[1] if found else str(build)


class Upload(io.FileIO):
    """A file that tells the host, while it is read, that the upload goes on."""

    def __init__(
        self, path: Path, event: BuildEvent, context: Context[Settings]
    ) -> None:
        super().__init__(path)
        self._event = event
        self._context = context
        self._size = path.stat().st_size
        self._next = time.monotonic() + REPORT_EVERY

    def read(self, size: int | None = -1, /) -> bytes:
        """The next bytes.

        Raises:
            Cancelled: The host no longer waits.
        """
        if self._event.cancelled:
            raise Cancelled(f"stopped after {self.tell()} of {self._size} bytes")
        if time.monotonic() >= self._next:
            self._next = time.monotonic() + REPORT_EVERY
            self._context.progress("uploading", 100 * self.tell() / (self._size or 1))
        return super().read(-1 if size is None else size) or b""


def submit(
    file: Upload, tarball: Path, data: BuildEventData, context: Context[Settings]
) -> None:
    """Uploads one file.

    Raises:
        Failure: It is not accepted.
    """
    config = context.config
    version = version_of(tarball, data.build)
    words = f"Hydra Coverity Build ({job_name(data)}) - {data.build}:{version}"
    url = web_address(config.url)
    answer = service.post(
        f"{url}{'&' if '?' in url else '?'}project={quote(config.project, safe='')}",
        data={
            "project": config.project,
            "email": config.email,
            "token": context.secrets["token"],
            "version": version,
            "description": words,
        },
        files={"file": (tarball.name, file, _TYPES.get(tarball.suffix, _OTHER))},
        timeout=config.timeout,
    )
    # It says 200 to what it refuses, too.
    said = " ".join(answer.text.split())
    if not any(words in said for words in _ACCEPTED):
        raise Permanent(f"Coverity Scan did not take {tarball.name}: {said[:200]}")
    context.log.info("uploaded %s: %s", words, said[:200])


def main() -> None:
    """Runs the plugin."""
    plugin.run()


if __name__ == "__main__":
    main()
