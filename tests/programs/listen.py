"""Listens on the database that is named, as an active host or a standby, for ever.

It says its role on stdout once it is active.
"""

import sys

import trio

from hydra_notify.listener import Listener, Timing
from hydra_notify.metrics import Counts


def main() -> None:
    listener = Listener(
        sys.argv[1],
        lambda notifications: None,
        lambda: print("active", flush=True),  # noqa: T201 -- for the test
        Counts(),
        lambda: 0.0,
    )
    trio.run(listener.run, Timing(ping=0.1))


main()
