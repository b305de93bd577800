"""The host's half of the plugin protocol, without any input or output.

Bytes and `now` go in, bytes and signals come out. One `Session` is one life of one
plugin process; whoever owns the process feeds it, writes what it returns, and asks it
again at its `deadline`.
"""

from hydra_notify.session.machine import Session
from hydra_notify.session.signals import (
    Answered,
    Broken,
    Late,
    Logged,
    Malformed,
    Ready,
    Refused,
    Signal,
    Stopped,
    Stray,
)

__all__ = [
    "Answered",
    "Broken",
    "Late",
    "Logged",
    "Malformed",
    "Ready",
    "Refused",
    "Session",
    "Signal",
    "Stopped",
    "Stray",
]
