"""When notifications reach somebody who does nothing else."""

import threading
import time
from collections.abc import Generator
from contextlib import contextmanager

from benchmarks.hydra import Hydra
from hydra_notify.database import connect

TURN = 0.2
"""Seconds between two looks whether to end."""

Heard = dict[tuple[str, int], float]
"""By channel and build: when it was heard last (monotonic seconds)."""


@contextmanager
def hearing(hydra: Hydra) -> Generator[Heard]:
    """Hear of every build that finishes, and of every flag that is cleared."""
    hydra.announce_cleared()
    heard: Heard = {}
    over = threading.Event()
    with connect(hydra.url) as connection:
        connection.execute("listen build_finished")
        connection.execute("listen flag_cleared")

        def listen() -> None:
            while not over.is_set():
                for notification in connection.notifies(timeout=TURN):
                    build = int(notification.payload.partition("\t")[0])
                    heard[notification.channel, build] = time.monotonic()

        thread = threading.Thread(target=listen)
        thread.start()
        try:
            yield heard
        finally:
            over.set()
            thread.join()
