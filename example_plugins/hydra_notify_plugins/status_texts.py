"""Texts that operators write, with words in braces that stand for facts of a build."""

from string import Formatter
from typing import Final

from hydra_notify_plugins.jobs import job_name
from hydra_notify_plugins.statuses import word_of
from hydra_notify_sdk import ConfigProblem
from hydra_notify_sdk.wire.data import BuildDocument

WORDS: Final = ("build", "job", "jobset", "name", "project", "status", "system")
"""What may stand in braces; `name` is `project:jobset:job`."""


def check_text(text: str, key: str) -> str:
    """The text, if nothing but `WORDS` stands in its braces.

    Args:
        text: As in the settings.
        key: Where it stands, for the error.

    Raises:
        ConfigProblem: Something else does, or a brace is alone.
    """
    fix = f"write {{{{ for a brace; the words are {{{'}, {'.join(WORDS)}}}"
    try:
        fields = [field for _, *field in Formatter().parse(text)]
    except ValueError as error:
        raise ConfigProblem(key, f"is no text: {error}", fix=fix) from None
    for word, form, conversion in fields:
        if word is not None and (word not in WORDS or form or conversion):
            raise ConfigProblem(key, f"has the unknown word {{{word}}}", fix=fix)
    return text


def filled(text: str, build: BuildDocument) -> str:
    """A checked text with the facts of a build."""
    return text.format(
        build=build.build,
        job=build.job,
        jobset=build.jobset,
        name=job_name(build),
        project=build.project,
        status=_state(build),
        system=build.system,
    )


def _state(build: BuildDocument) -> str:
    if not build.finished or build.build_status is None:
        return "pending"
    return word_of(build.build_status)
