"""How the host is, gathered for whoever looks: page, command, metrics."""

import logging
import socket
import time
from importlib import import_module

import trio

import hydra_notify
from hydra_notify.config import Config, PluginConfig, without_password
from hydra_notify.daemon.now import Now
from hydra_notify.dispatcher import Line, Report
from hydra_notify.limits import TREND_STEP
from hydra_notify.metrics import Counts, PluginState, Role
from hydra_notify.problems import health, problems
from hydra_notify.status import (
    DatabaseStatus,
    DeadLetter,
    HostStatus,
    Link,
    PendingStatus,
    PluginStatus,
    Problem,
)
from hydra_notify.trends import Trends

_log = logging.getLogger(__name__)

_NOTHING = Report(inbox=0, open_events=0, lines={}, in_flight=[], retrying=[])
_NO_LINE = Line(queued=0, in_flight=0, retrying=0, next_retry_at=None, held_until=None)


class Watch:
    """Sees the host as it is now.

    Args:
        now: The host.
    """

    def __init__(self, now: Now) -> None:
        self._now = now
        self._counts = now.counts
        self._machine = socket.gethostname()
        self._started = time.time()
        self._trends = Trends()
        # Not one of those that statements wait for.
        self._thread = trio.CapacityLimiter(1)

    async def run(self) -> None:
        """Look at the counts now and then, until cancelled."""
        while True:
            self._trends.look(self._counts)
            await trio.sleep(TREND_STEP)

    def problems(self, *, with_errors: bool) -> list[Problem]:
        """What is wrong now; dead letters that only the ledger knows left out."""
        plugins = [self._plugin(each) for each in self._now.config.plugins.values()]
        return self._problems(plugins, with_errors=with_errors)

    async def metrics(self) -> tuple[str, bytes]:
        """All counts for Prometheus: what kind of text it is, and the text."""
        # It takes a tenth of a second, once.
        await trio.to_thread.run_sync(
            import_module, "hydra_notify.exposition", limiter=self._thread
        )
        from hydra_notify.exposition import CONTENT_TYPE, exposition

        return CONTENT_TYPE, exposition(self._counts, self.status())

    async def tell_metrics(self) -> None:
        """Write them to the log whenever somebody asks for that, until cancelled."""
        while True:
            await self._now.asked_for_metrics.wait()
            _, text = await self.metrics()
            _log.info("%s", text.decode())

    def status(self, dead: tuple[int, list[DeadLetter]] | None = None) -> HostStatus:
        """How the host is.

        Args:
            dead: Dead letters, if somebody has asked the ledger; else what the host
                itself knows of.
        """
        counts, config, term = self._counts, self._now.config, self._now.term
        report = _NOTHING if term is None else term.report()
        if dead is None:
            dead = (0, []) if term is None else term.given_up()
        plugins = [
            self._plugin(each, report.lines.get(name, _NO_LINE))
            for name, each in config.plugins.items()
        ]
        found = self._problems(plugins, dead=dead[0])
        how, words = health(counts, found)
        return HostStatus(
            version=hydra_notify.__version__,
            machine=self._machine,
            base_url=config.host.base_url,
            now=time.time(),
            started_at=self._started,
            health=how,
            words=words,
            problems=found,
            role=counts.role,
            stopping=self._now.stopping,
            database=self._database(config),
            ledger=counts.ledger,
            inbox=report.inbox,
            open_events=report.open_events,
            pending=_pending(counts),
            events=self._trends.events,
            deliveries=self._trends.deliveries,
            cleared=self._trends.cleared,
            plugins=plugins,
            in_flight=report.in_flight,
            in_flight_count=sum(each.in_flight for each in plugins),
            retrying=report.retrying,
            retrying_count=sum(each.retrying for each in plugins),
            dead=dead[1],
            dead_count=dead[0],
            config_reloads=counts.config_reloads,
            config_reload_failures=counts.config_reload_failures,
        )

    def _problems(
        self, plugins: list[PluginStatus], *, dead: int = 0, with_errors: bool = True
    ) -> list[Problem]:
        return problems(
            self._counts,
            plugins,
            stuck=self._now.stuck(),
            stopping=self._now.stopping,
            dead=dead,
            with_errors=with_errors,
        )

    def _database(self, config: Config) -> DatabaseStatus:
        counts = self._counts
        link = Link.LISTENING if counts.listening else Link.LOST
        return DatabaseStatus(
            address=without_password(config.database.url),
            link=Link.POLLING if counts.polling else link,
            since=counts.link_changed_at or self._started,
            connects=counts.connects,
            errors=counts.database_errors,
            last_error=counts.link_error,
        )

    def _plugin(self, config: PluginConfig, line: Line = _NO_LINE) -> PluginStatus:
        name = config.name
        counts = self._counts.plugin(name)
        term = self._now.term
        running = None if term is None else term.plugins
        findings = () if running is None else running.findings(name)
        state = counts.state
        if self._counts.role is not Role.ACTIVE and state is PluginState.STARTING:
            state = PluginState.STOPPED
        return PluginStatus(
            name=name,
            state=state,
            paused=counts.paused,
            required=config.required,
            program=counts.program,
            command=list(config.command),
            pid=counts.pid,
            started_at=counts.started_at,
            next_start_at=counts.next_start_at,
            held_until=line.held_until,
            window=counts.window,
            in_flight=line.in_flight,
            queued=line.queued,
            retrying=line.retrying,
            next_retry_at=line.next_retry_at,
            dead=counts.dead,
            delivered=counts.delivered,
            failed=counts.failed.total(),
            rate=self._trends.rate(name),
            latency=self._trends.latency(name, counts),
            restarts=max(0, counts.starts - 1),
            ends=dict(counts.ends),
            last_error=counts.last_error,
            last_error_at=counts.last_error_at,
            stderr=list(counts.tail),
            enforced=[str(each) for each in findings if not each.fix],
            degraded=[str(each) for each in findings if each.fix],
        )


def _pending(counts: Counts) -> PendingStatus:
    if not counts.pending_looked_at:
        return PendingStatus()
    return PendingStatus(
        count=counts.pending,
        oldest_at=float(counts.pending_since) if counts.pending else None,
        looked_at=counts.pending_looked_at,
    )
