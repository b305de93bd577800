"""How long the demo waits for its Postgres, and how long its lists get."""

from typing import Final

INITDB_LIMIT: Final = 60.0
"""Seconds to create a database cluster; about one on an idle machine."""

START_LIMIT: Final = 60.0
"""Seconds to accept connections; 0.2 on an idle machine, more after a crash."""

STOP_LIMIT: Final = 30.0
"""Seconds to stop; longer than the guard takes to go through its three signals."""

GUARD_EXIT_LIMIT: Final = 40.0
"""Seconds for the guard to stop the server, delete its files and exit."""

PROBE_LIMIT: Final = 20.0
"""Seconds for `postgres --version`; more than a cold disk needs."""

CONNECT_PATIENCE: Final = 30.0
"""Seconds the simulated Hydra tries to reach a database that went away."""

CONNECT_PAUSE: Final = 0.1
"""Seconds between two such tries."""

SOCKET_PATH_BYTES: Final = 103
"""Longest path of a Unix socket on every system (macOS has room for 104 with NUL)."""

CHUNK_BYTES: Final = 7000
"""Where Hydra starts another `build_finished` payload for the remaining dependents."""

PAYLOAD_BYTES: Final = 8000
"""Postgres refuses a NOTIFY payload of this many bytes or more."""
