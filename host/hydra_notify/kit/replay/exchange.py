"""Frames to a plugin and the replies to them, as they are, without any judgement."""

import json
from collections import deque
from collections.abc import Mapping
from typing import cast

import trio

from hydra_notify.kit.child import Child
from hydra_notify.kit.play.happenings import Read, Tell
from hydra_notify.session import Stray
from hydra_notify_sdk.wire import Framer, Oversized, limits

Frame = dict[str, object]


class Exchange:
    """What has come from a plugin and was not asked for yet.

    Args:
        child: The plugin.
        tell: Called with lines that are no frames.
    """

    def __init__(self, child: Child, tell: Tell) -> None:
        self._child = child
        self._tell = tell
        self._replies: dict[str | None, deque[Frame]] = {}
        self._progress: dict[object, float] = {}
        self._over = False
        self._news = trio.Event()

    async def read(self) -> None:
        """Take what comes, until the plugin's stdout ends."""
        framer = Framer()
        while chunk := await self._child.read():
            for line in framer.feed(chunk):
                self._take(line)
            self._wake()
        self._over = True
        self._wake()

    async def write(self, line: bytes) -> bool:
        """Send a line; False if the plugin does not read it."""
        return await self._child.write(line + b"\n")

    async def reply(self, name: str | None, seconds: float) -> Frame | None:
        """The reply to request `name`; None if there is none.

        Args:
            name: The request's id; None for a reply to what the plugin cannot parse.
            seconds: How long to wait, from now or the latest `progress` of it.
        """
        now = trio.current_time()
        latest = now + seconds * limits.PROGRESS_FACTOR
        while True:
            if replies := self._replies.get(name):
                return replies.popleft()
            until = min(latest, max(now, self._progress.get(name, now)) + seconds)
            if self._over or trio.current_time() >= until:
                return None
            with trio.move_on_at(until):
                await self._news.wait()

    def _take(self, line: bytes | Oversized) -> None:
        frame: object = None
        if not isinstance(line, Oversized):
            try:
                frame = json.loads(line)
            except (ValueError, RecursionError):
                frame = None
        if not isinstance(frame, dict):
            self._tell(Read(line))
            if not isinstance(line, Oversized):
                self._tell(Stray(""))
            return
        frame = cast(Frame, frame)
        if "method" in frame:
            match frame:
                case {"method": "progress", "params": Mapping() as params}:
                    known = cast(Mapping[str, object], params).get("id")
                    if isinstance(known, str):
                        self._progress[known] = trio.current_time()
                case _:
                    pass
            return
        name = frame.get("id")
        key = name if isinstance(name, str) else None
        self._replies.setdefault(key, deque()).append(frame)

    def _wake(self) -> None:
        self._news.set()
        self._news = trio.Event()
