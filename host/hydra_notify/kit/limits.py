"""How long the kit waits for what. Seconds, unless a name says otherwise."""

from typing import Final

WRITE_LIMIT: Final = 5.0
"""For the plugin to read what is written to it: a pipe holds 64 KiB, so only one that
does not read at all takes longer."""

END_LIMIT: Final = 10.0
"""For a process to be gone after SIGKILL, and its pipes to be empty."""

STDERR_LINES: Final = 200
"""Lines of stderr that are kept for a report: a traceback and what led to it."""
