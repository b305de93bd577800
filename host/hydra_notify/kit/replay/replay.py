"""The host's part of a recorded conversation, said again to a plugin of today.

Ids are fresh, the directory is another, and secrets come from the author's file, since
recordings hold none. Answers are compared with those of the recording.
"""

import os
from collections.abc import Callable, Sequence
from copy import deepcopy
from dataclasses import dataclass, replace
from pathlib import Path
from typing import cast

import msgspec
import trio

from hydra_notify.kit.child import Child
from hydra_notify.kit.play.happenings import Tell
from hydra_notify.kit.play.opening import hello_of, started
from hydra_notify.kit.replay.compare import (
    Compared,
    compact,
    compare,
    masked_parts,
    unanswered,
)
from hydra_notify.kit.replay.exchange import Exchange
from hydra_notify.kit.replay.steps import (
    lives,
    mark_redelivered,
    method_of,
    patience,
    what_of,
)
from hydra_notify.kit.replay.transcript import Frame, Step, fill
from hydra_notify.kit.settings import Settings
from hydra_notify.limits import STDOUT_DRAIN
from hydra_notify.process import exit_reason
from hydra_notify_sdk.wire import limits

Show = Callable[[Compared], None]


@dataclass(kw_only=True)
class Replay:
    """What is to be said, and to whom.

    Attributes:
        command: Program and arguments, see `words.command_of`.
        state_dir: Where it runs.
        settings: Win over those of the recording; its secrets are the only ones.
        as_redelivery: Whether every event is marked as sent before.
        mask: Hides secrets in what the plugin says, as the recording does.
        tell: Called with each line of stderr, and with text on stdout.
    """

    command: Sequence[str]
    state_dir: Path
    settings: Settings
    as_redelivery: bool
    mask: Callable[[str], str]
    tell: Tell

    def introduce(self, params: Frame) -> None:
        """Put into `initialize` what is so today."""
        settings = self.settings
        secrets = params.get("secrets")
        recorded = cast(Frame, secrets) if isinstance(secrets, dict) else {}
        params["config"] = settings.settings or params.get("config") or {}
        params["secrets"] = {**recorded, **settings.secrets}
        params["state_dir"] = str(self.state_dir)

    async def play(self, steps: Sequence[Step], show: Show) -> bool:
        """Say it all, show each answer; whether all were alike.

        Raises:
            PluginError: The plugin cannot be started.
            TranscriptError: A pattern in it cannot be filled.
        """
        # Before anything is started.
        filled = [
            replace(step, frame=cast(Frame, fill(step.frame)))
            if step.frame and step.sender == "host"
            else step
            for step in steps
        ]
        alike = True

        def note(compared: Compared) -> None:
            nonlocal alike
            alike = alike and compared.verdict != "different"
            show(compared)

        for life in lives(filled):
            await self._live(life, note)
        return alike

    async def _live(self, steps: Sequence[Step], show: Show) -> None:
        async with started(
            self.command, self.state_dir, self.settings, self.tell
        ) as child:
            exchange = Exchange(child, self.tell)
            async with trio.open_nursery() as nursery:
                nursery.start_soon(exchange.read)
                said = Saying(self, child, exchange, show)
                await said.all_of(steps)
                nursery.cancel_scope.cancel()


class Saying:
    """One life of the recording, said to one life of a plugin."""

    def __init__(
        self, replay: Replay, child: Child, exchange: Exchange, show: Show
    ) -> None:
        self._replay = replay
        self._child = child
        self._exchange = exchange
        self._show = show
        self._nonce = os.urandom(4).hex()
        self._count = 0
        # By the recording's id: the latest request of that name, and its fresh id.
        self._asked: dict[str, tuple[Step, str]] = {}
        self._shut = False

    async def all_of(self, steps: Sequence[Step]) -> None:
        """Say them, wait for their answers, and have the plugin end."""
        exits = [step for step in steps if step.exit is not None]
        if not any(method_of(step) == "initialize" for step in steps):
            await self._introduce()
        for index, step in enumerate(steps):
            if not await self._do(step):
                await self._give_up(steps[index + 1 :])
                return
        for step, _ in self._asked.values():
            self._show(Compared(step.number, what_of(step), "open"))
        await self._end(exits[0] if exits else None)

    async def _do(self, step: Step) -> bool:
        """One step; whether there is any use in going on."""
        if step.sender == "host":
            if step.end:
                await self._child.hang_up()
                self._shut = True
                return True
            sent = await self._send(step)
            if not sent:
                where = "the plugin does not read it, or has ended"
                self._show(Compared(step.number, what_of(step), "different", where))
            return sent
        frame = step.frame
        if frame is None or "method" in frame:
            return True
        name = frame.get("id")
        if not isinstance(name, str):
            what = "what is no frame"
            limit = limits.PING_TIMEOUT_MS / 1000
            reply = await self._exchange.reply(None, limit)
        elif name in self._asked:
            request, fresh = self._asked.pop(name)
            what = what_of(request)
            reply = await self._exchange.reply(fresh, patience(request))
        else:
            # The recording began in the middle.
            return True
        if reply is None:
            self._show(unanswered(step, what))
            return False
        masked = masked_parts(reply, self._replay.mask)
        self._show(compare(step, what, cast(Frame, masked)))
        return True

    async def _send(self, step: Step) -> bool:
        if step.raw is not None:
            return await self._exchange.write(step.raw.encode("utf-8", "replace"))
        frame = deepcopy(cast(Frame, step.frame))
        params = frame.get("params")
        name = frame.get("id")
        if isinstance(name, str):
            self._count += 1
            fresh = f"r{self._count}-{self._nonce}"
            self._asked[name] = step, fresh
            frame["id"] = fresh
        if isinstance(params, dict):
            params = cast(Frame, params)
            match frame["method"]:
                case "initialize":
                    self._replay.introduce(params)
                case "event" if self._replay.as_redelivery:
                    mark_redelivered(params)
                case "cancel":
                    _, params["id"] = self._asked.get(str(params.get("id")), (0, ""))
                case "shutdown":
                    self._shut = True
                case _:
                    pass
        return await self._exchange.write(compact(frame).encode())

    async def _introduce(self) -> None:
        """The recording began when the plugin ran already."""
        hello = hello_of(self._replay.settings, self._replay.state_dir)
        await self._ask("initialize", msgspec.to_builtins(hello))

    async def _give_up(self, rest: Sequence[Step]) -> None:
        """It has ended, or does not answer: nothing more is said to it."""
        status = await self._child.wait(STDOUT_DRAIN)
        if status is None:
            await self._child.end(gently=False)
        else:
            self._show_end(0, status)
        unsaid = [step.number for step in rest if step.sender == "host"]
        if unsaid:
            where = f"lines {unsaid[0]} to {unsaid[-1]} are not sent to it"
            self._show(Compared(unsaid[0], "the rest", "different", where))

    async def _end(self, recorded: Step | None) -> None:
        if not self._shut:
            grace = limits.SHUTDOWN_REPLY_MS
            await self._ask("shutdown", {"reason": "host_stop", "grace_ms": grace})
        status = await self._child.end(gently=True)
        expected = 0 if recorded is None else recorded.exit
        if status not in (None, expected):
            assert status is not None
            self._show_end(0 if recorded is None else recorded.number, status)

    def _show_end(self, number: int, status: int) -> None:
        where = f"it has ended: {exit_reason(status)}"
        self._show(Compared(number, "the end", "different", where))

    async def _ask(self, method: str, params: object) -> None:
        """A request of our own, whose answer is not compared."""
        self._count += 1
        name = f"r{self._count}-{self._nonce}"
        frame = {"jsonrpc": "2.0", "id": name, "method": method, "params": params}
        if await self._exchange.write(compact(frame).encode()):
            limit = limits.START_TIMEOUT_MS
            if method == "shutdown":
                limit = limits.SHUTDOWN_REPLY_MS
            await self._exchange.reply(name, limit / 1000)
