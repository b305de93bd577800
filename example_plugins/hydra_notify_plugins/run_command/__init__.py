"""Runs commands when builds finish: Hydra's RunCommand, whole.

    [plugins.run_command]
    command = ["hydra-notify-run-command"]

    [plugins.run_command.settings]
    dynamic = false         # also the outputs of jobs `runCommandHook.*`, see below
    timeout = 3000          # seconds for one command, 3500 at most
    at_once = 1             # builds whose commands may run at a time, 16 at most
    [[plugins.run_command.settings.commands]]
    job = "nixpkgs:*:hello.x86_64-linux"   # each section a name or `*`, which is also
                                           # what a missing section means
    command = 'jq .buildStatus "$HYDRA_JSON"'

    [plugins.run_command.secrets]
    database = { file = "/run/keys/hydra-database-url" }   # "RunCommand Logs" in Hydra

What matches a build runs in order, for successful and failed builds alike, in the
plugin's directory, with nothing to read. It finds what is known of the build in the
file `$HYDRA_JSON` (Hydra's own document, and more: `evals` with their inputs), and the
event's id in `$HYDRA_EVENT_ID`. Builds that finished with it do not count.

How a command ends is recorded, and never a reason to run it again; nor are the parts of
a long list of builds that finished with it, which are events of their own. Only
`hydra-notify resend` has it run again. Its output goes to
`$HYDRA_DATA/runcommand-logs/<2 digits>/<uuid>`, where Hydra's web pages look, as soon
as they find the run in the table `runcommandlogs`: for that the plugin needs
`secrets.database`, whose role may `select, insert, update` it and use its sequence (and
the extra `run-command`). Without it the runs are in the plugin's directory alone.

With `dynamic`, a build that has succeeded, whose job is called `runCommandHook.NAME`,
is run itself: its output `out`, if project and jobset allow it. Why one is not run is
in the log.
"""

import os
import time
import uuid
from collections import Counter
from pathlib import Path
from typing import Annotated

import msgspec
from msgspec import Meta, Struct

from hydra_notify_plugins.news import outcome_of
from hydra_notify_plugins.run_command.dynamic import hook_of
from hydra_notify_plugins.run_command.files import (
    document,
    new_log,
    remove_left_over,
)
from hydra_notify_plugins.run_command.journal import Journal, Run, Table
from hydra_notify_plugins.run_command.matching import Task, matches, sections
from hydra_notify_plugins.run_command.process import Limits, NotStarted, run
from hydra_notify_sdk import (
    BuildEvent,
    Cancelled,
    ConfigProblem,
    Context,
    Failure,
    Plugin,
)
from hydra_notify_sdk.wire import CloudEvent

MOST_AT_ONCE = 16
"""Commands at a time: what runs beside a Hydra must not take its machine."""

MOST_TIMEOUT = 3500.0
"""Seconds: the host waits for an hour at most, and then the command would be repeated
for as long as it takes so long."""


class Command(Struct, forbid_unknown_fields=True):
    """Which jobs, and what to run."""

    command: str
    job: str = "*:*:*"


class Settings(Struct):
    """See above."""

    commands: list[Command] = []
    dynamic: bool = False
    timeout: Annotated[float, Meta(gt=0, le=MOST_TIMEOUT)] = 3000.0
    at_once: Annotated[int, Meta(ge=1, le=MOST_AT_ONCE)] = 1


plugin = Plugin(
    "run-command",
    "1.0",
    config=Settings,
    # With revisions, which are the first thing that a command asks for.
    include=["evals"],
    max_in_flight=MOST_AT_ONCE,
    timeout=900,
)
journals: dict[Path, Journal] = {}
"""Of each state directory, the one that is open: in a process there is one."""


@plugin.on_start
def start(context: Context[Settings]) -> None:
    """Refuses what cannot be meant; notes the end of what a crash broke off."""
    config = context.config
    if not config.commands and not config.dynamic:
        raise ConfigProblem(
            "settings.commands", "is empty", fix="add one, or set dynamic = true"
        )
    for number, entry in enumerate(config.commands):
        key = f"settings.commands[{number}]"
        if not entry.command.strip():
            raise ConfigProblem(f"{key}.command", "is empty", fix="write a command")
        if len(sections(entry.job)) > 3:
            problem = f"{entry.job!r} has more than three sections"
            raise ConfigProblem(f"{key}.job", problem, fix="write project:jobset:job")
    plugin.limit_in_flight(config.at_once)
    remove_left_over(context.state_dir)
    journal = Journal(context.state_dir, connect_table(context))
    journal.close_broken_off(now())
    journals[context.state_dir] = journal
    if not context.hydra_data:
        context.log.warning(
            "the host does not know hydra_data: output goes to %s", logs_of(context)
        )


def connect_table(context: Context[Settings]) -> Table | None:
    """Hydra's table, for whoever may write it."""
    url = context.secrets.get("database", "").strip()
    if not url:
        context.log.info(
            "there is no secrets.database: Hydra's pages will not show what has run"
        )
        return None
    try:
        from hydra_notify_plugins.run_command.table import HydraTable
    except ImportError as error:
        raise ConfigProblem(
            "secrets.database",
            f"needs psycopg: {error}",
            fix="install hydra-notify-plugins[run-command]",
        ) from error
    return HydraTable(url)


@plugin.on("build_finished")
def run_commands(event: BuildEvent, context: Context[Settings]) -> None:
    """Runs what the build asks for, and what an earlier attempt has not run."""
    tasks = tasks_of(event, context)
    if not tasks:
        return
    journal = journals[context.state_dir]
    outcome = outcome_of(event.data)
    if event.attempt == 1 and not event.redelivered and not event.data.dependent_ids:
        # Sent anew by an operator: all of it is wanted again.
        journal.forget(outcome)
    journal.write_owed()
    ended = journal.ended(outcome)
    seen: Counter[Task] = Counter()
    data = msgspec.json.decode(event.cloudevent, type=CloudEvent).data
    with document(data, context.state_dir) as path:
        for task in tasks:
            place = seen[task]
            seen[task] += 1
            if (place, task.matcher, task.command) not in ended:
                run_one(place, task, event, context, path)


def tasks_of(event: BuildEvent, context: Context[Settings]) -> list[Task]:
    """What runs for a build, in order."""
    data = event.data
    names = (data.project, data.jobset, data.job)
    tasks = [
        Task(entry.job, entry.command)
        for entry in context.config.commands
        if matches(entry.job, names)
    ]
    if context.config.dynamic:
        hook = hook_of(data)
        if hook.refusal:
            context.log.warning(
                "%s of build %d is not run: %s", data.job, data.build, hook.refusal
            )
        if hook.task:
            tasks.append(hook.task)
    return tasks


def run_one(
    place: int, task: Task, event: BuildEvent, context: Context[Settings], path: str
) -> None:
    """Runs one command to its end and records it.

    Raises:
        Retry: Its run could not be written down, before or afterwards.
        Cancelled: The host no longer waits. The command has been ended.
    """
    journal = journals[context.state_dir]
    entry = Run(
        uuid=str(uuid.uuid4()),
        event=event.id,
        outcome=outcome_of(event.data),
        place=place,
        matcher=task.matcher,
        command=task.command,
        build=event.data.build,
        start_time=now(),
    )
    environment = {**os.environ, "HYDRA_JSON": path, "HYDRA_EVENT_ID": event.id}
    if context.hydra_data:
        environment["HYDRA_DATA"] = context.hydra_data
    log = new_log(logs_of(context), entry.uuid)
    try:
        journal.begin(entry)
    except Failure:
        log.unlink()
        raise
    with log.open("wb") as output:
        limits = Limits(context.config.timeout, lambda: event.cancelled)
        try:
            end = run(task, output, environment, limits, context.progress)
        except NotStarted as error:
            entry.error_number = error.number
        else:
            entry.exit_code, entry.signal = end.exit_code, end.signal
            entry.core_dumped, entry.broken_off = end.core_dumped, end.cancelled
    entry.end_time = now()
    journal.end(entry)
    context.log.info("%r %s; output in %s", task.command, entry.words(), log)
    if entry.broken_off:
        raise Cancelled


def logs_of(context: Context[Settings]) -> Path:
    """Where the output of commands goes."""
    data = Path(context.hydra_data) if context.hydra_data else context.state_dir
    return data / "runcommand-logs"


def now() -> int:
    """Seconds since 1970, as Hydra keeps them."""
    return int(time.time())


def main() -> None:
    """Works for the host."""
    plugin.run()
