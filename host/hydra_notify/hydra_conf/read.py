"""A file by its name, with all that it includes."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from hydra_notify.hydra_conf.json_form import merge, parse_json
from hydra_notify.hydra_conf.lines import Line, logical_lines
from hydra_notify.hydra_conf.structure import build
from hydra_notify.hydra_conf.values import Block, HydraConfError, Place

Read = Callable[[Path], str]
"""What a file says; raises OSError."""

_SUFFIXES: Final = ("", ".conf")
"""Of files in Config::General's form; `.json` is the other one."""


_MOST_OPEN: Final = 50
"""Files of which each includes the next: Hydra's have two or three, and Perl warns of
a hundred."""


@dataclass(frozen=True, slots=True)
class Hydra:
    """Hydra's configuration.

    Attributes:
        top: All that it says.
        files: The files that say it, the main one first.
    """

    top: Block
    files: tuple[Path, ...]


def read_hydra_conf(path: Path, read: Read) -> Hydra:
    """Hydra's configuration in a file and those that it includes.

    Args:
        path: Of the main file.
        read: See `Read`.

    Raises:
        HydraConfError: Hydra could not read it either, or would drop a part of it.
    """
    reader = _Reader(path.absolute(), read)
    top = reader.block(reader.main, Place(path))
    return Hydra(top, tuple(reader.files))


class _Reader:
    """The files that were read, and those that are being read."""

    def __init__(self, main: Path, read: Read) -> None:
        self.main = main
        self.files: list[Path] = []
        self._read = read
        self._texts: dict[Path, str] = {}
        self._open: list[Path] = []

    def block(self, path: Path, asked: Place) -> Block:
        """What a file of either form says."""
        if path.suffix == ".json":
            return self._json(path, asked)
        if path.suffix not in _SUFFIXES:
            problem = f"the form of {path.name} cannot be told by its name"
            raise HydraConfError(asked, problem, "call it .conf or .json")
        return build(self._lines(path, asked), Place(path))

    def _lines(self, path: Path, asked: Place) -> Iterator[Line]:
        text = self._begin(path, asked)
        yield from logical_lines(
            text, path, lambda name, place: self._included(name, path, place)
        )
        self._open.pop()

    def _included(self, name: str, within: Path, place: Place) -> Iterator[Line]:
        path = self._found(name, within, place)
        if path.suffix == ".json":
            problem = f"{name} is JSON, which Hydra cannot include in this form"
            raise HydraConfError(place, problem, "include both in a JSON file")
        return self._lines(path, place)

    def _json(self, path: Path, asked: Place) -> Block:
        includes, own = parse_json(self._begin(path, asked), path)
        whole = Block(Place(path))
        for name in includes:
            found = self._found(name, path, Place(path))
            merge(whole, self.block(found, Place(path)), "")
        merge(whole, own, "")
        self._open.pop()
        return whole

    def _begin(self, path: Path, asked: Place) -> str:
        """Note that a file is being read, and read it."""
        if len(self._open) == _MOST_OPEN:
            problem = f"is the {_MOST_OPEN}th of files that include each other"
            raise HydraConfError(asked, problem, "include fewer")
        if path in self._open:
            problem = f"includes {path}, which includes this file"
            raise HydraConfError(asked, problem, "leave one include out")
        try:
            text = self._text(path)
        except OSError as error:
            words = error.strerror or type(error).__name__
            problem = f"{path} cannot be read ({words})"
            fix = "run this where Hydra's files are, as a user who may read them"
            raise HydraConfError(asked, problem, fix) from error
        self._open.append(path)
        if path not in self.files:
            self.files.append(path)
        return text

    def _text(self, path: Path) -> str:
        if path not in self._texts:
            self._texts[path] = self._read(path)
        return self._texts[path]

    def _found(self, name: str, within: Path, place: Place) -> Path:
        """Beside the file that names it, or else beside the main one."""
        for directory in (within.parent, self.main.parent):
            path = directory / name
            try:
                self._text(path)
            except (FileNotFoundError, NotADirectoryError, ValueError):
                # ValueError: with a NUL in its name there is none either.
                continue
            except OSError:
                pass
            return path
        problem = f"includes {name}, which does not exist"
        if set(name) & set("*?["):
            fix = "Hydra takes no globs: name each file"
        else:
            fix = f"put it beside {within.name}, or write its whole path"
        raise HydraConfError(place, problem, fix)
