"""How long the kit waits for what. Seconds, unless a name says otherwise."""

from typing import Final

STDERR_TURNS: Final = 20
"""Turns of the loop that an answer waits for lines of stderr which were written before
it: each turn reads 64 KiB, and whoever writes more at once need not be in order."""

WRITE_LIMIT: Final = 5.0
"""For the plugin to read what is written to it: a pipe holds 64 KiB, so only one that
does not read at all takes longer."""

END_LIMIT: Final = 10.0
"""For a process to be gone after SIGKILL, and its pipes to be empty."""

STDERR_LINES: Final = 200
"""Lines of stderr that are kept for a report: a traceback and what led to it."""

HIDDEN_SECRET: Final = "***"  # noqa: S105 - what stands in place of one
"""In place of a secret in whatever the kit shows."""

QUIET: Final = 10.0
"""Without a word about an event after which a plugin should send `progress`: the host
waits 30 s unless it was asked for more."""

QUICK_START: Final = 1.0
"""From spawn to the answer of `initialize` that nobody waits for."""

LEAVE: Final = 2.0
"""From the end of stdin to the exit: the host waits longer, a machine that is being
shut down does not."""

CHILDREN_LEAVE: Final = 0.5
"""From a plugin's exit to that of its children: those that see a pipe close end by
themselves."""

LOOK_AGAIN: Final = 0.02
"""Between looks at processes of which nothing tells."""

EVIDENCE_LINES: Final = 3
"""Of what a plugin sent, in a finding; what there is more of is of the same kind."""

STDERR_EVIDENCE: Final = 10
"""Lines of stderr in a finding: the end of a traceback, or a usage text."""

SINK_PATIENCE: Final = 60.0
"""For a request to arrive in full, and to leave one without an answer: longer than a
plugin should wait for its service."""

RESTART_DRAIN: Final = 2.0
"""For answers to what is in flight when an author wants a restart: the code that is at
it is no longer of interest, and may hang."""

WATCH_POLL: Final = 0.25
"""Between looks at a plugin's files: soon enough for who has just saved one."""

WATCHED_ENTRIES: Final = 1000
"""Files and folders that are looked at, the nearest first: the sources of any plugin,
and not the whole of a home directory."""

DOOR_REQUEST_BYTES: Final = 1_048_576
"""Of what `plugin send` asks for: an event, and edits that may hold much."""

DOOR_REQUEST_LIMIT: Final = 5.0
"""For that to arrive: it comes from a program on the same machine, in one piece."""

DOOR_ANSWER_LIMIT: Final = 4000.0
"""For the answer to it: an event may take an hour, if its plugin reports progress."""

SHOWN_PART: Final = 0.5
"""Of the terminal's height that one frame may take, so that what led to it stays."""

PLAIN_WIDTH: Final = 80
"""Columns where no terminal says how many it has."""

MOST_OF_A_FILE: Final = 16 * 1024 * 1024
"""Bytes of a file in which the kit looks for what a plugin has written down: one that
was made by fifty events is far below."""

SECRET_LENGTH: Final = 8
"""Characters of a secret that is looked for in what a plugin writes: shorter ones, made
up for a try, stand in any text."""

SINK_POLL: Final = 0.02
"""Between a server's looks whether it is to end."""
