"""A real nats-server with JetStream, and what is in its streams."""

import asyncio  # noqa: TID251 - the library of NATS speaks nothing else
import os
import re
import shutil
import subprocess
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import TypeVar

from nats.aio.client import Client
from nats.aio.msg import Msg
from nats.js import JetStreamContext
from nats.js.api import RawStreamMsg
from tests.languages import need

T = TypeVar("T")

LIMIT = 20
"""Seconds for its start and for its end."""


class NatsServer:
    """A server of one's own; it can be stopped and started on the same port.

    Args:
        folder: For its streams.
        options: More arguments.
    """

    def __init__(self, folder: Path, *options: str) -> None:
        program = shutil.which("nats-server", path=f"{os.environ['PATH']}:/usr/sbin")
        if program is None:
            need("nats-server")
        self._program = program or "nats-server"
        self._folder = folder
        self._options = options
        self._process: subprocess.Popen[str] | None = None
        self.port = -1

    @property
    def url(self) -> str:
        return f"nats://127.0.0.1:{self.port}"

    def start(self) -> None:
        """Returns when it can be spoken to."""
        self._process = subprocess.Popen(
            [
                *(self._program, "--addr", "127.0.0.1", "--port", str(self.port)),
                *("--jetstream", "--store_dir", str(self._folder), *self._options),
            ],
            stderr=subprocess.PIPE,
            text=True,
        )
        assert self._process.stderr is not None
        lines = []
        for line in self._process.stderr:
            lines.append(line)
            if found := re.search(r"client connections on 127\.0\.0\.1:(\d+)", line):
                self.port = int(found[1])
            if "Server is ready" in line:
                return
        raise AssertionError("".join(lines))

    def stop(self) -> None:
        if self._process is not None:
            self._process.terminate()
            # It says little; what is left fits a pipe.
            self._process.communicate(timeout=LIMIT)
            self._process = None

    def ask(
        self, question: Callable[[JetStreamContext], Awaitable[T]], **login: str
    ) -> T:
        """What comes of asking JetStream."""

        async def work() -> T:
            client = Client()
            await client.connect(self.url, **login)  # type: ignore[arg-type]
            try:
                return await question(client.jetstream())
            finally:
                await client.close()

        return asyncio.run(work())

    def make_stream(self, name: str, *subjects: str) -> None:
        async def make(stream: JetStreamContext) -> None:
            await stream.add_stream(name=name, subjects=list(subjects))

        self.ask(make)

    def drop_stream(self, name: str) -> None:
        self.ask(lambda stream: stream.delete_stream(name))

    def messages(self, name: str) -> list[RawStreamMsg]:
        """All that a stream has."""

        async def read(stream: JetStreamContext) -> list[RawStreamMsg]:
            info = await stream.stream_info(name)
            first, last = info.state.first_seq, info.state.last_seq
            numbers = range(first, last + 1) if info.state.messages else range(0)
            return [await stream.get_msg(name, seq=number) for number in numbers]

        return self.ask(read)

    def answering(self, subject: str, answer: bytes, act: Callable[[], T]) -> T:
        """What comes of `act` while somebody who is no stream answers a subject."""

        async def work() -> T:
            client = Client()
            await client.connect(self.url)

            async def reply(message: Msg) -> None:
                await message.respond(answer)

            try:
                await client.subscribe(subject, cb=reply)
                await client.flush()
                return await asyncio.get_running_loop().run_in_executor(None, act)
            finally:
                await client.close()

        return asyncio.run(work())
