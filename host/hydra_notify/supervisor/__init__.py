"""Keep one plugin alive: start, handshake, work, restart, drain.

* `supervisor`: the loop over a plugin's lives.
* `hello`: what it is told first.
* `life`: one process, from spawn to exit; `end`: what its end means.
* `stopping`: why it is asked to stop.
* `voice`: what a plugin says, in the log.
* `tap`: what it and the host say, for who looks; `transcript`: how that is written.
"""

from hydra_notify.supervisor.stopping import StopReason
from hydra_notify.supervisor.supervisor import Supervisor
from hydra_notify.supervisor.tap import Follower, Tap

__all__ = ["Follower", "StopReason", "Supervisor", "Tap"]
