"""A server that speaks S3: moto's, in a process of its own."""

import re
import subprocess
import sys
from dataclasses import dataclass
from typing import Any
from urllib.request import Request, urlopen
from uuid import uuid4

import obstore
from obstore.store import S3Store

LIMIT = 30
"""Seconds for its end, and for an answer."""

KEYS = {"access_key_id": "an id", "secret_access_key": "a key"}


@dataclass(frozen=True)
class OwnBucket:
    """A bucket of a test's own."""

    name: str
    url: str

    def objects(self) -> S3Store:
        options: Any = {"region": "us-east-1", "endpoint": self.url, **KEYS}
        return S3Store(self.name, config=options, client_options={"allow_http": True})

    def names(self) -> set[str]:
        return {each["path"] for batch in self.objects().list() for each in batch}

    def read(self, name: str) -> bytes:
        return bytes(self.objects().get(name).bytes())

    def kind(self, name: str) -> str:
        return str(self.objects().get(name).attributes["Content-Type"])

    def write(self, name: str, content: bytes) -> None:
        obstore.put(self.objects(), name, content)


class S3Server:
    """The server; it keeps everything in memory."""

    def __init__(self) -> None:
        self._process = subprocess.Popen(
            [sys.executable, "-m", "moto.server", "-H", "127.0.0.1", "-p", "0"],
            stdout=subprocess.DEVNULL,
            stderr=subprocess.PIPE,
            text=True,
        )
        assert self._process.stderr is not None
        lines = []
        for line in self._process.stderr:
            lines.append(line)
            if found := re.search(r"http://127\.0\.0\.1:\d+", line):
                self.url = found[0]
                break
        else:
            raise AssertionError("".join(lines))

    def bucket(self) -> OwnBucket:
        """A new one."""
        name = f"test-{uuid4()}"
        request = Request(f"{self.url}/{name}", method="PUT")  # noqa: S310
        urlopen(request, timeout=LIMIT).close()  # noqa: S310
        return OwnBucket(name, self.url)

    def stop(self) -> None:
        self._process.terminate()
        self._process.communicate(timeout=LIMIT)
