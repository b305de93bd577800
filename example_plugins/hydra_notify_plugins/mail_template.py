"""Subject and body of mails: texts with `$names`, and where operators put their own."""

import re
from dataclasses import dataclass
from pathlib import Path
from string import Template
from typing import Final

from hydra_notify_sdk import ConfigProblem

SUBJECT: Final = "Subject:"
"""How the first line of a template begins; an empty one follows."""

_BUILD: Final = """
base_url before build change commits dependents details job jobset on_system others
project reason status system url
"""
_EVAL: Final = "base_url error jobset project reason what url"

BUILD_NAMES: Final = frozenset(_BUILD.split())
"""What a template of builds can say. Paragraphs that do not apply are empty."""

EVAL_NAMES: Final = frozenset(_EVAL.split())
"""What a template of evaluations can say."""

BUILD: Final = """\
Subject: $status: Hydra job $job$on_system$others

Hydra job $job$on_system $change:

  $url

$details

$dependents

$commits

$reason
--\x20
Hydra, $base_url
"""

EVAL: Final = """\
Subject: Hydra $project:$jobset evaluation error

The evaluation of the Hydra jobset $project:$jobset $what:

$error

  $url

$reason
--\x20
Hydra, $base_url
"""

_GAP: Final = re.compile(r"\n{3,}")


@dataclass(frozen=True, slots=True)
class Text:
    """A template of a mail."""

    subject: Template
    body: Template

    def fill(self, names: dict[str, str]) -> tuple[str, str]:
        """Subject and body; an empty paragraph leaves no gap."""
        subject = " ".join(self.subject.substitute(names).split())
        return subject, _GAP.sub("\n\n", self.body.substitute(names))


@dataclass(frozen=True, slots=True)
class Texts:
    """The templates in use."""

    build: Text
    evaluation: Text


def read_texts(directory: str) -> Texts:
    """The templates `build.txt` and `eval.txt` of a directory; built in where missing.

    Args:
        directory: "" for those that are built in.

    Raises:
        ConfigProblem: One cannot be read, or says what there is not.
    """
    place = Path(directory) if directory else None
    if place is not None and not place.is_dir():
        fix = "write the absolute path of a directory with build.txt, eval.txt, or both"
        raise ConfigProblem("settings.templates", f"{place} is no directory", fix=fix)
    return Texts(
        _read(place, "build.txt", BUILD, BUILD_NAMES),
        _read(place, "eval.txt", EVAL, EVAL_NAMES),
    )


def _read(place: Path | None, name: str, default: str, known: frozenset[str]) -> Text:
    text = default
    if place is not None and (place / name).exists():
        try:
            text = (place / name).read_text("utf-8")
        except (OSError, UnicodeDecodeError) as error:
            raise ConfigProblem("settings.templates", f"{name}: {error}") from error
    subject, _, body = text.partition("\n\n")
    key = f"settings.templates: {name}"
    if not subject.startswith(SUBJECT) or "\n" in subject:
        fix = f"begin it with a line `{SUBJECT} ...` and an empty one"
        raise ConfigProblem(key, "has no subject", fix=fix)
    found = Text(Template(subject.removeprefix(SUBJECT)), Template(body))
    for part in (found.subject, found.body):
        if not part.is_valid():
            fix = "write $name or ${name}, and $$ for a dollar sign"
            raise ConfigProblem(key, "has a `$` that begins no name", fix=fix)
        if unknown := set(part.get_identifiers()) - known:
            fix = f"the names are: {', '.join(sorted(known))}"
            raise ConfigProblem(key, f"there is no ${min(unknown)}", fix=fix)
    return found
