"""Tells people of builds by any of the 170 services that Apprise knows.

    [plugins.tell]
    command = ["hydra-notify-apprise-relay"]

    [plugins.tell.settings]
    jobs = "nixpkgs:trunk:.*"  # a regular expression; without it, all
    tell = "changes"           # what ended otherwise than before; or "failures", "all"

    [plugins.tell.secrets]
    urls = { file = "/run/keys/apprise-urls" }

`urls` has one address of Apprise (appriseit.com) on each line, such as
`tgram://TOKEN/CHAT`, `mailtos://USER:PASSWORD@example.org` or `ntfys://TOPIC`; lines
that begin with `#` do not count. `jobs` has to match the whole of
`project:jobset:job`.

One message for a build and those that ended with it, to each address; one for an
evaluation that failed, if its error is a new one. Builds that were aborted or cancelled
are told of by `all` alone. Each answer is looked at: what an address refuses is tried
again for that address, and the others hear nothing twice, also where Hydra splits a
long list of builds. Addresses are in no message
or log: they are called by line and kind, such as `line 2 (tgram)`.
"""

import re
from collections.abc import Callable
from pathlib import Path
from typing import Final, Literal

from apprise import NotifyType
from msgspec import Struct

from hydra_notify_plugins.apprise_addresses import (
    MOST_ADDRESSES,
    Address,
    Message,
    Refusal,
    addresses_of,
    failure_of,
    send_to,
)
from hydra_notify_plugins.done import Done
from hydra_notify_plugins.jobs import compile_jobs, job_name, wanted
from hydra_notify_plugins.news import is_news, others, outcome_of
from hydra_notify_plugins.statuses import UNINFORMATIVE, Kind, kind_of, word_of
from hydra_notify_sdk import (
    BuildEvent,
    BuildEventData,
    Cancelled,
    ConfigProblem,
    Context,
    EvalEvent,
    Plugin,
    Skipped,
)
from hydra_notify_sdk.wire import BuildDocument

LISTED: Final = 20
"""Builds of one message; of more it says how many."""

ERROR_CHARACTERS: Final = 1000
"""Of the error of an evaluation, which can be megabytes."""

Tell = Literal["changes", "failures", "all"]

TYPES: Final = {
    Kind.SUCCESS: NotifyType.SUCCESS,
    Kind.FAILURE: NotifyType.FAILURE,
    Kind.ERROR: NotifyType.WARNING,
}


class Settings(Struct):
    """See above."""

    jobs: str = ""
    tell: Tell = "changes"


class Told(Struct, frozen=True):
    """Whom to tell, and what has been told."""

    addresses: list[Address]
    jobs: re.Pattern[str]
    done: Done


plugin = Plugin(
    "apprise-relay",
    "1.0",
    config=Settings,
    include=["dependents", "errorMsg", "previousBuild"],
    timeout=300,
)
told: dict[Path, Told] = {}
"""By state directory: in a process there is one."""


@plugin.on_start
def start(context: Context[Settings]) -> None:
    """Refuses addresses that Apprise does not know."""
    addresses = list(addresses_of(context.secrets.get("urls", "")))
    if not addresses:
        fix = "one address of Apprise on each line"
        raise ConfigProblem("secrets.urls", "is required", fix=fix)
    if len(addresses) > MOST_ADDRESSES:
        problem = f"has {len(addresses)} addresses"
        fix = f"{MOST_ADDRESSES} at most; make two instances of the plugin"
        raise ConfigProblem("secrets.urls", problem, fix=fix)
    jobs = compile_jobs(context.config.jobs)
    told[context.state_dir] = Told(addresses, jobs, Done(context.state_dir))


@plugin.on("build_finished")
def tell_of_builds(event: BuildEvent, context: Context[Settings]) -> Skipped | None:
    """Tells of a build and those that ended with it."""
    builds = {
        outcome_of(build): build
        for build in wanted(told[context.state_dir].jobs, event.data)
        if is_told(build, context.config.tell)
    }
    if not builds:
        return Skipped("there is nothing to tell of it")

    def words(keys: list[str]) -> Message:
        return message_of([builds[key] for key in keys], event.data)

    send(list(builds), words, event, context)
    return None


@plugin.on("eval_failed")
def tell_of_evaluation(event: EvalEvent, context: Context[Settings]) -> Skipped | None:
    """Tells of an evaluation without result."""
    data = event.data
    if data.error_changed is False and context.config.tell == "changes":
        return Skipped("the error is not new")
    error = data.jobset_info.error_msg or ""
    if len(error) > ERROR_CHARACTERS:
        error = f"{error[:ERROR_CHARACTERS]} ..."
    title = f"{data.project}:{data.jobset}: evaluation failed"
    text = f"{data.url}\n\n{error}".rstrip()
    message = Message(title, text, NotifyType.FAILURE)
    send([event.id], lambda _: message, event, context)
    return None


def is_told(build: BuildDocument, tell: Tell) -> bool:
    """Whether a build is one that people want to hear of."""
    if tell == "failures":
        return build.build_status not in {None, 0, *UNINFORMATIVE}
    return is_news(build, force=tell == "all")


def message_of(builds: list[BuildDocument], data: BuildEventData) -> Message:
    """What to say of builds that ended together."""
    first = builds[0]
    title = f"{job_name(first)}: {word_of(first.build_status)}"
    lines = [
        f"{job_name(build)} on {build.system}: {word_of(build.build_status)}\n"
        f"{build.url}"
        for build in builds[:LISTED]
    ]
    if len(builds) > LISTED:
        lines.append(f"... and {len(builds) - LISTED} more")
    kind = TYPES.get(kind_of(first.build_status), NotifyType.INFO)
    return Message(title + others(len(builds) - 1, data), "\n".join(lines), kind)


def send(
    keys: list[str],
    words: Callable[[list[str]], Message],
    event: BuildEvent | EvalEvent,
    context: Context[Settings],
) -> None:
    """Sends everybody what they have not been told.

    Args:
        keys: Of what is to be told.
        words: The message about some of it.
        event: What it is told for.
        context: Of the handler.

    Raises:
        Failure: Somebody has not taken it; those who have will not get it again.
    """
    state = told[context.state_dir]
    refusals: list[Refusal] = []
    for number, address in enumerate(state.addresses):
        new = [key for key in keys if f"{key} {address.key}" not in state.done]
        if not new:
            continue
        if event.cancelled:
            raise Cancelled
        refusal = send_to(address, words(new))
        if refusal is not None:
            refusals.append(refusal)
        else:
            for key in new:
                state.done.add(f"{key} {address.key}")
        context.progress(address.name, 100 * (number + 1) / len(state.addresses))
    if refusals:
        raise failure_of(refusals)


def main() -> None:
    """Works for the host."""
    plugin.run()


if __name__ == "__main__":
    main()
