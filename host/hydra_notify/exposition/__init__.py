"""The host's counts in Prometheus's text format, at `GET /metrics`.

* `hydra`: the names of Hydra's own daemon, for dashboards that were made for it.
* `host`, `plugins`: ours, which begin with `hydra_notify_`.
* `families`: how counts become a metric.

Labels are bounded: plugins as they are configured, channels and states as there are.
"""

from collections.abc import Iterator
from typing import Final

from prometheus_client import CollectorRegistry, ProcessCollector, generate_latest
from prometheus_client.core import Metric
from prometheus_client.registry import Collector

from hydra_notify.exposition.host import of_host
from hydra_notify.exposition.hydra import of_hydra
from hydra_notify.exposition.plugins import of_plugins
from hydra_notify.metrics import Counts
from hydra_notify.status import HostStatus

CONTENT_TYPE: Final = "text/plain; version=0.0.4; charset=utf-8"

__all__ = ["CONTENT_TYPE", "exposition"]


def exposition(counts: Counts, status: HostStatus) -> bytes:
    """All there is, as one text.

    Args:
        counts: Of the host.
        status: How it is now, for what is no count.
    """
    registry = CollectorRegistry(auto_describe=False)
    registry.register(_Families(counts, status))
    # What the process uses, from /proc.
    ProcessCollector(registry=registry)
    return generate_latest(registry)


class _Families(Collector):
    def __init__(self, counts: Counts, status: HostStatus) -> None:
        self._counts = counts
        self._status = status

    def collect(self) -> Iterator[Metric]:
        counted = {
            each.name: self._counts.plugin(each.name) for each in self._status.plugins
        }
        yield from of_hydra(self._counts, counted)
        yield from of_host(self._counts, self._status)
        yield from of_plugins(self._status.plugins, counted)
