"""Files for the output of commands, where Hydra's web pages look for them."""

import contextlib
from pathlib import Path

from hydra_notify_sdk import Retry


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
        raise Retry(
            f"no log can be written in {folder}: {error.strerror}",
            fix=f"let the plugin's user write {folder}",
        ) from error
    return path
