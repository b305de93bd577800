"""Tables of TOML to frozen structs, with every problem found and not only the first.

msgspec stops at the first problem and does not say under which key of a dict it lies.
So tables are walked here by the fields of their struct, and msgspec is asked about one
value at a time.
"""

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from types import UnionType
from typing import Annotated, Final, TypeVar, cast, get_args, get_origin

import msgspec

from hydra_notify.config.wording import did_you_mean, joined, kind_of, problem_in
from hydra_notify.errors import Problem

_S = TypeVar("_S", bound=msgspec.Struct)

Table = dict[str, object]
"""What tomllib makes of a table."""

Finding = tuple[str, str]
"""What is wrong with a value, and the fix."""


@dataclass(frozen=True, slots=True)
class Advice:
    """An annotation of a field: what to tell those whose value does not fit.

    Attributes:
        fix: What to write instead.
        check: What the type alone cannot say about a string.
        stray: Of a table: where a key may belong that it does not know.
    """

    fix: str
    check: Callable[[str], Finding | None] | None = None
    stray: str = ""


_NO_ADVICE: Final = Advice("see the reference configuration, hydra-notify.toml")


class Decoder:
    """The problems found so far in one file.

    Attributes:
        directory: Where the file lies; relative paths in it start there.
        problems: In the order of the structs' fields.
    """

    def __init__(self, directory: Path) -> None:
        self.directory = directory
        self.problems: list[Problem] = []

    def note(self, key: str, problem: str, fix: str) -> None:
        """Remembers one problem."""
        self.problems.append(Problem(key, problem, fix))

    def table(self, value: object, key: str, fix: str) -> Table:
        """`value` where it is a table; else an empty one, and a problem."""
        if isinstance(value, dict):
            return cast(Table, value)
        self.note(key, f"is {kind_of(value)}, not a table", fix)
        return {}

    def unknown_keys(
        self, table: Table, known: tuple[str, ...], key: str, stray: str = ""
    ) -> None:
        """Notes what `table` has beside `known`; `stray` says where it may belong."""
        for name in table:
            if name not in known:
                fix = did_you_mean(name, known)
                if stray and not fix.endswith("?"):
                    fix = f"{fix}; {stray}"
                self.note(joined(key, name), "is not a known key", fix)

    def struct(
        self,
        kind: type[_S],
        table: Table,
        key: str,
        *,
        stray: str = "",
        **given: object,
    ) -> _S | None:
        """`table` as a `kind`; None where something is wrong with it, which is noted.

        Args:
            kind: Its fields carry `Advice` and msgspec's `Meta`.
            table: From the file.
            key: The table's key path.
            stray: See `unknown_keys`.
            given: Fields that the file does not set.
        """
        already = len(self.problems)
        fields = [f for f in msgspec.structs.fields(kind) if f.name not in given]
        self.unknown_keys(table, tuple(f.name for f in fields), key, stray)
        values = dict(given)
        for field in fields:
            path = joined(key, field.name)
            if field.name in table:
                values[field.name] = self._value(field.type, table[field.name], path)
            elif field.required:
                self.note(path, "is missing", _advice(field.type).fix)
        return kind(**values) if len(self.problems) == already else None

    def _value(self, kind: object, value: object, key: str) -> object:
        """`value` as a `kind`; anything, and a problem noted, where it is none."""
        advice = _advice(kind)
        bare: object = get_args(kind)[0] if get_origin(kind) is Annotated else kind
        if bare is object:
            return value
        if get_origin(bare) is UnionType:
            # What may be left out; TOML has nothing to say None with.
            wholes = [arm for arm in get_args(bare) if _has_parts(arm)]
            bare = wholes[0] if wholes else bare
        if isinstance(bare, type) and issubclass(bare, msgspec.Struct):
            already = len(self.problems)
            table = self.table(value, key, advice.fix)
            if len(self.problems) > already:
                return None
            return self.struct(bare, table, key, stray=advice.stray)
        if get_origin(bare) is dict:
            name_kind, item_kind = get_args(bare)
            found: Table = {}
            for name, item in self.table(value, key, advice.fix).items():
                path = joined(key, name)
                self._leaf(name_kind, name, path)
                found[name] = self._value(item_kind, item, path)
            return found
        if get_origin(bare) is tuple and isinstance(value, list):
            already = len(self.problems)
            for index, item in enumerate(cast(list[object], value)):
                self._leaf(get_args(bare)[0], item, f"{key}[{index}]")
            if len(self.problems) > already:
                return ()
        return self._leaf(kind, value, key)

    def _leaf(self, kind: object, value: object, key: str) -> object:
        advice = _advice(kind)
        try:
            found: object = msgspec.convert(value, kind, dec_hook=self._path)
        except msgspec.ValidationError as error:
            self.note(key, problem_in(str(error), value), advice.fix)
            return None
        if advice.check is not None and isinstance(value, str):
            finding = advice.check(value)
            if finding is not None:
                self.note(key, *finding)
        return found

    def _path(self, kind: type, value: object) -> Path:
        assert kind is Path, kind
        if not isinstance(value, str):
            # The form of msgspec's own messages, which `problem_in` reads.
            raise ValueError(f"Expected `str`, got `{type(value).__name__}`")
        return self.directory / value


def _has_parts(kind: object) -> bool:
    """Whether it is an array or a table, each of whose parts is looked at."""
    if get_origin(kind) is tuple:
        return True
    return isinstance(kind, type) and issubclass(kind, msgspec.Struct)


def _advice(kind: object) -> Advice:
    notes = get_args(kind)[1:] if get_origin(kind) is Annotated else ()
    return next((note for note in notes if isinstance(note, Advice)), _NO_ADVICE)
