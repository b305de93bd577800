"""How much of the database's free-form parts is read, and how much is sent."""

from typing import Final

from hydra_notify_sdk.wire.limits import MAX_FRAME_BYTES

EVALS_PER_BUILD: Final = 100
"""Evaluations read for one build: its first and the newest. A build that waits for days
in a busy jobset is in dozens; an old one that never changes is in thousands."""

ERROR_LENGTH: Final = 262_144
"""Characters read of an error text; a broken evaluation can write ten million."""

EVENT_ROOM: Final = MAX_FRAME_BYTES - 4_096
"""Bytes of an encoded event: what the frame around it needs is far below 4 KiB."""

SHORT_TEXT: Final = 1_000
"""Characters that a text keeps however little room there is."""
