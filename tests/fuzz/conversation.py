"""A conversation with a plugin out of its mind, played from bytes.

The bytes are a story: what the host does (send, tick, shut down) and what the plugin
writes (good answers, bad ones, noise) in any order. After each act the session's books
must balance.
"""

from dataclasses import dataclass, field
from typing import Final

from hydra_notify.frames import Opening
from hydra_notify.outcomes import DELIVERED
from hydra_notify.session import Answered, Session, Signal
from hydra_notify_sdk.wire import HostInfo, InitializeParams

NONCE: Final = "n"

HELLO: Final = InitializeParams(
    protocol_versions=[1], host=HostInfo(name="fuzz", version="1"), instance="p"
)

RESULTS: Final = (
    b"{}",
    b"null",
    b'"text"',
    b'{"status":"skipped"}',
    b'{"status":7}',
    b'{"note":"\xff"}',
    b'{"protocol_version":1,"name":"p","version":"1","events":["*"]}',
    b'{"status":"failing"}',
)
ERRORS: Final = (
    b'{"code":500}',
    b'{"code":409,"message":"done"}',
    b'{"code":429,"data":{"retry_after_ms":%s}}' % (b"9" * 400),
    b'{"code":503,"data":{"scope":"event"}}',
    b'{"code":404,"data":[]}',
    b'{"code":"x"}',
    b"null",
    b'{"code":-32700,"data":{"retryable":true,"help":"mend it"}}',
)


def plugin_frame(name: bytes, member: bytes, value: bytes) -> bytes:
    """A line that answers the request `name`."""
    words = (name, NONCE.encode(), member, value)
    return b'{"jsonrpc":"2.0","id":"%b-%b","%b":%b}\n' % words


@dataclass(eq=False)
class Item:
    """A delivery as a session sees it."""

    payload: bytes = b"{}"
    attempt: int = 1
    redelivered: bool = False
    channel: str = "build_finished"
    wire_id: str = ""
    opening: Opening | None = None


@dataclass
class Conversation:
    """A session, and what it owes by our own books.

    Attributes:
        now: Monotonic seconds.
        sent: Deliveries sent and not answered.
        closing: Whether shutdown was sent.
        seen: Kinds of signals so far.
    """

    session: Session[Item]
    now: float = 0.0
    sent: set[Item] = field(default_factory=set)
    closing: bool = False
    seen: set[type] = field(default_factory=set)

    def send(self, count: int) -> None:
        """Send up to `count` events, as many as there is room for."""
        items = [Item() for _ in range(min(count, self.session.room))]
        if items:
            self.session.send(items, self.now)
            self.sent.update(items)

    def hear(self, chunk: bytes) -> None:
        """The plugin writes `chunk`."""
        done = self.session.acknowledged(chunk, self.now)
        if done:
            self._take([Answered(each, DELIVERED) for each in done])
        else:
            self._take(self.session.receive(chunk, self.now))

    def wait(self, seconds: float) -> None:
        """Time passes, and what is due is done."""
        self.now += seconds
        _, signals = self.session.tick(self.now)
        self._take(signals)

    def shut_down(self) -> None:
        """Say the last words."""
        if not self.closing:
            self.session.shutdown("host_stop", 5.0)
            self.closing = True

    def check(self) -> None:
        """The books balance."""
        session, window = self.session, self.session._window
        assert session.in_flight == len(self.sent)
        if window is not None:
            expired = len(window._expired)
            assert window.room + len(window) + expired == window.size
            assert window.room >= 0
        if window is None or self.closing:
            assert session.room == 0
        assert session.deadline > 0

    def _take(self, signals: list[Signal[Item]]) -> None:
        for signal in signals:
            self.seen.add(type(signal))
            if isinstance(signal, Answered):
                # One that was never sent, or answered before, raises here.
                self.sent.remove(signal.delivery)


class Story:
    """Bytes, read as numbers and texts; at its end it reads as zeros."""

    def __init__(self, data: bytes) -> None:
        self._data = data
        self._at = 0

    def __bool__(self) -> bool:
        return self._at < len(self._data)

    def number(self) -> int:
        self._at += 1
        return self._data[self._at - 1] if self._at <= len(self._data) else 0

    def text(self) -> bytes:
        """As many bytes as the next number says."""
        length = self.number()
        self._at += length
        return self._data[self._at - length : self._at]


def converse(data: bytes) -> Conversation:
    """Play the story that `data` is."""
    story = Story(data)
    talk = Conversation(Session(HELLO, nonce=NONCE, now=0.0))
    talk.session.open()
    first = story.number()
    if first % 4:
        manifest = (
            b'{"protocol_version":1,"name":"p","version":"1","events":["*"],'
            b'"max_in_flight":%d,"timeout_ms":1000}' % (1 + first // 4)
        )
        talk.hear(plugin_frame(b"i0", b"result", manifest))
    while story:
        _act(talk, story)
        talk.check()
    return talk


def _act(talk: Conversation, story: Story) -> None:
    match story.number() % 8:
        case 0 | 1:
            talk.send(1 + story.number() % 8)
        case 2:
            talk.hear(_answer(b"e%d" % story.number(), story))
        case 3:
            name = (b"i0", b"s0", b"p1", b"p2", b"e1", b"x", b"", b"e2")
            talk.hear(_answer(name[story.number() % 8], story))
        case 4:
            talk.wait(story.number() / 4)
        case 5:
            talk.hear(story.text())
        case 6:
            params = b'{"id":"e%d-%b"}' % (story.number(), NONCE.encode())
            talk.hear(b'{"method":"progress","params":%b}\n' % params)
        case _:
            if story.number() % 4 == 0:
                talk.shut_down()
            else:
                talk.hear(story.text() + b"\n")


def _answer(name: bytes, story: Story) -> bytes:
    kind = story.number()
    if kind < 128:
        return plugin_frame(name, b"result", RESULTS[kind % 8])
    if kind < 248:
        return plugin_frame(name, b"error", ERRORS[kind % 8])
    return plugin_frame(name, b"result" if kind % 2 else b"error", story.text())
