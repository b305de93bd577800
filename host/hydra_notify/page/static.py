"""Files that do not change while the host runs: style, script, icons.

Each has an address with a hash of its content, so that a browser may keep it for ever
and still gets a new one after an upgrade.
"""

from functools import cache
from hashlib import sha256
from pathlib import Path
from typing import Final, NamedTuple

_FOLDER: Final = Path(__file__).with_name("static")

_TYPES: Final = {
    ".css": "text/css; charset=utf-8",
    ".js": "text/javascript; charset=utf-8",
    ".svg": "image/svg+xml",
}
"""By suffix; other files in the folder are not for browsers."""

_HASH: Final = 16
"""Hex digits of a hash: enough to tell versions apart, which is all it is for."""


class StaticFile(NamedTuple):
    """A file, and what it is."""

    media_type: str
    content: bytes


@cache
def _files() -> dict[str, tuple[str, StaticFile]]:
    """Hash and content by name, read once."""
    found: dict[str, tuple[str, StaticFile]] = {}
    for path in sorted(_FOLDER.iterdir()):
        media_type = _TYPES.get(path.suffix)
        if media_type is not None:
            content = path.read_bytes()
            mark = sha256(content).hexdigest()[:_HASH]
            found[path.name] = (mark, StaticFile(media_type, content))
    return found


def static_file(mark: str, name: str) -> StaticFile | None:
    """The file at `/static/MARK/NAME`; None if there is none, or another by now."""
    known, file = _files().get(name, ("", None))
    return file if mark == known else None


def address(name: str) -> str:
    """Where the file `name` is."""
    return f"/static/{_files()[name][0]}/{name}"


@cache
def edition() -> str:
    """Changes when any of the files does: an open page then loads itself anew."""
    marks = "".join(mark for mark, _ in _files().values())
    return sha256(marks.encode()).hexdigest()[:_HASH]
