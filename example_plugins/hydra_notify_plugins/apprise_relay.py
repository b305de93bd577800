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
again for that address, and the others hear nothing twice. Addresses are in no message
or log: they are called by line and kind, such as `line 2 (tgram)`.
"""

import hashlib
import logging
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Final, Literal

from apprise import Apprise, NotifyFormat, NotifyType
from msgspec import Struct

from hydra_notify_plugins.done import Done
from hydra_notify_plugins.jobs import compile_jobs, job_name, wanted
from hydra_notify_plugins.statuses import UNINFORMATIVE, Kind, kind_of, word_of
from hydra_notify_sdk import (
    BuildEvent,
    Cancelled,
    ConfigProblem,
    Context,
    EvalEvent,
    Failure,
    Permanent,
    Plugin,
    Retry,
    Skipped,
    Unauthorized,
)
from hydra_notify_sdk.wire import BuildDocument

MOST_ADDRESSES: Final = 32
"""Each takes some seconds at most, and an event has five minutes."""

LISTED: Final = 20
"""Builds of one message; of more it says how many."""

ERROR_CHARACTERS: Final = 1000
"""Of the error of an evaluation, which can be megabytes."""

STATUS: Final = re.compile(r"error=(\d{3})\b")
"""Where Apprise's logs say what a service answered."""

Tell = Literal["changes", "failures", "all"]

TYPES: Final = {
    Kind.SUCCESS: NotifyType.SUCCESS,
    Kind.FAILURE: NotifyType.FAILURE,
    Kind.ERROR: NotifyType.WARNING,
}

# Their logs name addresses, or parts of them; what it comes to is said by `Refusal`.
logging.getLogger("apprise").propagate = False
logging.getLogger("urllib3").setLevel(logging.ERROR)


class Settings(Struct):
    """See above."""

    jobs: str = ""
    tell: Tell = "changes"


class Address(Struct, frozen=True):
    """Somebody to tell; `name` is for messages, `key` for what is done."""

    name: str
    key: str
    service: Apprise


class Refusal(Struct, frozen=True):
    """An address that was not told; `status` is what it answered, None if nothing."""

    name: str
    status: int | None

    def __str__(self) -> str:
        said = "has not taken it" if self.status is None else f"answered {self.status}"
        return f"{self.name} {said}"


class Message(Struct, frozen=True):
    """What everybody is told, in plain text."""

    title: str
    text: str
    type: NotifyType


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


def addresses_of(text: str) -> Iterator[Address]:
    """The addresses in a text.

    Raises:
        ConfigProblem: A line is none.
    """
    for number, line in enumerate(text.splitlines(), 1):
        url = line.strip()
        if not url or url.startswith("#"):
            continue
        service = Apprise()
        if not service.add(url) or len(service) != 1:
            problem = f"line {number} is no address that Apprise knows"
            fix = "see appriseit.com for the form of each service"
            raise ConfigProblem("secrets.urls", problem, fix=fix)
        kind = url.partition("://")[0]
        # The address itself is a secret, and is not for a file.
        key = hashlib.sha256(url.encode()).hexdigest()[:16]
        yield Address(f"line {number} ({kind})", key, service)


@plugin.on("build_finished")
def tell_of_builds(event: BuildEvent, context: Context[Settings]) -> Skipped | None:
    """Tells of a build and those that ended with it."""
    jobs = told[context.state_dir].jobs
    builds = [
        build
        for build in wanted(jobs, event.data)
        if is_told(build, context.config.tell)
    ]
    if not builds:
        return Skipped("there is nothing to tell of it")
    send(message_of(builds), event, context)
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
    send(Message(title, text, NotifyType.FAILURE), event, context)
    return None


def is_told(build: BuildDocument, tell: Tell) -> bool:
    """Whether a build is one that people want to hear of."""
    status = build.build_status
    if tell == "all":
        return True
    if status in UNINFORMATIVE:
        return False
    if tell == "failures":
        return status != 0
    before = build.previous_build
    return not before or before.build_status != status


def message_of(builds: list[BuildDocument]) -> Message:
    """What to say of builds that ended together."""
    first, *others = builds
    title = f"{job_name(first)}: {word_of(first.build_status)}"
    if others:
        title += f" (and {len(others)} other{'s' * (len(others) > 1)})"
    lines = [
        f"{job_name(build)} on {build.system}: {word_of(build.build_status)}\n"
        f"{build.url}"
        for build in builds[:LISTED]
    ]
    if len(builds) > LISTED:
        lines.append(f"... and {len(builds) - LISTED} more")
    kind = kind_of(first.build_status)
    return Message(title, "\n".join(lines), TYPES.get(kind, NotifyType.INFO))


def send(
    message: Message, event: BuildEvent | EvalEvent, context: Context[Settings]
) -> None:
    """Sends a message to everybody who has not had it.

    Raises:
        Failure: Somebody has not taken it; those who have will not get it again.
    """
    state = told[context.state_dir]
    again = event.redelivered or event.attempt > 1
    refusals = []
    for number, address in enumerate(state.addresses):
        key = f"{event.id} {address.key}"
        if again and key in state.done:
            continue
        if event.cancelled:
            raise Cancelled
        refusal = send_to(address, message)
        if refusal is None:
            state.done.add(key)
        else:
            refusals.append(refusal)
        context.progress(address.name, 100 * (number + 1) / len(state.addresses))
    if refusals:
        raise failure_of(refusals)


def send_to(address: Address, message: Message) -> Refusal | None:
    """Sends a message to one address."""
    result = address.service.notify(
        body=message.text,
        title=message.title,
        notify_type=message.type,
        body_format=NotifyFormat.TEXT,
    )
    if result:
        return None
    words = " ".join(
        entry.message for each in result for attempt in each for entry in attempt.logs
    )
    found = STATUS.search(words)
    return Refusal(address.name, int(found[1]) if found else None)


def failure_of(refusals: list[Refusal]) -> Failure:
    """What it means for the event: as long as one may take it, it is tried again."""
    words = "; ".join(map(str, refusals))
    statuses = {refusal.status for refusal in refusals}
    denied = {401, 403, 407}
    final = {
        status
        for status in statuses - denied
        if status is not None and 400 <= status < 500 and status not in (408, 425, 429)
    }
    if statuses - denied - final:
        # One that is slow must not pause the others: that is for 429 of all of them.
        return Retry(words, code=429 if statuses == {429} else 500)
    if statuses & denied:
        return Unauthorized(words, fix="check the lines of secrets.urls")
    return Permanent(words)


def main() -> None:
    """Works for the host."""
    plugin.run()


if __name__ == "__main__":
    main()
