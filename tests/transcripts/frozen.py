"""Golden conversations that are released stay as they are.

Authors test their plugins with them. `v1/FROZEN` has a SHA-256 for each, and a test
compares. To freeze those that are there:

    cd tests/transcripts/v1 && sha256sum *.json *.jsonl >FROZEN

Do so when new ones are released: until then they may change. Before version 1.0 of the
host a frozen one may be changed by the same command, if `CHANGELOG.md` says what that
means for authors of plugins. From then on it may not: what it says is a promise of
protocol version 1, and another promise is another version, in a folder of its own.
"""

from hashlib import sha256
from pathlib import Path

from tests.transcripts import FOLDER


def frozen(folder: Path = FOLDER) -> dict[str, str]:
    """The hashes that were written down, by the names of the files."""
    lines = (folder / "FROZEN").read_text().splitlines()
    pairs = (line.split() for line in lines)
    return {name.removeprefix("*"): digest for digest, name in pairs}


def changed(folder: Path = FOLDER) -> list[str]:
    """The files that are no more what was written down, or are gone."""
    return [
        name
        for name, digest in frozen(folder).items()
        if not (folder / name).exists()
        or sha256((folder / name).read_bytes()).hexdigest() != digest
    ]


def not_frozen(folder: Path = FOLDER) -> set[str]:
    """The files that nobody has written down yet."""
    return {path.name for path in folder.glob("*.json*")} - set(frozen(folder))
