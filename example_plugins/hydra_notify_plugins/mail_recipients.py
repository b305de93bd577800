"""Whom to mail, of which builds, and why them."""

import logging
import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from typing import Final

from hydra_notify_plugins.authors import Commits
from hydra_notify_sdk import BuildEventData, EvalEventData
from hydra_notify_sdk.wire import BuildDocument, Jobset

ADDRESS: Final = re.compile(
    r'[^\s<>()\[\]\\,;:"@\x00-\x1f]+(@[^\s<>()\\,;"@\x00-\x1f]+)?'
)
"""What a server can be asked to deliver to; without `@` it is a local one."""

WHY: Final = "You get this mail because"

NAMED: Final = re.compile(r"[^<>]*<([^<>]*)>\s*")

logger = logging.getLogger(__name__)


@dataclass(slots=True)
class Recipient:
    """Whom to tell of which builds, and why them."""

    address: str
    reason: str
    builds: list[BuildDocument] = field(default_factory=list)


def owner_of(data: EvalEventData) -> tuple[str, str]:
    """Whom to tell of an evaluation, or why nobody."""
    owner = data.project_info.owner
    if not (data.jobset_info.error_msg or "").strip():
        return "", "no errors"
    if data.error_changed is None:
        # The evaluator of such a Hydra sends these mails itself.
        return "", "this Hydra does not say whether the error is new"
    if not data.error_changed:
        return "", "the same error as before"
    if owner is None or not owner.email_on_error:
        return "", "the owner wants no mail"
    address = next(addresses(owner.email), "")
    return address, "" if address else "the owner has no address"


def recipients_of(
    data: BuildEventData, news: list[BuildDocument], commits: Commits
) -> list[Recipient]:
    """Whom to tell of which builds, each address once.

    Args:
        news: Builds whose jobsets send mail; see `mailed`.
        commits: What has changed before the event's own build.
    """
    found: dict[str, Recipient] = {}

    def tell(texts: Iterable[str], build: BuildDocument, reason: str) -> None:
        for address in addresses(*texts):
            to = found.setdefault(address.lower(), Recipient(address, reason))
            if not any(each is build for each in to.builds):
                to.builds.append(build)

    jobsets = _jobsets(data)
    for build in news:
        if override := jobsets[build.project, build.jobset].email_override:
            jobset = f"{build.project}:{build.jobset}"
            reason = f"{WHY} the jobset {jobset} names your address."
            tell([override], build, reason)
        else:
            tell(
                build.maintainers, build, f"{WHY} meta.maintainers names your address."
            )
    if any(each is data for each in news):
        authors = [each.address for each in commits.authors if each.responsible]
        tell(authors, data, f"{WHY} you are the author of one of these commits.")
    return list(found.values())


def mailed(data: BuildEventData, builds: list[BuildDocument]) -> list[BuildDocument]:
    """Those of the builds whose jobsets send mail."""
    jobsets = _jobsets(data)
    if "dependents" in (data.truncated or ()):
        cut = len(data.dependent_ids or ()) - len(data.dependents or ())
        logger.warning("no mail on %s builds, which are cut from the event", cut)
    found: list[BuildDocument] = []
    for build in builds:
        jobset = jobsets.get((build.project, build.jobset))
        if jobset is None:
            # The host is an older one, or had to cut the list.
            logger.warning("no mail on %s: its jobset is not known", build.url)
        elif jobset.enable_email:
            found.append(build)
    return found


def _jobsets(data: BuildEventData) -> dict[tuple[str, str], Jobset]:
    all_ = [data.jobset_info, *(data.dependent_jobsets or ())]
    return {(each.project, each.name): each for each in all_}


def addresses(*texts: str) -> Iterator[str]:
    """Addresses of lists with commas in between; what is none is logged."""
    for text in texts:
        for part in text.split(","):
            named = NAMED.fullmatch(part)
            address = (named[1] if named else part).strip()
            if ADDRESS.fullmatch(address):
                yield address
            elif address:
                logger.warning("no mail to %r, which is no address", address)
