"""What rules are tried on: a plugin's processes, started when one is needed.

Most rules share one conversation, so that a check takes as long as the plugin and not
as many starts as there are rules. One that a rule has broken is replaced by the next.
"""

import os
from collections.abc import AsyncGenerator, Callable
from contextlib import AsyncExitStack, asynccontextmanager
from pathlib import Path
from tempfile import mkdtemp

import trio

from hydra_notify.kit import child
from hydra_notify.kit.check.candidate import Candidate, Patience
from hydra_notify.kit.check.diagnosis import cannot_start, manifest_of, silent
from hydra_notify.kit.check.language import Language, language_of
from hydra_notify.kit.check.report import Broken, Failed, Untried
from hydra_notify.kit.check.said import CANARY, FIRST_BUILD, event, hello
from hydra_notify.kit.conversation import (
    Answer,
    Conversation,
    Json,
    Observed,
    line_of,
)
from hydra_notify.kit.limits import SECRET_LENGTH
from hydra_notify.kit.sink import Sink
from hydra_notify_sdk.wire import (
    CHANNELS,
    Channel,
    InitializeResult,
    limits,
    matches,
)


class Bench:
    """A candidate and its processes.

    Args:
        directory: Where they get directories of their own.
        stack: What holds the conversation that rules share; it ends with that.

    Attributes:
        candidate: What is checked.
        patience: How long it is waited for.
        sink: What it takes for its service; None if its settings name none.
        language: What it is written in.
        manifest: What it says it is; None before it ever did.
        lives: Whether it has answered anything after that.
        started: Seconds from spawn to the first answer of `initialize`; None before.
        observed: What it did besides answering, in each conversation that is over.
        events: How many events it has been sent; each gets a build of its own.
    """

    def __init__(
        self,
        candidate: Candidate,
        patience: Patience,
        directory: Path,
        stack: AsyncExitStack,
        sink: Sink | None = None,
    ) -> None:
        self.candidate = candidate
        self.patience = patience
        self.sink = sink
        self.language: Language = language_of(candidate.command)
        self.manifest: InitializeResult | None = None
        self.lives = False
        self.started: float | None = None
        self.observed: list[Observed] = []
        self.events = 0
        self._directory = directory
        self._shared: Conversation | None = None
        self._stack = stack

    async def hang_up(self) -> None:
        """End the conversation that rules share."""
        self._shared = None
        await self._stack.aclose()

    async def ready(self) -> Conversation:
        """The conversation that rules share: initialized, nothing unanswered.

        Raises:
            Broken: The plugin cannot be started or initialized.
        """
        shared = self._shared
        if shared is None or shared.closed or shared.open or shared.child.status:
            await self.hang_up()
            shared = await self._stack.enter_async_context(self.fresh())
            await self.initialize(shared)
            self._shared = shared
        return shared

    @asynccontextmanager
    async def fresh(self, again: Path | None = None) -> AsyncGenerator[Conversation]:
        """A conversation of one's own, not initialized.

        Args:
            again: The directory of an earlier one, if it shall have that.

        Raises:
            Broken: The plugin cannot be started.
        """
        directory = again or Path(mkdtemp(dir=self._directory))
        command = self.candidate.command
        own = self.candidate.secrets.values()
        secrets = [CANARY, *(each for each in own if len(each) >= SECRET_LENGTH)]
        conversation: Conversation | None = None
        found: Broken | Untried | None = None

        def heard(line: str) -> None:
            if conversation is not None:
                conversation.heard_stderr(line)

        async with AsyncExitStack() as stack:
            starting = child.start(
                command,
                directory,
                own=self.candidate.environment,
                on_stderr=heard,
            )
            try:
                running = await stack.enter_async_context(starting)
            except OSError as error:
                raise Broken(cannot_start(command, error)) from error
            conversation = Conversation(
                running, os.urandom(4).hex(), secrets, self.patience.quiet
            )
            async with trio.open_nursery() as nursery:
                # Ends when the caller has left.
                nursery.start_soon(conversation.listen)
                try:
                    yield conversation
                except (Broken, Untried) as known:
                    # Past the nurseries, which would wrap it into a group.
                    found = known
                finally:
                    self.observed.append(conversation.observed)
                    nursery.cancel_scope.cancel()
        if found is not None:
            raise found

    async def initialize(
        self, conversation: Conversation, params: Json | None = None
    ) -> InitializeResult:
        """Say hello, and take the manifest.

        Raises:
            Broken: It does not answer, or not with a manifest.
        """
        began = trio.current_time()
        answer = await conversation.ask(
            "initialize",
            params or self.hello(conversation),
            seconds=self.patience.start,
        )
        if answer is None:
            raise Broken(await self.silent(conversation, "initialize"))
        manifest = manifest_of(answer, self.candidate.settings)
        if isinstance(manifest, Failed):
            raise Broken(manifest)
        if self.manifest is None:
            self.manifest = manifest
            self.started = trio.current_time() - began
        return manifest

    def hello(self, conversation: Conversation, **more: object) -> Json:
        """The parameters of `initialize`; `more` replaces or adds members."""
        state_dir = conversation.child.state_dir
        return {**hello(self.candidate, state_dir, self._directory), **more}

    @property
    def channels(self) -> list[Channel]:
        """The events it wants."""
        assert self.manifest is not None
        return [c for c in CHANNELS if matches(self.manifest.events, c)]

    @property
    def event_seconds(self) -> float:
        """For the answer to one event."""
        assert self.manifest is not None
        asked = self.manifest.timeout_ms or limits.EVENT_TIMEOUT_MS
        return (
            min(asked, limits.MAX_EVENT_TIMEOUT_MS, self.patience.event * 1000) / 1000
        )

    def event(
        self,
        channel: Channel | None = None,
        *,
        status: int = 1,
        attempt: int = 1,
        again: bool = False,
    ) -> Json:
        """The parameters of an event that it wants, of a build that is new to it.

        Args:
            channel: Which; any it wants if None.
            status: How the build ended.
            attempt: Which sending it is.
            again: Whether it is about the build of the event before.

        Raises:
            Untried: It wants none.
        """
        assert self.manifest is not None
        if channel is None:
            wanted = self.channels
            if not wanted:
                raise Untried("it wants no events")
            channel = "build_finished" if "build_finished" in wanted else wanted[0]
        self.events += not again
        return event(
            self.manifest,
            channel,
            build=FIRST_BUILD + self.events,
            status=status,
            attempt=attempt,
            seconds=self.event_seconds,
        )

    async def send(
        self,
        conversation: Conversation,
        params: Json,
        encode: Callable[[object], bytes] = line_of,
        what: str = "an event",
    ) -> Answer:
        """Send an event; returns its answer.

        Args:
            what: It is, for the diagnosis of a silence.

        Raises:
            Broken: There is none.
        """
        return await self.answered(
            conversation,
            await conversation.request("event", params, encode=encode),
            what,
            self.event_seconds,
        )

    async def answered(
        self,
        conversation: Conversation,
        name: str,
        what: str,
        seconds: float | None = None,
    ) -> Answer:
        """The answer to request `name`.

        Args:
            what: It was.
            seconds: For the answer, if not `patience.answer`.

        Raises:
            Broken: There is none.
        """
        answer = await conversation.answer(name, seconds or self.patience.answer)
        if answer is None:
            raise Broken(await self.silent(conversation, what))
        return answer

    async def silent(self, conversation: Conversation, what: str) -> Failed:
        """Why no answer to `what` has come."""
        return await silent(conversation, what, self.language, self.patience)

    async def ping(self, conversation: Conversation, name: str = "") -> Answer:
        """Ask whether it still listens; what was sent before is dealt with then.

        Raises:
            Broken: It does not answer.
        """
        sent = await conversation.request("ping", None, name)
        return await self.answered(conversation, sent, "a ping")
