"""What a plugin says to somebody who starts it by hand."""

import os
import shlex
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Final

from hydra_notify_sdk.wire import PROTOCOL_VERSION

EXIT_STATUS: Final = 2
"""As for any program that is called in a way it cannot work."""

_TEXT: Final = """\
{name} {version} is a plugin of hydra-notify: the daemon starts it and speaks JSON with
it over standard input and output, one object per line (protocol version {protocol}).
It handles: {events}.

To use it, name it in hydra-notify.toml and ask what the daemon thinks of that:

    [plugins.{name}]
    command = ["{program}"]

    hydra-notify check-config --config hydra-notify.toml

To see it answer now:

    {conversation}
"""


def is_by_hand() -> bool:
    """Whether a person at a terminal has started the plugin, not the host."""
    return "HYDRA_NOTIFY_PLUGIN" not in os.environ and os.isatty(0)


def usage(name: str, version: str, events: Sequence[str]) -> str:
    """What it is and how to try it.

    Args:
        name: Of the plugin.
        version: Of the plugin.
        events: Names and patterns it has handlers for.
    """
    program = str(Path(sys.argv[0]).absolute())
    return _TEXT.format(
        name=name,
        version=version,
        protocol=PROTOCOL_VERSION,
        events=", ".join(events) or "nothing",
        program=program,
        conversation=conversation(program),
    )


def conversation(program: str) -> str:
    """A command line that starts the plugin and asks it for its manifest."""
    frame = (
        '{"jsonrpc":"2.0","id":"1","method":"initialize","params":{"protocol_versions":'
        '[1],"host":{"name":"sh","version":"1"},"instance":"test","config":{}}}'
    )
    return f"echo {shlex.quote(frame)} | {shlex.quote(program)}"
