"""Everything that can go wrong and is not our own mistake.

Errors of libraries become one of these at the room that meets them, the cause kept. A
promise of ours that breaks is an `assert`, not one of these.
"""

from dataclasses import dataclass


class HydraNotifyError(Exception):
    """The root: catching it catches all that a user, a plugin or Postgres can cause."""


@dataclass(frozen=True, slots=True)
class Problem:
    """One thing to mend in the configuration.

    Attributes:
        key: Where it is, as the file writes it (`plugins.github.match.jobs[1]`), or
            the file, a line of it, or an environment variable.
        problem: What is wrong; the end of a sentence that begins with `key`.
        fix: What to do about it.
    """

    key: str
    problem: str
    fix: str

    def __str__(self) -> str:
        return f"{self.key} {self.problem}; {self.fix}"


class ConfigError(HydraNotifyError):
    """The configuration cannot be used: all that is wrong with it."""

    def __init__(self, problems: tuple[Problem, ...]) -> None:
        super().__init__(problems)
        self.problems = problems

    def __str__(self) -> str:
        return "\n".join(str(problem) for problem in self.problems)


class PayloadError(HydraNotifyError):
    """A notification does not have the form its channel has."""


class PluginError(HydraNotifyError):
    """A plugin broke the protocol or cannot be run; the message names the plugin."""


class DatabaseLost(HydraNotifyError):
    """The connection is gone, or Postgres does not answer: connect again."""


class PermissionDenied(DatabaseLost):
    """Postgres refused for lack of a privilege; the message names what was denied.

    A kind of loss: the same statement works as soon as an operator has granted it.
    """


class DatabaseError(HydraNotifyError):
    """Postgres answered, and refused: the same statement again would not help."""


class DatabaseUnsuitable(HydraNotifyError):
    """Something in the database has to be mended first; the message says what."""


class LedgerTaken(HydraNotifyError):
    """Another host has become the one that writes the ledger."""
