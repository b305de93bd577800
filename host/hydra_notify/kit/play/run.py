"""A plugin that is kept running for its author: one life after another.

What is to be done with it comes from `orders`.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path

import trio

from hydra_notify.errors import PluginError
from hydra_notify.kit.limits import RESTART_DRAIN
from hydra_notify.kit.play.happenings import Happening
from hydra_notify.kit.play.opening import toy_host
from hydra_notify.kit.play.sample_event import Sending, sample_event, sending_of
from hydra_notify.kit.play.show import Show
from hydra_notify.kit.play.toy_host import ToyHost
from hydra_notify.kit.play.words import unwanted_words
from hydra_notify.kit.settings import Settings


@dataclass(kw_only=True)
class Run:
    """A plugin, and what was sent to it.

    Attributes:
        command: Program and arguments, see `words.command_of`.
        state_dir: Where it runs.
        settings: What it is told.
        show: Tells what happens.
        typed: Whether somebody types orders; otherwise the plugin's own end is the end
            of all.
        watched: Whether it is started again when its files change.
        quitting: Set when it is not to be started again.
        last: What was sent last.
    """

    command: Sequence[str]
    state_dir: Path
    settings: Settings
    show: Show
    typed: bool
    watched: bool
    quitting: trio.Event = field(default_factory=trio.Event)
    last: Sending | None = None
    _host: ToyHost | None = None
    _decided: trio.Event = field(default_factory=trio.Event)
    _ordered: trio.Event = field(default_factory=trio.Event)
    _resend: bool = False
    _number: int = 0

    # `_decided` is not set while there will be another life: until it has begun, or
    # could not. `_ordered` wakes who waits for somebody to want one, or the end.

    async def live(self) -> bool:
        """Life after life until it has to end; whether it behaved in the last one."""
        while True:
            well = await self._live()
            if self.quitting.is_set() or self.ends_with_plugin:
                return well
            if self._decided.is_set():
                fix = "mend it and save the file" if self.watched else "type restart"
                self.show.note(f"it does not run: {fix}, or quit")
                self.ask()
                await self._ordered.wait()
                if self.quitting.is_set():
                    return well
            self._ordered = trio.Event()

    @property
    def ends_with_plugin(self) -> bool:
        """Whether nobody is there to start it again, and it has ended by itself."""
        over = self._host is None or self._host.over.is_set()
        return over and self._decided.is_set() and not (self.typed or self.watched)

    @property
    def in_flight(self) -> int:
        """Events without an answer."""
        return 0 if self._host is None else len(self._host.in_flight)

    def ask(self) -> None:
        """Show the prompt where nothing is under way."""
        if self.quitting.is_set() or not self._decided.is_set():
            return
        if self._host is None or self._host.idle:
            self.show.screen.ask()

    async def started(self) -> ToyHost | None:
        """The plugin when it is ready, or never will be; None if it does not run."""
        await self._decided.wait()
        if self._host is not None:
            await self._host.started.wait()
        return self._host

    async def quit(self) -> None:
        """Have it end, and not start again."""
        self.quitting.set()
        self._ordered.set()
        if self._host is not None:
            await self._host.shutdown("host_stop")

    async def restart(self, *, resend: bool = False) -> None:
        """End it, if it runs; return when there is another, or cannot be.

        Args:
            resend: Whether the other one gets the last event again.
        """
        # One that is being started comes first.
        await self._decided.wait()
        self._decided = trio.Event()
        self._resend = self._resend or resend
        self._ordered.set()
        if self._host is not None:
            await self._host.shutdown("restart", RESTART_DRAIN)
        await self._decided.wait()

    async def send(self, event: str, edits: Sequence[str]) -> Sending:
        """Send a sample, another one each time.

        Raises:
            HydraNotifyError: There is no such event, or nobody to send it to.
        """
        host = await self._running()
        assert host.manifest is not None
        params = sample_event(
            event, edits, number=self._number, parts=host.manifest.include
        )
        sending = sending_of(params)
        self._number += 1
        if remark := unwanted_words(host.manifest, sending.channel):
            self.show.note(remark)
        return self._submit(host, sending)

    async def send_again(self, last: Sending) -> Sending:
        """Send what was sent before, as the host would.

        Raises:
            PluginError: There is nobody to send it to.
        """
        host = await self._running()
        sending = last.again()
        mark = "redelivered" if sending.redelivered else "as it has asked for"
        self.show.note(f"the same event again: attempt {sending.attempt}, {mark}")
        return self._submit(host, sending)

    async def ping(self) -> None:
        """Ask it for a sign of life.

        Raises:
            PluginError: It does not run.
        """
        if not await (await self._running()).ping():
            self.show.note("no ping is sent while there is an event to answer")

    def _submit(self, host: ToyHost, sending: Sending) -> Sending:
        self.last = sending
        if host.full:
            self.show.note("it waits for the answer to another one")
        host.submit(sending)
        return sending

    async def _running(self) -> ToyHost:
        host = await self.started()
        if host is None or host.manifest is None or host.over.is_set():
            fix = "mend it" if self.watched else "mend it, and type restart"
            raise PluginError(f"the plugin does not run; {fix}")
        return host

    async def _live(self) -> bool:
        """One life; whether the plugin behaved."""
        self.show.restart()
        try:
            async with toy_host(
                self.command, self.state_dir, self.settings, self._tell
            ) as host:
                self._host = host
                self._decided.set()
                await host.started.wait()
                if self.quitting.is_set():
                    await host.shutdown("host_stop")
                if self._resend and self.last is not None and host.manifest:
                    await self.send_again(self.last)
                self._resend = False
                self.ask()
                await host.over.wait()
                return not host.misbehaved
        except PluginError as error:
            self.show.trouble(str(error))
            self._decided.set()
            return False
        finally:
            self._host = None

    def _tell(self, happening: Happening) -> None:
        self.show(happening)
        self.ask()
