"""The host as it is now, for whoever answers questions about it."""

from collections.abc import Callable
from dataclasses import dataclass, field

from hydra_notify.bell import Bell
from hydra_notify.config import Config
from hydra_notify.daemon.term import Term
from hydra_notify.metrics import Counts


@dataclass(slots=True)
class Now:
    """What routes are made with; what it holds changes while the host runs.

    Attributes:
        config: The one that is in force.
        counts: Of the host.
        stuck: What stands still for longer than it can take; empty if all goes on.
        term: The term that goes on, from standing by to handing in; None while the
            host looks for its database, and between two.
        asked_for_metrics: Rung when somebody wants them in the log.
        stopping: Whether the host has been told to stop.
    """

    config: Config
    counts: Counts
    stuck: Callable[[], str]
    term: Term | None = None
    asked_for_metrics: Bell = field(default_factory=Bell)
    stopping: bool = False
