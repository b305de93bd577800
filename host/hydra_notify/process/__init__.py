"""Plugin processes: start them, wait for their end, end them and what they leave.

* `program`: one process; `pipes`: its pipes; `exits`: what its exit means.
* `orphans`: what left the process's group; `children`: who is whose.
"""

from hydra_notify.process.exits import EXIT_CONFIG, EXIT_NO_PERMISSION, exit_reason
from hydra_notify.process.orphans import (
    adopt_orphans,
    end_leftovers,
    end_orphans,
    kill_all,
    living_in,
    reap_orphans,
)
from hydra_notify.process.pipes import pipes_of, read, write_now
from hydra_notify.process.program import (
    end,
    environment,
    kill,
    reap,
    spawn,
    wait_end,
    wait_exit,
)

__all__ = [
    "EXIT_CONFIG",
    "EXIT_NO_PERMISSION",
    "adopt_orphans",
    "end",
    "end_leftovers",
    "end_orphans",
    "environment",
    "exit_reason",
    "kill",
    "kill_all",
    "living_in",
    "pipes_of",
    "read",
    "reap",
    "reap_orphans",
    "spawn",
    "wait_end",
    "wait_exit",
    "write_now",
]
