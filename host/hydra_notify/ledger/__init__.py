"""The ledger: what the host writes down of events that outlive a moment.

Tables of our own, beside Hydra's, that an operator has made (`schema`). One host writes
them (`writing`), behind its work and in batches; it reads them when it starts, and what
operators have ordered since (`reading`). `letters` is the operators' side.

Synchronous functions, as in `builds`.
"""

from hydra_notify.ledger.letters import Letter, Sizes, counts, letters, order, sizes
from hydra_notify.ledger.reading import (
    kept_ids,
    manifests,
    open_page,
    prune,
    take_orders,
)
from hydra_notify.ledger.schema import VERSION, create, ddl, version
from hydra_notify.ledger.writing import claim, write, write_manifest

__all__ = [
    "VERSION",
    "Letter",
    "Sizes",
    "claim",
    "counts",
    "create",
    "ddl",
    "kept_ids",
    "letters",
    "manifests",
    "open_page",
    "order",
    "prune",
    "sizes",
    "take_orders",
    "version",
    "write",
    "write_manifest",
]
