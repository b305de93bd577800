"""What was looked at, how it is, and what helps."""

from enum import StrEnum

from msgspec import Struct


class Mark(StrEnum):
    """How something is."""

    OK = "ok"
    WARN = "warn"
    """It works, or may work; somebody should know."""

    FAIL = "fail"
    """Something does not work until it is mended."""


class Check(Struct, frozen=True):
    """One thing that was looked at.

    Attributes:
        section: What it is of: `config`, `database`, `ledger`, `host`, `state_dir`,
            `http`, `plugins` or `sandbox`.
        words: What was found, in one line.
        fix: What helps, in one line; "" if nothing is to be done.
        plugin: Which it is about; "" if none.
    """

    section: str
    mark: Mark
    words: str
    fix: str = ""
    plugin: str = ""


def ok(section: str, words: str, plugin: str = "") -> Check:
    """Something that is as it should be."""
    return Check(section, Mark.OK, words, "", plugin)


def warn(section: str, words: str, fix: str, plugin: str = "") -> Check:
    """Something that somebody should know."""
    return Check(section, Mark.WARN, words, fix, plugin)


def fail(section: str, words: str, fix: str, plugin: str = "") -> Check:
    """Something that has to be mended."""
    return Check(section, Mark.FAIL, words, fix, plugin)


def parted(message: str) -> tuple[str, str]:
    """The two halves of an error of ours: what is wrong, and what helps."""
    words, _, fix = message.partition("; ")
    return words, fix
