"""The ledger: what the host writes down of events that outlive a moment.

Tables of our own, beside Hydra's, that an operator has made (`schema`). One host writes
them (`writing`), behind its work and in batches; it reads them when it starts, and what
operators have ordered since (`reading`). What operators see is in `letters`, what they
order in `ordering`.

Synchronous functions, as in `builds`.
"""

from hydra_notify.ledger.letters import (
    Letter,
    Sizes,
    counts,
    event_ids,
    latest_given_up,
    letters,
    letters_of_builds,
    letters_of_subject,
    sizes,
    unflagged,
)
from hydra_notify.ledger.ordering import Owed, adopt, order
from hydra_notify.ledger.reading import (
    confirm,
    events,
    kept_ids,
    manifests,
    open_page,
    orders,
    prune,
)
from hydra_notify.ledger.schema import (
    VERSION,
    create,
    ddl,
    grants,
    quoted,
    require_privileges,
    version,
)
from hydra_notify.ledger.writing import claim, write, write_manifest

__all__ = [
    "VERSION",
    "Letter",
    "Owed",
    "Sizes",
    "adopt",
    "claim",
    "confirm",
    "counts",
    "create",
    "ddl",
    "event_ids",
    "events",
    "grants",
    "kept_ids",
    "latest_given_up",
    "letters",
    "letters_of_builds",
    "letters_of_subject",
    "manifests",
    "open_page",
    "order",
    "orders",
    "prune",
    "quoted",
    "require_privileges",
    "sizes",
    "unflagged",
    "version",
    "write",
    "write_manifest",
]
