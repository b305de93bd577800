"""Hosts in every state that the page has to show well."""

from tests.browser.samples.extreme import hostile, thousand_queued
from tests.browser.samples.quiet import empty, standby, starting, stopping
from tests.browser.samples.stories import story
from tests.browser.samples.troubled import (
    database_gone,
    dead_letters,
    flapping,
    polling,
)
from tests.browser.samples.well import NOW, changed, finished, healthy, plugin, wave

HOSTS = {
    "healthy": healthy,
    "flapping": flapping,
    "database-gone": database_gone,
    "dead-letters": dead_letters,
    "thousand-queued": thousand_queued,
    "empty": empty,
    "standby": standby,
    "starting": starting,
    "stopping": stopping,
    "polling": polling,
    "hostile": hostile,
}

__all__ = [
    "HOSTS",
    "NOW",
    "changed",
    "database_gone",
    "dead_letters",
    "empty",
    "finished",
    "flapping",
    "healthy",
    "hostile",
    "plugin",
    "polling",
    "standby",
    "starting",
    "stopping",
    "story",
    "thousand_queued",
    "wave",
]
