"""The host's half of a conversation, frame by frame, with an eye on every rule.

Unlike `session.Session` it decides nothing: whoever drives it sends what he likes and
looks at what came back. What the plugin does wrong besides is noted in `Observed`.
"""

import json
import math
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from itertools import count
from typing import Final

import msgspec
import trio
from msgspec import UNSET

from hydra_notify.kit.child import Child
from hydra_notify.kit.limits import HIDDEN_SECRET
from hydra_notify_sdk.wire import (
    Framer,
    LogParams,
    Oversized,
    PluginFrame,
    ProgressParams,
)

_decode: Final = msgspec.json.Decoder(PluginFrame).decode

Json = dict[str, object]
"""An object of JSON."""


def line_of(frame: object) -> bytes:
    """A frame as the host writes it."""
    return msgspec.json.encode(frame) + b"\n"


@dataclass(frozen=True, slots=True)
class Answer:
    """A reply.

    Attributes:
        line: As it came.
        took: Seconds from the request to it.
    """

    frame: PluginFrame
    line: bytes
    took: float

    @property
    def code(self) -> int | None:
        """Of its error; None if it is a result."""
        return None if self.frame.error is None else self.frame.error.code

    @property
    def result(self) -> object:
        """The value of `result`; None if it is an error."""
        return msgspec.json.decode(self.frame.result) if self.frame.result else None

    def __str__(self) -> str:
        return shown(self.line)


@dataclass(slots=True)
class Observed:
    """What a plugin did besides answering: lines as they came.

    Attributes:
        stray: Text on stdout that is no frame.
        malformed: Lines that begin like a frame and are none, and why.
        requests: Requests, which plugins do not send.
        notifications: Notifications whose parameters are wrong, and why.
        repeated: Replies to what has been answered.
        unasked: Replies to what was never asked.
        without_jsonrpc: Frames without `"jsonrpc":"2.0"`.
        unparsed: Replies without an id: it could not parse a frame.
        secrets: Lines of stdout or stderr with a secret in them.
        errors: Replies that are errors.
        silent: Methods of requests that took long without `progress`, and seconds.
    """

    stray: list[bytes] = field(default_factory=list)
    malformed: list[tuple[str, bytes]] = field(default_factory=list)
    requests: list[bytes] = field(default_factory=list)
    notifications: list[tuple[str, bytes]] = field(default_factory=list)
    repeated: list[bytes] = field(default_factory=list)
    unasked: list[bytes] = field(default_factory=list)
    without_jsonrpc: list[bytes] = field(default_factory=list)
    unparsed: list[bytes] = field(default_factory=list)
    errors: list[bytes] = field(default_factory=list)
    secrets: list[str] = field(default_factory=list)
    silent: list[tuple[str, float]] = field(default_factory=list)


@dataclass(slots=True)
class _Asked:
    method: str
    at: float
    heard: float
    done: trio.Event = field(default_factory=trio.Event)
    answer: Answer | None = None


class Conversation:
    """A plugin, spoken to.

    Args:
        child: The plugin's process.
        nonce: Part of the ids.
        secrets: Values that must appear nowhere.
        patience: Seconds of silence about a request after which it is noted.

    Attributes:
        observed: What it did besides answering.
        closed: Whether it has closed its stdout.
        first_output: When its first byte came (trio's clock); None before.
    """

    def __init__(
        self,
        child: Child,
        nonce: str,
        secrets: Iterable[str] = (),
        patience: float = math.inf,
    ) -> None:
        self.child = child
        self.observed = Observed()
        self.closed = False
        self.first_output: float | None = None
        self._nonce = nonce
        self._secrets = [value for value in secrets if value]
        self._patience = patience
        self._numbers = count(1)
        self._asked: dict[str, _Asked] = {}
        self._framer = Framer()
        self._stdout_ended = trio.Event()

    async def listen(self) -> None:
        """Sort what comes until stdout ends."""
        while chunk := await self.child.read():
            if self.first_output is None:
                self.first_output = trio.current_time()
            for line in self._framer.feed(chunk):
                self._line(line)
        rest = self._framer.close()
        if isinstance(rest, bytes) and rest.strip():
            reason = "it ends without a newline"
            self.observed.malformed.append((reason, rest))
        self.closed = True
        self._stdout_ended.set()
        for asked in self._asked.values():
            asked.done.set()

    # What the host says

    async def ask(
        self, method: str, params: object = None, *, seconds: float, name: str = ""
    ) -> Answer | None:
        """Send a request and wait for its answer; see `answer`."""
        return await self.answer(await self.request(method, params, name), seconds)

    async def request(
        self,
        method: str,
        params: object = None,
        name: str = "",
        encode: Callable[[object], bytes] = line_of,
    ) -> str:
        """Send a request; returns its id, which is `name` if that is given."""
        name = name or f"{method[0]}{next(self._numbers)}-{self._nonce}"
        frame: Json = {"jsonrpc": "2.0", "id": name, "method": method}
        if params is not None:
            frame["params"] = msgspec.to_builtins(params)
        now = trio.current_time()
        self._asked[name] = _Asked(method, now, now)
        await self.child.write(encode(frame))
        return name

    async def notify(self, method: str, params: object) -> None:
        """Send a notification."""
        frame = {"jsonrpc": "2.0", "method": method, "params": params}
        await self.child.write(line_of(frame))

    async def answer(self, name: str, seconds: float) -> Answer | None:
        """The answer to request `name`.

        None when none came for `seconds` since it was sent or `progress` was made, or
        when stdout has ended.
        """
        asked = self._asked[name]
        while not asked.done.is_set():
            left = asked.heard + seconds - trio.current_time()
            if left <= 0:
                break
            with trio.move_on_after(left):
                await asked.done.wait()
        if asked.answer is not None and asked.answer.took > self._patience:
            quiet = trio.current_time() - asked.heard
            if quiet > self._patience:
                self.observed.silent.append((asked.method, asked.answer.took))
        return asked.answer

    async def finished(self, seconds: float) -> None:
        """Return when stdout has ended, or after so long."""
        with trio.move_on_after(seconds):
            await self._stdout_ended.wait()

    @property
    def open(self) -> list[str]:
        """Ids of requests without an answer."""
        return [name for name, asked in self._asked.items() if asked.answer is None]

    # What the plugin says

    def _line(self, line: bytes | Oversized) -> None:
        observed = self.observed
        if isinstance(line, Oversized):
            observed.malformed.append((f"it is {line.length} bytes long", b""))
            return
        self._look_for_secrets(line.decode("utf-8", "replace"))
        if not line.lstrip().startswith(b"{"):
            self._stray(line)
            return
        try:
            frame = _decode(line)
        except (ValueError, RecursionError) as error:
            observed.malformed.append((str(error), line))
            return
        if frame.jsonrpc != "2.0":
            observed.without_jsonrpc.append(line)
        if frame.method:
            self._notification(frame, line)
        elif not frame.result and frame.error is None:
            reason = "it has neither a method nor a result nor an error"
            observed.malformed.append((reason, line))
        else:
            self._reply(frame, line)

    def _stray(self, line: bytes) -> None:
        # As the host does: a print without a newline is glued to the frame after it.
        text, brace, rest = line.partition(b'{"jsonrpc"')
        self.observed.stray.append(text)
        if brace:
            self._line(brace + rest)

    def _reply(self, frame: PluginFrame, line: bytes) -> None:
        if frame.error is not None:
            self.observed.errors.append(line)
        if frame.id is None:
            self.observed.unparsed.append(line)
            return
        asked = self._asked.get(frame.id) if isinstance(frame.id, str) else None
        if asked is None:
            self.observed.unasked.append(line)
        elif asked.answer is not None:
            self.observed.repeated.append(line)
        else:
            took = trio.current_time() - asked.at
            asked.answer = Answer(frame, line, took)
            asked.done.set()

    def _notification(self, frame: PluginFrame, line: bytes) -> None:
        if frame.id is not UNSET:
            self.observed.requests.append(line)
            return
        try:
            match frame.method:
                case "progress":
                    name = msgspec.json.decode(frame.params, type=ProgressParams).id
                    if asked := self._asked.get(name):
                        asked.heard = trio.current_time()
                case "log":
                    msgspec.json.decode(frame.params, type=LogParams)
                case _:
                    # A newer plugin may know notifications that we do not.
                    pass
        except (ValueError, RecursionError) as error:
            self.observed.notifications.append((str(error), line))

    def heard_stderr(self, line: str) -> None:
        """It wrote a line to stderr."""
        self._look_for_secrets(line)

    def _look_for_secrets(self, text: str) -> None:
        for secret in self._secrets:
            if secret in text:
                self.observed.secrets.append(text.replace(secret, HIDDEN_SECRET))


def shown(line: bytes, most: int = 160) -> str:
    """The beginning of a line, fit for a terminal and a report."""
    text = line[: most + 1].decode("utf-8", "replace")
    text = "".join(c if c.isprintable() else json.dumps(c)[1:-1] for c in text)
    return text if len(text) <= most else text[:most] + "…"
