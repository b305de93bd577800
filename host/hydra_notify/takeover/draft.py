"""The result while it grows, and what there is to say of it."""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from enum import Enum
from pathlib import Path

from hydra_notify.hydra_conf import HydraConfError, Place, Scalar


class Kind(Enum):
    """What a note is about; its value is the heading it comes under."""

    TODO = "To do before the first start"
    CHANGED = "What will be different"
    LEFT = "Not taken over"


@dataclass(frozen=True, slots=True)
class Note:
    """One thing to know.

    Attributes:
        kind: What about.
        place: Of what it is about, in Hydra's files.
        about: A table of the result, such as `plugins.github`; "" for none.
        words: What there is to know, and what to do if there is anything.
    """

    kind: Kind
    place: Place
    about: str
    words: str

    @property
    def where(self) -> str:
        """Its place, and what it is about."""
        return f"{self.place} {self.about}".rstrip()


@dataclass(frozen=True, slots=True)
class Secret:
    """A value that has to get into a file of its own.

    Attributes:
        file: That file.
        key: What it is in Hydra's configuration, such as `slack.url`.
        place: Where.
        value: Never shown.
    """

    file: Path
    key: str
    place: Place
    value: str = field(repr=False)


@dataclass(frozen=True, slots=True)
class Result:
    """What Hydra's configuration comes to.

    Attributes:
        document: For TOML.
        secrets: In the order of the file.
        perl: By class of Hydra's, the first plugin that takes its place.
        notes: In the order in which they were made.
    """

    document: dict[str, object]
    secrets: tuple[Secret, ...]
    notes: tuple[Note, ...]
    perl: dict[str, str]


@dataclass
class Draft:
    """The result while it grows.

    Attributes:
        directory: Where files of secrets are, or shall be.
        plugins: Tables by name.
        secrets: Of all plugins; several may refer to one.
        notes: What there is to know.
        perl: See `Result`.
    """

    directory: Path
    plugins: dict[str, dict[str, object]] = field(default_factory=dict)
    secrets: list[Secret] = field(default_factory=list)
    notes: list[Note] = field(default_factory=list)
    perl: dict[str, str] = field(default_factory=dict)

    def free_name(self, wanted: str) -> str:
        """A name for a plugin: the wanted one, or it with a number."""
        number, name = 1, wanted
        while name in self.plugins:
            number += 1
            name = f"{wanted}_{number}"
        return name

    def add(
        self,
        name: str,
        command: Sequence[str],
        settings: Mapping[str, object] | None = None,
        secrets: Mapping[str, object] | None = None,
        *,
        perl: str,
        **more: object,
    ) -> None:
        """Add the table of a plugin that takes the place of a class of Hydra's.

        Tables that are empty are left out.
        """
        self.perl.setdefault(perl, name)
        table: dict[str, object] = {"command": list(command), **more}
        if settings:
            table["settings"] = dict(settings)
        if secrets:
            table["secrets"] = dict(secrets)
        self.plugins[name] = table

    def refer(self, key: str, value: Scalar, name: str) -> dict[str, str] | None:
        """The reference to a secret; None where there is no value.

        Args:
            key: What it is in Hydra's configuration, for people.
            value: It.
            name: What its file shall be called, if no other is.

        Raises:
            HydraConfError: It is not UTF-8.
        """
        text = value.text or ""
        if not text:
            return None
        if not _is_utf8(text):
            raise HydraConfError(value.place, f"{key} is not UTF-8", "write text")
        for known in self.secrets:
            if (known.key, known.place, known.value) == (key, value.place, text):
                return {"file": str(known.file)}
        name = re.sub(r"[^A-Za-z0-9_.-]", "_", name)
        taken = {each.file for each in self.secrets}
        file, number = self.directory / name, 1
        while file in taken:
            number += 1
            file = self.directory / f"{name}_{number}"
        self.secrets.append(Secret(file, key, value.place, text))
        return {"file": str(file)}

    def say(self, kind: Kind, place: Place, about: str, words: str) -> None:
        """Note something."""
        note = Note(kind, place, about, words)
        if note not in self.notes:
            self.notes.append(note)


def _is_utf8(text: str) -> bool:
    try:
        text.encode()
    except UnicodeEncodeError:
        return False
    return True
