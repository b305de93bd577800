"""Plugin processes: start them, wait for their end, end them and what they leave.

* `program`: one process; `pipes`: its pipes; `exits`: what its exit means.
* `launcher`: a program of its own, which sets up what a plugin may and becomes it;
  `launch`: how it is started and heard.
* `machine`: what there is to confine it with; `cgroup`: where those of plugins are;
  `privileges`: what the host does to itself.
* `orphans`: what left the process's group; `children`: who is whose.
"""

from hydra_notify.process.cgroup import Cgroup, cgroups
from hydra_notify.process.exits import EXIT_CONFIG, EXIT_NO_PERMISSION, exit_reason
from hydra_notify.process.machine import find_machine
from hydra_notify.process.orphans import (
    adopt_orphans,
    end_leftovers,
    end_orphans,
    kill_all,
    living_in,
    reap_orphans,
)
from hydra_notify.process.pipes import pipes_of, read, write_now
from hydra_notify.process.privileges import give_up_privileges
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
    "Cgroup",
    "adopt_orphans",
    "cgroups",
    "end",
    "end_leftovers",
    "end_orphans",
    "environment",
    "exit_reason",
    "find_machine",
    "give_up_privileges",
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
