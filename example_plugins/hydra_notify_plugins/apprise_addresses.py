"""Addresses of Apprise: whom they reach, and what comes of a message to one of them."""

import hashlib
import logging
import re
from collections.abc import Iterator
from typing import Final

from apprise import Apprise, NotifyFormat, NotifyType
from msgspec import Struct

from hydra_notify_sdk import ConfigProblem, Failure, Permanent, Retry, Unauthorized

MOST_ADDRESSES: Final = 32
"""Each takes some seconds at most, and an event has five minutes."""

STATUS: Final = re.compile(r"error=(\d{3})\b")
"""Where Apprise's logs say what a service answered."""

# Their logs name addresses, or parts of them; what it comes to is said by `Refusal`.
logging.getLogger("apprise").propagate = False
logging.getLogger("urllib3").setLevel(logging.ERROR)


class Address(Struct, frozen=True):
    """Somebody to tell; `name` is for messages, `key` for what is done."""

    name: str
    key: str
    service: Apprise


class Refusal(Struct, frozen=True):
    """An address that was not told; `status` is what it answered, None if nothing."""

    name: str
    status: int | None

    def __str__(self) -> str:
        said = "has not taken it" if self.status is None else f"answered {self.status}"
        return f"{self.name} {said}"


class Message(Struct, frozen=True):
    """What everybody is told, in plain text."""

    title: str
    text: str
    type: NotifyType


def addresses_of(text: str) -> Iterator[Address]:
    """The addresses in a text.

    Raises:
        ConfigProblem: A line is none.
    """
    for number, line in enumerate(text.splitlines(), 1):
        url = line.strip()
        if not url or url.startswith("#"):
            continue
        service = Apprise()
        if not service.add(url) or len(service) != 1:
            problem = f"line {number} is no address that Apprise knows"
            fix = "see appriseit.com for the form of each service"
            raise ConfigProblem("secrets.urls", problem, fix=fix)
        kind = url.partition("://")[0]
        # The address itself is a secret, and is not for a file.
        key = hashlib.sha256(url.encode()).hexdigest()[:16]
        yield Address(f"line {number} ({kind})", key, service)


def send_to(address: Address, message: Message) -> Refusal | None:
    """Sends a message to one address."""
    result = address.service.notify(
        body=message.text,
        title=message.title,
        notify_type=message.type,
        body_format=NotifyFormat.TEXT,
    )
    if result:
        return None
    words = " ".join(
        entry.message for each in result for attempt in each for entry in attempt.logs
    )
    found = STATUS.search(words)
    return Refusal(address.name, int(found[1]) if found else None)


def failure_of(refusals: list[Refusal]) -> Failure:
    """What it means for the event: as long as one may take it, it is tried again."""
    words = "; ".join(map(str, refusals))
    statuses = {refusal.status for refusal in refusals}
    denied = {401, 403, 407}
    final = {
        status
        for status in statuses - denied
        if status is not None and 400 <= status < 500 and status not in (408, 425, 429)
    }
    if statuses - denied - final:
        # One that is slow must not pause the others: that is for 429 of all of them.
        return Retry(words, code=429 if statuses == {429} else 500)
    if statuses & denied:
        return Unauthorized(words, fix="check the lines of secrets.urls")
    return Permanent(words)
