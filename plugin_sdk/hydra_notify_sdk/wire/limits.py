"""Every number of the protocol: the table of `docs/protocol.md` is made from here.

Durations end in `_MS` (milliseconds) as on the wire; sizes are bytes.
"""

from typing import Final

MAX_FRAME_BYTES: Final = 1024 * 1024
"""Bytes of one frame without its newline, both ways. The largest honest frame, a head
with a 7,000-byte list of dependents in full, is below it; scanners with smaller line
limits (Go's bufio: 64 KiB) are named in the docs."""

MAX_ID_LENGTH: Final = 64
"""Characters of a request id; fits a log column."""

MAX_IN_FLIGHT: Final = 64
"""Unanswered events at most, whatever a plugin asks for; beyond it pipes, not windows,
are the limit (a 64 KiB pipe holds about this many frames)."""

DEFAULT_IN_FLIGHT: Final = 1
"""Unanswered events when a plugin does not say: a plain read-answer loop is correct."""

START_TIMEOUT_MS: Final = 10_000
"""From spawn to the answer of `initialize`; each `progress` starts it again."""

START_TOTAL_MS: Final = 120_000
"""The longest start that `progress` can ask for."""

EVENT_TIMEOUT_MS: Final = 30_000
"""From the frame written to its answer, when the plugin does not ask for another."""

MIN_EVENT_TIMEOUT_MS: Final = 1_000
MAX_EVENT_TIMEOUT_MS: Final = 900_000
"""What a plugin may ask for: a quarter of an hour covers an upload."""

PROGRESS_FACTOR: Final = 10
"""`progress` extends one event to at most this many timeouts ..."""

PROGRESS_TOTAL_MS: Final = 3_600_000
"""... and never past an hour: a plugin that reports progress for ever hangs too."""

CANCEL_GRACE_MS: Final = 5_000
"""From `cancel` to the answer that is still owed."""

MAX_RETRY_AFTER_MS: Final = 86_400_000
"""The longest wait that `retry_after_ms` can ask for, a day: who asks for more has
mistaken the unit, and would never be heard of again."""

PING_INTERVAL_MS: Final = 60_000
"""Of silence with nothing in flight before a `ping`."""

PING_TIMEOUT_MS: Final = 10_000
"""For the answer to a `ping`; two missed in a row and the plugin is restarted."""

SHUTDOWN_REPLY_MS: Final = 5_000
"""For the answer to `shutdown`; then stdin is closed."""

EXIT_GRACE_MS: Final = 5_000
"""From stdin closed to exit; then SIGTERM to the process group."""

TERM_GRACE_MS: Final = 5_000
"""From SIGTERM to SIGKILL."""

MALFORMED_IN_A_ROW: Final = 5
MALFORMED_PER_MINUTE: Final = 20
"""Frames that cannot be understood before the plugin counts as broken: one bad line is
an accident, a stream of them is not the protocol."""

STRAY_BYTES_BEFORE_START: Final = 1024 * 1024
"""Of text that is no frame before `initialize` is answered: a banner is survived, a
program that is no plugin is not."""

LOG_LINE_BYTES: Final = 16_384
"""Longer lines of stderr or `log` are cut."""

LOG_LINES_PER_SECOND: Final = 100
LOG_LINES_BURST: Final = 1_000
"""Lines kept of a plugin's log; what is beyond is counted and said."""
