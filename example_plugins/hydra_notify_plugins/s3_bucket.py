"""A bucket of S3, and what its errors mean for an event."""

import contextlib
from collections.abc import Callable, Generator, Mapping
from datetime import timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final, cast

import obstore
from obstore.exceptions import BaseError, PermissionDeniedError, UnauthenticatedError
from obstore.store import S3Store

from hydra_notify_sdk import Failure, Retry, Unauthorized

if TYPE_CHECKING:
    from obstore.store import S3Config

CONNECT_TIMEOUT: Final = timedelta(seconds=10)

TIMEOUT: Final = timedelta(seconds=120)
"""For one request: a part of 10 MiB over a slow line."""

RETRIES: Final = 2
"""Of one request: the host does the rest."""

CHUNK: Final = 1 << 20
"""Bytes handed to an upload at a time; between two the host may be heard."""


class Bucket:
    """A bucket. Any thread may ask; nothing is said to it before.

    Args:
        name: Its name.
        region: Where it is.
        endpoint: Of a service other than Amazon's; "" for Amazon's.
        keys: `access_key_id`, `secret_access_key`, `session_token`; without them the
            role of the machine.
    """

    def __init__(
        self, name: str, region: str, endpoint: str, keys: Mapping[str, str]
    ) -> None:
        self._name = name
        settings: dict[str, Any] = {"region": region, **keys}
        if endpoint:
            settings["endpoint"] = endpoint
        self._objects = S3Store(
            name,
            config=cast("S3Config", settings),
            client_options={
                "allow_http": endpoint.startswith("http:"),
                "connect_timeout": CONNECT_TIMEOUT,
                "timeout": TIMEOUT,
            },
            retry_config={"max_retries": RETRIES, "retry_timeout": TIMEOUT},
        )

    def has(self, name: str) -> bool:
        """Whether it has an object.

        Raises:
            Failure: It does not say.
        """
        with self._told():
            try:
                obstore.head(self._objects, name)
            except FileNotFoundError:
                return False
            return True

    def put(self, name: str, content: bytes, kind: str) -> None:
        """Makes an object of a few bytes; `kind` is its media type.

        Raises:
            Failure: It is not known to be there.
        """
        with self._told():
            attributes = {"Content-Type": kind}
            obstore.put(self._objects, name, content, attributes=attributes)

    def upload(
        self, name: str, file: Path, kind: str, tick: Callable[[], None]
    ) -> None:
        """Makes an object of a file, in parts if it is large.

        Args:
            name: Of the object.
            file: Its content.
            kind: Its media type.
            tick: Called between chunks; what it raises ends the work.

        Raises:
            Failure: It is not known to be there.
        """
        with self._told(), file.open("rb") as source:
            attributes = {"Content-Type": kind}
            # Not closed when anything fails: then there is no object.
            target = obstore.open_writer(self._objects, name, attributes=attributes)
            while chunk := source.read(CHUNK):
                target.write(chunk)
                tick()
            target.close()

    @contextlib.contextmanager
    def _told(self) -> Generator[None]:
        try:
            yield
        except FileNotFoundError as error:
            message = f"there is no bucket {self._name}"
            raise Retry(message, code=503, fix="make it") from error
        except BaseError as error:
            raise _failure_of(error) from error


def _failure_of(error: BaseError) -> Failure:
    words = " ".join(str(error).split())[:300]
    match error:
        case UnauthenticatedError() | PermissionDeniedError():
            denied = isinstance(error, PermissionDeniedError)
            fix = "check the plugin's secrets, and what they may do in the bucket"
            return Unauthorized(f"S3: {words}", code=403 if denied else 401, fix=fix)
        case _:
            # 503: the next event would fare no better.
            return Retry(f"S3: {words}", code=503)
