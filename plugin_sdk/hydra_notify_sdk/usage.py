"""What a plugin says to somebody who starts it by hand."""

import os
import shlex
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Final, NoReturn

from hydra_notify_sdk.wire import PROTOCOL_VERSION

EXIT_STATUS: Final = 2
"""As for any program that is called in a way it cannot work."""

_QUESTIONS: Final = ("--help", "-h", "--version")

_TEXT: Final = """\
{name} {version} is a plugin of hydra-notify: the host starts it and speaks JSON with
it over standard input and output, one object per line (protocol version {protocol}).
It handles: {events}.

To try it without a host, and to see whether it does all that a plugin should:

    hydra-notify plugin run {program}
    hydra-notify plugin check {program}

To use it, name it in hydra-notify.toml and ask what the host thinks of that:

    [plugins.{name}]
    command = ["{program}"]

    hydra-notify check-config --config hydra-notify.toml

To see it answer now:

    {conversation}
"""


def is_by_hand() -> bool:
    """Whether a person has started the plugin, at a terminal or with a question.

    The host has not: its plugins have HYDRA_NOTIFY_PLUGIN in their environment.
    """
    return os.isatty(0) or _question() is not None


def explain(name: str, version: str, events: Sequence[str]) -> NoReturn:
    """Says what the plugin is and how to try it, and ends.

    Args:
        name: Of the plugin.
        version: Of the plugin.
        events: Names and patterns it has handlers for.
    """
    match _question():
        case None:
            sys.stderr.write(usage(name, version, events))
            sys.exit(EXIT_STATUS)
        case "--version":
            sys.stdout.write(f"{name} {version}\n")
        case _:
            sys.stdout.write(usage(name, version, events))
    sys.exit(0)


def usage(name: str, version: str, events: Sequence[str]) -> str:
    """What it is and how to try it."""
    program = str(Path(sys.argv[0]).absolute())
    return _TEXT.format(
        name=name,
        version=version,
        protocol=PROTOCOL_VERSION,
        events=", ".join(events),
        program=shlex.quote(program),
        conversation=conversation(program),
    )


def _question() -> str | None:
    match sys.argv[1:]:
        # Anything else is the plugin's own.
        case [word] if word in _QUESTIONS:
            return word
        case _:
            return None


def conversation(program: str) -> str:
    """A command line that starts the plugin and asks it for its manifest."""
    frame = (
        '{"jsonrpc":"2.0","id":"1","method":"initialize","params":{"protocol_versions":'
        '[1],"host":{"name":"sh","version":"1"},"instance":"test","config":{}}}'
    )
    return f"echo {shlex.quote(frame)} | {shlex.quote(program)}"
