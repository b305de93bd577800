"""What the exit status of a plugin means."""

import signal
from typing import Final

EXIT_NO_PERMISSION: Final = 77
EXIT_CONFIG: Final = 78
"""Exits of sysexits.h that say what kind of help is needed."""

_MEANINGS: Final = {
    EXIT_NO_PERMISSION: "it says it lacks a permission",
    EXIT_CONFIG: "it says its configuration is wrong",
    75: "it says the trouble is temporary",
    126: "its program is not executable",
    127: "its program, or its interpreter, was not found",
}


def exit_reason(status: int) -> str:
    """What an exit status means, for people."""
    if status < 0:
        if status == -signal.SIGXFSZ:
            return "killed by SIGXFSZ: it wrote more into a file than it may"
        try:
            return f"killed by {signal.Signals(-status).name}"
        except ValueError:
            return f"killed by signal {-status}"
    meaning = _MEANINGS.get(status)
    return f"exit status {status}" + (f": {meaning}" if meaning else "")
