"""Who may say what becomes of a plugin that is kept running.

Its author at the terminal, signals, changed files, and other programs: a task each.
"""

import os
import signal
from contextlib import aclosing
from functools import partial
from pathlib import Path

import trio

from hydra_notify.errors import HydraNotifyError
from hydra_notify.kit.play import watch
from hydra_notify.kit.play.door import Answer, DoorError, Request, open_door
from hydra_notify.kit.play.run import Run
from hydra_notify.kit.play.typed import HELP, Command, command_in, lines
from hydra_notify.kit.play.words import outcome_words
from hydra_notify.outcomes import Delivered


async def obey(run: Run, program: str, descriptor: int) -> bool:
    """Keep a plugin running until somebody has had enough.

    Args:
        run: The plugin.
        program: As its author has typed it.
        descriptor: Where its author's commands are read from.

    Returns:
        Whether it behaved.
    """
    well = False
    async with trio.open_nursery() as nursery:
        await nursery.start(_hear_signals, run, nursery)
        await nursery.start(_hear_programs, run, program)
        if run.watched:
            await nursery.start(_hear_changes, run)
        nursery.start_soon(_hear_author, run, descriptor)
        well = await run.live()
        nursery.cancel_scope.cancel()
    return well


async def _hear_signals(
    run: Run,
    nursery: trio.Nursery,
    *,
    task_status: trio.TaskStatus[None] = trio.TASK_STATUS_IGNORED,
) -> None:
    with trio.open_signal_receiver(signal.SIGINT, signal.SIGTERM) as signals:
        task_status.started()
        async for _ in signals:
            if run.quitting.is_set():
                nursery.cancel_scope.cancel()
                return
            run.show.screen.interrupted()
            what = "waiting for its answer" if run.in_flight else "ending it"
            run.show.note(f"{what}; Ctrl-C again: kill it")
            nursery.start_soon(run.quit)


async def _hear_changes(
    run: Run, *, task_status: trio.TaskStatus[None] = trio.TASK_STATUS_IGNORED
) -> None:
    files = watch.sources(run.command)
    before = await watch.look(files)
    task_status.started()
    async with trio.open_nursery() as nursery:
        while True:
            path, before = await watch.changed(files, before)
            again = " and sending the last event again" if run.last else ""
            name = Path(path).name
            run.show.note(f"{name} has changed: starting the plugin anew{again}")
            # Not waited for: it may be saved again before the old one has ended.
            nursery.start_soon(partial(run.restart, resend=True))


async def _hear_author(run: Run, descriptor: int) -> None:
    async with aclosing(lines(descriptor)) as typed:
        async for line in typed:
            run.show.screen.answered()
            try:
                command = command_in(line)
                if command is not None:
                    await _do(run, command)
            except HydraNotifyError as error:
                run.show.trouble(str(error))
            if run.quitting.is_set() or run.ends_with_plugin:
                return
            run.ask()
    # It has a right to be looked at, even if nothing is asked of it.
    await run.started()
    await run.quit()


async def _do(run: Run, command: Command) -> None:
    match command.verb:
        case "send":
            sending = await run.send(command.event, command.edits)
            if not run.typed:
                await sending.over.wait()
        case "again":
            await _send_again(run)
        case "ping":
            await run.ping()
        case "restart":
            await run.restart()
        case "quit":
            if run.in_flight:
                run.show.note("waiting for its answer; Ctrl-C: kill it")
            await run.quit()
        case "help":
            run.show.screen.plain(HELP)


async def _send_again(run: Run) -> None:
    if run.last is None:
        run.show.note("nothing was sent yet; type help to see the events")
    elif not run.last.over.is_set():
        run.show.note("the last event is still without an answer")
    else:
        sending = await run.send_again(run.last)
        if not run.typed:
            await sending.over.wait()


async def _hear_programs(
    run: Run,
    program: str,
    *,
    task_status: trio.TaskStatus[None] = trio.TASK_STATUS_IGNORED,
) -> None:
    async def answer(request: Request) -> Answer:
        try:
            sending = await run.send(request.event, request.edits)
        except HydraNotifyError as error:
            return Answer(problem=str(error))
        await sending.over.wait()
        assert sending.outcome is not None
        words, tone = outcome_words(sending.outcome)
        mask = run.show.screen.mask
        return Answer(
            reply=mask(sending.reply.decode("utf-8", "replace")),
            words=mask(words),
            tone=tone,
            good=isinstance(sending.outcome, Delivered),
        )

    try:
        async with open_door(program, os.environ, answer):
            task_status.started()
            await trio.sleep_forever()
    except DoorError as error:
        run.show.note(f"`plugin send` cannot reach this run: {error}")
        task_status.started()
