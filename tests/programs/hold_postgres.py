"""Start a private Postgres, say where it is, and wait to be killed."""

import os
import signal

from hydra_notify.demo.server.postgres import private_postgres

with private_postgres() as server:
    guard = server._guard.pid
    os.write(1, f"{server.start()} {guard} {server.directory}\n".encode())
    signal.pause()
