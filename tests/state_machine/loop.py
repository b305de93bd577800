"""A trio loop in a thread of its own, whose clock stands still until it is moved."""

import threading
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import TypeVar

import trio
from trio.testing import MockClock, wait_all_tasks_blocked

T = TypeVar("T")

PATIENCE = 60.0
"""Seconds of real time: a step that takes longer hangs."""


@dataclass(frozen=True)
class _Running:
    token: trio.lowlevel.TrioToken
    nursery: trio.Nursery
    over: trio.Event


class Loop:
    """Runs what it is given, in the loop's thread.

    Args:
        busy: Whether something outside the loop is at work for it.
    """

    def __init__(self, busy: Callable[[], bool] = lambda: False) -> None:
        self._busy = busy
        self._clock = MockClock(rate=0.0)
        self._error: Exception | None = None
        self._running: _Running | None = None
        self._started = threading.Event()
        self._thread = threading.Thread(target=self._run, daemon=True)
        self._thread.start()
        assert self._started.wait(PATIENCE)

    def __enter__(self) -> "Loop":
        return self

    def __exit__(self, *_: object) -> None:
        if self._thread.is_alive():
            trio.from_thread.run_sync(self._at.over.set, trio_token=self._at.token)
            self._thread.join(PATIENCE)
            assert not self._thread.is_alive()
        if self._error is not None:
            raise self._error

    @property
    def nursery(self) -> trio.Nursery:
        """For tasks that live on between steps."""
        return self._at.nursery

    def do(self, work: Callable[[], T]) -> T:
        """What `work` returns; then wait until nothing moves any more."""

        async def step() -> T:
            done = work()
            await self._settle()
            return done

        return trio.from_thread.run(step, trio_token=self._at.token)

    def wait_for(self, work: Callable[[], Awaitable[None]]) -> None:
        """Await `work`, moving the clock while it waits for nothing else."""
        done = threading.Event()

        async def finish() -> None:
            await work()
            done.set()

        self.do(lambda: self.nursery.start_soon(finish))
        for _ in range(100):
            if done.is_set():
                return
            self.jump(0.5)
        raise AssertionError("it does not end")

    def jump(self, seconds: float) -> None:
        """Move the clock."""
        self.do(lambda: self._clock.jump(seconds))

    @property
    def now(self) -> float:
        """Seconds by that clock."""
        return trio.from_thread.run_sync(trio.current_time, trio_token=self._at.token)

    @property
    def _at(self) -> _Running:
        assert self._running is not None
        return self._running

    def _run(self) -> None:
        try:
            trio.run(self._main, clock=self._clock)
        except Exception as error:  # noqa: BLE001 -- for whoever waits
            self._error = error

    async def _main(self) -> None:
        async with trio.open_nursery() as nursery:
            # Ends when the machine does.
            token, over = trio.lowlevel.current_trio_token(), trio.Event()
            self._running = _Running(token, nursery, over)
            self._started.set()
            await over.wait()
            nursery.cancel_scope.cancel()

    async def _settle(self) -> None:
        await wait_all_tasks_blocked()
        while self._busy():
            # A thread is at work; it wakes the loop when it is done.
            await trio.to_thread.run_sync(threading.Event().wait, 0.0005)
            await wait_all_tasks_blocked()
