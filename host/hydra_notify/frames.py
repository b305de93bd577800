"""The frame of an event: what all plugins get alike is put together once.

    {"jsonrpc":"2.0","id":"e1-9f3a7c","method":"event","params":{"name":
    "build_finished","delivery":{"attempt":1,"redelivered":false,"timeout_ms":
    30000
    },"event":
    {...}
    }}

A first attempt differs between plugins in the timeout alone: an id has to be one that
this plugin has not been asked with before, and an event is sent to it for the first
time once.
"""

from typing import Final

from msgspec import Struct


class Opening(Struct, frozen=True, gc=False):
    """How the frame of an event begins.

    Attributes:
        name: The id of the request.
        text: Up to the milliseconds of the timeout.
    """

    name: str
    text: bytes


END: Final = b"}}\n"
"""What stands behind the event."""


def opening(name: str, channel: str, attempt: int, *, redelivered: bool) -> Opening:
    """The beginning of one attempt's frame.

    Args:
        name: The id of the request; no character of it needs an escape.
        channel: The name of the event.
        attempt: From 1.
        redelivered: Whether an earlier sending ended without an answer.
    """
    again = "true" if redelivered else "false"
    text = (
        f'{{"jsonrpc":"2.0","id":"{name}","method":"event","params":{{'
        f'"name":"{channel}","delivery":{{"attempt":{attempt},"redelivered":{again},'
        f'"timeout_ms":'
    )
    return Opening(name, text.encode())


def timeout(milliseconds: int) -> bytes:
    """What stands between the opening and the event."""
    return b'%d},"event":' % milliseconds
