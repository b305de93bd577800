"""Where people look at what a plugin and the host say to each other.

The plugin notices nothing of it: lines are handed on without a wait, into a queue for
each follower that holds only so much, and are masked and written down in the follower's
own task. As long as nobody looks, a read and a write cost one test each.
"""

from collections import deque
from collections.abc import Generator, Iterable, Iterator
from contextlib import contextmanager

import msgspec
import trio

from hydra_notify.bell import Bell
from hydra_notify.limits import TRACE_BUFFER
from hydra_notify.plugin_log import masker
from hydra_notify.supervisor.transcript import Mask, Step
from hydra_notify_sdk.wire import Framer, PluginFrame


class Follower:
    """One who looks, from a moment on.

    What does not fit its queue is left out and counted, and it is told how much.

    Args:
        now: When it came (trio's clock): its time 0.
    """

    def __init__(self, now: float) -> None:
        self._since = now
        self._steps: deque[Step] = deque()
        self._held = 0
        self._missed = 0
        self._over = False
        self._bell = Bell()

    def put(self, step: Step) -> None:
        """Have it see `step`, if there is room."""
        if self._held + step.size > TRACE_BUFFER:
            self.miss()
            return
        if self._missed:
            self._take_in(self._confession(step.at))
        self._take_in(step)

    def miss(self) -> None:
        """Count a line that it will not see."""
        self._missed += 1
        self._bell.ring()

    def end(self) -> None:
        """There will be nothing more."""
        self._over = True
        self._bell.ring()

    async def next(self) -> bytes | None:
        """The next line of the transcript; None at the end."""
        while not self._steps:
            if self._missed:
                self._take_in(self._confession(trio.current_time()))
            elif self._over:
                return None
            else:
                await self._bell.wait()
        step = self._steps.popleft()
        self._held -= step.size
        return step.written(self._since)

    def _confession(self, now: float) -> Step:
        lines = "1 line is" if self._missed == 1 else f"{self._missed} lines are"
        self._missed = 0
        return Step.comment(now, f"{lines} not shown")

    def _take_in(self, step: Step) -> None:
        self._steps.append(step)
        self._held += step.size
        self._bell.ring()


class Tap:
    """The conversation with one plugin over all its lives, for those who look.

    It keeps of the current life how it began: a follower that comes later first sees
    `initialize` and its answer, without which the rest means nothing.
    """

    def __init__(self) -> None:
        self._followers: set[Follower] = set()
        self._mask: Mask = masker(())
        self._hello: Step | None = None
        self._answer: Step | None = None
        self._answer_to = ""
        self._news: Step | None = None
        self._framer = Framer()
        self._within_line = False
        self._skipping = False
        self._over = False

    @contextmanager
    def follow(self) -> Generator[Follower]:
        """Someone who looks, until the block is left."""
        now = trio.current_time()
        follower = Follower(now)
        if not self._is_listening:
            # What came meanwhile is not there to complete this line.
            self._framer = Framer()
            self._skipping = self._within_line
        if self._skipping:
            follower.miss()
        for step in self._beginning(now):
            follower.put(step)
        if self._over:
            follower.end()
        self._followers.add(follower)
        try:
            yield follower
        finally:
            self._followers.discard(follower)

    # What there is to see

    def start(self, pid: int, secrets: Iterable[str]) -> None:
        """A process was started; what is sent to it next is `initialize`.

        Args:
            pid: Its number.
            secrets: Values that nobody sees from now on.
        """
        self._mask = masker(secrets)
        self._hello = self._answer = None
        self._framer = Framer()
        self._within_line = self._skipping = False
        self.note(f"started (pid {pid})")

    def sent(self, data: bytes) -> None:
        """Frames are about to be written, so that no answer is seen before them."""
        if not self._is_listening:
            return
        now = trio.current_time()
        for line in data.split(b"\n"):
            if line:
                step = Step.line(now, "host", line, self._mask)
                if self._hello is None:
                    self._hello = step
                    self._answer_to = str(_frame(line).id)
                self._show(step)

    def said(self, chunk: bytes) -> None:
        """The plugin wrote to its stdout."""
        # Kept even for nobody: who comes next must not take half a line for a whole.
        self._within_line = not chunk.endswith(b"\n")
        if not self._is_listening:
            return
        if self._skipping:
            _, newline, chunk = chunk.partition(b"\n")
            self._skipping = not newline
        now = trio.current_time()
        for line in self._framer.feed(chunk):
            step = Step.line(now, "plugin", line, self._mask)
            if self._answer is None and isinstance(line, bytes) and self._answers(line):
                self._answer = step
            self._show(step)

    def hung_up(self) -> None:
        """The host closes the plugin's stdin."""
        self._show(Step(trio.current_time(), "host", b'"end":true'))

    def ended(self, status: int) -> None:
        """The process has ended; negative: by that signal."""
        now = trio.current_time()
        if self._framer.held:
            self._show(
                Step.comment(now, "its last line has no end and counts for none")
            )
        self._show(Step(now, "plugin", b'"exit":%d' % status))
        self._hello = self._answer = None

    def note(self, text: str) -> None:
        """Something else came to pass.

        Args:
            text: For people, without secrets.
        """
        self._news = Step.comment(trio.current_time(), text)
        self._show(self._news)

    def close(self, text: str) -> None:
        """There will be nothing more to see, for the reason in `text`."""
        self.note(text)
        self._over = True
        for follower in self._followers:
            follower.end()

    @property
    def _is_listening(self) -> bool:
        """Whether what is said matters: to a follower, or to one that may come."""
        return bool(self._followers) or self._answer is None

    def _beginning(self, now: float) -> Iterator[Step]:
        """What one who comes now sees first."""
        if self._hello is None:
            if self._news is not None:
                yield self._news
            return
        words = f"started {now - self._hello.at:.0f} s ago"
        if self._answer is not None:
            words += f", answered {self._answer.at - self._hello.at:.3f} s later"
        yield Step.comment(now, f"{words}; its first frames were:")
        yield self._hello
        if self._answer is not None:
            yield self._answer
            yield Step.comment(now, "from now on:")

    def _answers(self, line: bytes) -> bool:
        """Whether a line is the plugin's answer to `initialize`."""
        # Text without a newline may be glued to it.
        answer = _frame(line[max(0, line.find(b'{"jsonrpc"')) :])
        return answer.id == self._answer_to and not answer.method

    def _show(self, step: Step) -> None:
        for follower in self._followers:
            follower.put(step)


def _frame(line: bytes) -> PluginFrame:
    """A line as a frame; one without anything where it is none."""
    try:
        return msgspec.json.decode(line, type=PluginFrame)
    except (ValueError, RecursionError):
        return PluginFrame()
