"""Which commands a build is for."""

from msgspec import Struct


class Task(Struct, frozen=True):
    """A command to run.

    Attributes:
        matcher: Why, as Hydra's pages show it.
        command: What, as Hydra's pages show it.
        program: Whether it is the path of a program, and no line of a shell.
    """

    matcher: str
    command: str
    program: bool = False


def sections(pattern: str) -> list[str]:
    """The parts of a matcher; empty ones at its end do not count."""
    return pattern.rstrip(":").split(":") if pattern.strip(":") else []


def matches(pattern: str, names: tuple[str, str, str]) -> bool:
    """Whether a job is meant: each section is `*` or the very name, a missing one `*`.

    Args:
        pattern: `project:jobset:job`; no regular expression.
        names: Of project, jobset and job.
    """
    pairs = zip(sections(pattern), names, strict=False)
    return all(section in ("*", name) for section, name in pairs)
