"""Mails that are ready to be sent, and what is done when they are."""

from collections.abc import Sequence
from dataclasses import dataclass
from email.message import EmailMessage

from hydra_notify_plugins.authors import Commits
from hydra_notify_plugins.jobs import job_name
from hydra_notify_plugins.mail_recipients import Recipient
from hydra_notify_plugins.mail_template import Text
from hydra_notify_plugins.mail_text import (
    Writer,
    build_headers,
    build_names,
    eval_names,
)
from hydra_notify_plugins.news import outcome_of
from hydra_notify_sdk import BuildEvent, EvalEvent
from hydra_notify_sdk.wire import BuildDocument


@dataclass(frozen=True, slots=True)
class Letter:
    """A mail.

    Attributes:
        address: Of whom it is for.
        keys: What it says, and to whom: none of that is said to them again.
    """

    address: str
    mail: EmailMessage
    keys: Sequence[str]


def build_key(build: BuildDocument, address: str) -> str:
    """The key of telling somebody how a build ended."""
    return f"{outcome_of(build)} {address.lower()}"


def eval_key(event: EvalEvent, address: str) -> str:
    """The key of telling somebody of an evaluation."""
    return f"{event.id} {address.lower()}"


def build_letter(
    event: BuildEvent, to: Recipient, commits: Commits, writer: Writer, text: Text
) -> Letter:
    """What a recipient is told of builds, of which there is at least one."""
    names = build_names(event.data, to.builds, commits, to.reason, writer.base_url)
    first = to.builds[0]
    mail = writer.mail(
        to.address, event.id, job_name(first), text.fill(names), build_headers(first)
    )
    keys = [build_key(each, to.address) for each in to.builds]
    return Letter(to.address, mail, keys)


def eval_letter(event: EvalEvent, address: str, writer: Writer, text: Text) -> Letter:
    """What the owner of a project is told of an evaluation's error."""
    data = event.data
    reason = (
        f"You get this mail because the project {data.project} is yours, and you want\n"
        "to know of evaluation errors."
    )
    names = eval_names(data, reason, writer.base_url)
    headers = {"X-Hydra-Project": data.project, "X-Hydra-Jobset": data.jobset}
    thread = f"{data.project}:{data.jobset}"
    mail = writer.mail(address, event.id, thread, text.fill(names), headers)
    return Letter(address, mail, [eval_key(event, address)])
