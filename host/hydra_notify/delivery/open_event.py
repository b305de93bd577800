"""One event under way, and one delivery of it."""

from msgspec import Struct

from hydra_notify.events import Event
from hydra_notify.facts import PendingFlag
from hydra_notify.frames import Opening
from hydra_notify_sdk.wire import Part


class OpenEvent(Struct, eq=False):
    """An event under way. Most of a backlog is `Parked`, which is smaller.

    Attributes:
        event: What was announced; enough to read everything else again.
        id: The idempotency key.
        subject: What it is about; one delivery of a subject at a time and plugin.
        flags: Pending flags to clear when nobody holds them any more.
        redelivered: Whether an earlier host may have delivered it.
        arrived: When its notification did (monotonic seconds); 0.0 if nobody knows: it
            was found, or has been parked.
        owing: Plugins that have not settled it.
        dead: Plugins that gave it up.
        orphaned: Plugins that are no longer configured and had not settled it.
        tried: Deliveries that have failed, by plugin; None while there are none.
        recorded: Whether the ledger has it.
        payloads: The encoded event for each set of parts that a plugin asked for;
            empty while nobody is about to send it.
        opening: How the frame of a first attempt begins; None until it is encoded.
        pins: Who is about to send it, or is reading it.
        number: What queues keep of it while it waits: the number of its build, 0 for
            the event itself; None until one has to keep something.
    """

    event: Event
    id: str
    subject: str
    flags: tuple[PendingFlag, ...]
    redelivered: bool = False
    arrived: float = 0.0
    owing: tuple[str, ...] = ()
    dead: tuple[str, ...] = ()
    orphaned: tuple[str, ...] = ()
    tried: "dict[str, Delivery] | None" = None
    recorded: bool = False
    payloads: dict[frozenset[Part], bytes] | None = None
    opening: Opening | None = None
    pins: int = 0
    number: int | None = None

    @property
    def left_over(self) -> bool:
        """Whether something of it stays in the ledger when it is closed."""
        return bool(self.dead or self.orphaned)

    def unpin(self) -> None:
        """One delivery less is about to send it."""
        self.pins -= 1
        if not self.pins:
            self.payloads = None

    def forget_unpinned(self) -> None:
        """Drop the payloads if no delivery is about to send them."""
        if not self.pins:
            self.payloads = None

    def owe(self) -> "Delivery":
        """A delivery of it that has not been sent yet."""
        return Delivery(self, redelivered=self.redelivered)

    def send(self, parts: frozenset[Part], now: float) -> "Delivery":
        """A delivery of it that is sent for the first time (monotonic seconds)."""
        assert self.payloads is not None
        payload = self.payloads[parts]
        return Delivery(self, 1, self.redelivered, 0, now, payload, self.opening)

    def payload(self, parts: frozenset[Part] | None) -> bytes | None:
        """The encoded event with `parts`, if it is at hand."""
        if self.payloads is None or parts is None:
            return None
        return self.payloads.get(parts)


class Delivery(Struct, eq=False):
    """An event that one plugin has been sent, or was by an earlier host.

    Until then the event stands for itself in a queue: most of what is under way waits,
    and has nothing to say of its own.

    Attributes:
        attempt: How often it has been sent.
        redelivered: Whether an earlier sending ended without an answer.
        crashes: Crashes of the plugin while this was in flight.
        sent: When it was sent last (monotonic seconds).
        payload: What is sent; set while the delivery is ready or in flight.
        opening: How its frame begins, if this is the first attempt; else None.
        due: When to send it again (monotonic seconds), once it has failed.
        failing_since: When it failed first (monotonic seconds); None if it never did.
        reason: The latest failure, for people.
        wire_id: The id of the request by which it was sent last.
    """

    event: OpenEvent
    attempt: int = 0
    redelivered: bool = False
    crashes: int = 0
    sent: float = 0.0
    payload: bytes = b""
    opening: Opening | None = None
    due: float = 0.0
    failing_since: float | None = None
    reason: str = ""
    wire_id: str = ""

    @property
    def untouched(self) -> bool:
        """Whether nothing is known of it that its event does not say."""
        tried = self.attempt or self.crashes or self.failing_since is not None
        return not tried and self.redelivered == self.event.redelivered

    @property
    def channel(self) -> str:
        """The name of its event."""
        return self.event.event.channel
