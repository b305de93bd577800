"""Files that commands read, and those for what they say."""

import contextlib
import tempfile
from collections.abc import Generator
from pathlib import Path

import msgspec

from hydra_notify_sdk import Retry

PREFIX = "hydra-"
SUFFIX = ".json"


def new_log(folder: Path, name: str) -> Path:
    """The file for the output of a new run: readable by the group, like its folders.

    Raises:
        Retry: It cannot be made.
    """
    path = folder / name[:2] / name
    try:
        for each in (folder, path.parent):
            with contextlib.suppress(FileExistsError):
                each.mkdir()
                # Whatever the umask: Hydra's web pages are another user of the group.
                each.chmod(0o750)
        path.touch()
        path.chmod(0o640)
    except OSError as error:
        fix = f"let the plugin's user write {folder}"
        if not folder.parent.is_dir():
            fix = f"make {folder.parent}, or correct hydra_data of the host"
        message = f"no log can be written in {folder}: {error.strerror}"
        raise Retry(message, fix=fix) from error
    return path


@contextlib.contextmanager
def document(data: bytes | msgspec.Raw, folder: Path) -> Generator[str]:
    """The name of a file with what is known of a build, as long as it may be read."""
    with tempfile.NamedTemporaryFile(dir=folder, prefix=PREFIX, suffix=SUFFIX) as file:
        file.write(data)
        file.flush()
        yield file.name


def remove_left_over(folder: Path) -> None:
    """Removes the documents of commands that a crash broke off."""
    for file in folder.glob(f"{PREFIX}*{SUFFIX}"):
        file.unlink()
