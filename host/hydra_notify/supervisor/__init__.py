"""Keep one plugin alive: start, handshake, work, restart, drain.

* `supervisor`: the loop over a plugin's lives.
* `life`: one process, from spawn to exit.
"""

from hydra_notify.supervisor.supervisor import Supervisor

__all__ = ["Supervisor"]
