"""LISTEN, and which of the hosts on one database is the active one."""

from hydra_notify.listener.listener import Listener
from hydra_notify.listener.timing import Timing

__all__ = ["Listener", "Timing"]
