"""A stream of NATS JetStream, for threads that want to know that it has a message."""

import asyncio
import threading
from collections import deque
from collections.abc import Coroutine, Sequence
from concurrent.futures import TimeoutError as FutureTimeout
from typing import Any, Final, NamedTuple, TypeVar

import nats.errors
import nats.js.errors
from nats.aio.client import Client
from nats.js.api import PubAck

from hydra_notify_sdk import Failure, Permanent, Retry, Unauthorized

T = TypeVar("T")

CONNECT_TIMEOUT: Final = 3
"""Seconds for each of the servers, whole ones."""

LEAVE_TIMEOUT: Final = 2.0
"""Seconds for the connection's end."""

MOST_SERVERS: Final = 8
"""So that all of them can be tried in the time of an event."""

MESSAGE_ID: Final = "Nats-Msg-Id"
"""The header by which a stream knows a repetition."""


class Credentials(NamedTuple):
    """A token, or a user with a password, or nothing."""

    token: str | None
    user: str | None
    password: str | None


class Stream:
    """One connection, in a thread whose loop is asyncio's: the library knows no other.

    A connection that has ended is made anew for the next event. The library's own
    repair would keep messages meanwhile of which nobody knows whether they are stored.

    Args:
        servers: Their addresses, tried one after the other; `MOST_SERVERS` at most.
        credentials: For each of them.
        name: Of the stream; None takes any that takes the subject.
        timeout: Seconds for an answer of the stream.
    """

    def __init__(
        self,
        servers: Sequence[str],
        credentials: Credentials,
        *,
        name: str | None,
        timeout: float,
    ) -> None:
        self._servers = servers
        self._credentials = credentials
        self._name = name
        self._timeout = timeout
        self._client: Client | None = None
        # What the server says besides its answers, from any connection.
        self._heard: deque[str] = deque(maxlen=8)
        self._connecting = asyncio.Lock()
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._loop.run_forever, daemon=True)
        self._thread.start()

    def publish(self, subject: str, body: bytes, name: str) -> PubAck:
        """Has a message stored.

        Args:
            subject: Where.
            body: What.
            name: Of the message, by which the stream knows it again.

        Raises:
            Failure: It is not known to be stored.
        """
        timeout = self._timeout + CONNECT_TIMEOUT * MOST_SERVERS
        try:
            return self._run(self._publish(subject, body, name), timeout)
        except Failure:
            raise
        except nats.errors.MaxPayloadError as error:
            fix = "raise the server's max_payload"
            raise Permanent(
                "the server takes no such size", code=413, fix=fix
            ) from error
        except nats.js.errors.NoStreamResponseError as error:
            raise Retry(
                f"no stream takes the subject {subject}",
                code=503,
                fix="make one: nats stream add",
            ) from error
        except nats.js.errors.APIError as error:
            words = error.description or str(error)
            raise Retry(f"the stream refuses: {words}", code=503) from error
        except (TimeoutError, FutureTimeout, nats.errors.TimeoutError) as error:
            denied = f'violation for publish to "{subject.lower()}"'
            if any(denied in words for words in self._heard):
                problem = f"NATS lets this user not publish to {subject}"
                fix = "allow it in the server's configuration"
                raise Unauthorized(problem, code=403, fix=fix) from error
            raise Retry("the stream does not answer in time", code=504) from error
        except (nats.errors.Error, OSError) as error:
            words = str(error) or type(error).__name__
            raise Retry(f"the connection broke: {words}", code=502) from error
        except (KeyError, TypeError, ValueError) as error:
            problem = f"something that is no stream answers {subject}"
            raise Retry(problem, code=503) from error

    def close(self) -> None:
        """Ends connection and thread."""
        self._run(self._leave(), LEAVE_TIMEOUT)
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join(LEAVE_TIMEOUT)
        self._loop.close()

    def _run(self, work: Coroutine[Any, Any, T], timeout: float) -> T:
        future = asyncio.run_coroutine_threadsafe(work, self._loop)
        try:
            return future.result(timeout)
        except FutureTimeout:
            future.cancel()
            raise

    async def _publish(self, subject: str, body: bytes, name: str) -> PubAck:
        client = await self._connected()
        answer = await client.jetstream().publish(
            subject,
            body,
            timeout=self._timeout,
            stream=self._name,
            headers={MESSAGE_ID: name},
        )
        self._heard.clear()
        return answer

    async def _leave(self) -> None:
        if self._client is not None:
            await self._client.close()
            self._client = None

    async def _connected(self) -> Client:
        async with self._connecting:
            if self._client is not None and self._client.is_connected:
                return self._client
            await self._leave()
            faults: list[Exception] = []
            for server in self._servers:
                client = await self._connect(server, faults)
                if client is not None:
                    self._client = client
                    return client
            raise _failure_of(faults)

    async def _connect(self, server: str, faults: list[Exception]) -> Client | None:
        heard: list[Exception] = []

        async def hear(error: Exception) -> None:
            heard.append(error)
            self._heard.append(str(error).lower())

        client = Client()
        try:
            await client.connect(
                server,
                name="hydra-notify",
                allow_reconnect=False,
                # The least: two attempts, one right after the other.
                max_reconnect_attempts=1,
                reconnect_time_wait=0,
                connect_timeout=CONNECT_TIMEOUT,
                error_cb=hear,
                token=self._credentials.token,
                user=self._credentials.user,
                password=self._credentials.password,
            )
        except (nats.errors.Error, OSError, TimeoutError) as error:
            # What is raised may say only that there are no more servers.
            faults.append(heard[-1] if heard else error)
            await client.close()
            return None
        return client


def _failure_of(faults: list[Exception]) -> Failure:
    """What it means that no server can be spoken to."""
    words = "; ".join(str(each) or type(each).__name__ for each in faults)
    if "authorization" in words.lower():
        return Unauthorized(f"NATS: {words}", fix="check the plugin's secrets")
    return Retry(f"no server of NATS can be reached: {words}", code=503)
