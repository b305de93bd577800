"""How long the examination waits for what, and what is too little. Seconds."""

from typing import Final

FILES_LIMIT: Final = 10.0
"""For files to be looked at: those of a server that is gone hang for ever."""

HEAR_LIMIT: Final = 5.0
"""For a NOTIFY to come back: it takes a millisecond, so what takes longer is lost."""

CONNECT_LIMIT: Final = 3.0
"""For whoever listens at `http.listen` to answer: it is on this machine."""

HANDSHAKE_LIMIT: Final = 30.0
"""For a plugin to be started and ready: three times what it has without asking for
more. One that needs longer is said to."""

HANDSHAKES: Final = 4
"""Plugins that are tried at once: their interpreters start at the expense of whatever
else the machine does."""

LEAST_FREE: Final = 100 * 1024 * 1024
"""Bytes free in the state directory below which plugins soon fail to write there."""
