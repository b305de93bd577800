"""Event -> deliveries -> plugins' queues; answers -> settled events -> cleared flags.

* `dispatcher`: the wiring, and what listener, supervisors and daemon call.
* `chronicle`: what became of events lately, and how long it took.
* `inbox`: what was announced or found and not looked at yet.
* `loader`: reads events in batches and owes them to the plugins that want them.
* `settler`: what answers do.
* `report`: what is under way, for whoever looks.
* `roster`: which plugins there are; `subscriber`: what is known of one.
* `clearer`: clears the flags of settled events, in batches.
* `sweeper`: finds flags whose notification never came.
* `recorder`: writes the ledger; `recovery` reads it; `orders` are an operator's.
* `store`: the database, as all of these need it.
"""

from hydra_notify.dispatcher.dispatcher import Dispatcher
from hydra_notify.dispatcher.report import Line, Report
from hydra_notify.dispatcher.store import PostgresStore, Store
from hydra_notify.dispatcher.subscriber import about_delivery

__all__ = [
    "Dispatcher",
    "Line",
    "PostgresStore",
    "Report",
    "Store",
    "about_delivery",
]
