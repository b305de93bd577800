"""The host as a whole: start order, stop order, signals, reload, exit status.

* `daemon`: signals, and one term after the other until told to stop.
* `term`: one time as a host: standing by, delivering, handing in.
* `plugins`: the plugins of a term, and how they change with the configuration.
* `service`: what the service manager is told of it.
* `site`: where the host can be asked, over all terms; `pages`: what; `now`: of whom.
* `suitable`: whether Hydra's database can be used.
"""

from hydra_notify.daemon.daemon import Daemon, Exit

__all__ = ["Daemon", "Exit"]
