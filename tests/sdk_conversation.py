"""An SDK plugin in memory, and a host that has each event handled as it comes."""

import json

from tests.toy_host import event_params
from tests.transcripts import Frame

from hydra_notify_sdk import Plugin
from hydra_notify_sdk.machine import Machine

HELLO: Frame = {
    "protocol_versions": [1],
    "host": {"name": "t", "version": "1", "base_url": "https://hydra.test"},
    "instance": "test",
    "config": {"url": "x"},
    "secrets": {"token": "s3cret"},
    "state_dir": "/state",
}


class Conversation:
    """A machine, and a host that handles each event as it comes."""

    def __init__(self, plugin: Plugin[dict[str, object]], **hello: object) -> None:
        self.sent: list[bytes] = []
        self.machine = Machine(plugin.start, plugin.handle, self.sent.append)
        self.hello = self.ask("initialize", {**HELLO, **hello})

    def ask(self, method: str, params: object) -> Frame:
        return self.raw({"id": "x1", "method": method, "params": params})

    def event(self, name: str) -> Frame:
        return self.ask("event", event_params(name))

    def raw(self, frame: object) -> Frame:
        line = frame if isinstance(frame, bytes) else json.dumps(frame).encode()
        for request in self.machine.receive(line + b"\n"):
            self.machine.run(request)
        reply = json.loads(self.sent.pop())
        assert isinstance(reply, dict)
        return reply
