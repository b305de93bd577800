"""Mails as Hydra's users know them: what they say of builds and evaluations."""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from email.message import EmailMessage
from email.policy import SMTP
from email.utils import format_datetime, formataddr, parseaddr
from hashlib import sha256
from typing import Final
from urllib.parse import quote, urlsplit

from hydra_notify_plugins.authors import Commits
from hydra_notify_plugins.jobs import job_name
from hydra_notify_plugins.news import duration_of, others, title_of
from hydra_notify_plugins.statuses import word_of
from hydra_notify_sdk import BuildEventData, EvalEventData
from hydra_notify_sdk.wire import BuildDocument

LISTED: Final = 100
"""Builds that a mail names besides its first; the rest is a number."""

MOST_ERROR: Final = 200_000
"""Characters of an evaluation's error: more is for Hydra's own pages."""

LONGEST_LINE: Final = 998
"""Characters of a line, by RFC 5322."""

_BUILT: Final = frozenset({0, 1, 6, 7, 10, 11, 12})
"""Statuses of builds that have run, and have a log of their own."""

_ESCAPES: Final = re.compile(r"\x1b\[[0-9;?]*[@-~]|[^\S\n\t ]|[^\x20-\U0010ffff\n\t]")
"""Colours of a terminal, and what else is no text."""


@dataclass(frozen=True, slots=True)
class Writer:
    """Whose mails these are.

    Attributes:
        sender: `Name <address>` or an address.
        base_url: Of Hydra.
        redirect_to: Where all mails go; "" for whom they are for.
    """

    sender: str
    base_url: str
    redirect_to: str

    @property
    def domain(self) -> str:
        """Of Hydra: what its mails' ids end in, and what it calls itself."""
        return urlsplit(self.base_url).hostname or "localhost"

    @property
    def address(self) -> str:
        """The sender's, without a name."""
        return parseaddr(self.sender)[1]

    def mail(
        self,
        to: str,
        key: str,
        thread: str,
        text: tuple[str, str],
        extra: dict[str, str],
    ) -> EmailMessage:
        """A mail.

        Args:
            to: An address.
            key: Equal for what is sent again.
            thread: Equal for what belongs together.
            text: Subject and body.
            extra: More headers; `X-Hydra-Project` and `-Jobset` among them.
        """
        name = parseaddr(self.sender)[0] or "Hydra Build Daemon"
        jobset = f"{extra['X-Hydra-Jobset']}.{extra['X-Hydra-Project']}.{self.domain}"
        # A jobset may be called `.jobsets`, a list not.
        list_id = ".".join(part for part in jobset.split(".") if part)
        root = self._id(f"thread {thread} {to.lower()}")
        subject, body = text
        headers = {
            "From": formataddr((name, self.address)),
            "To": self.redirect_to or to,
            "Subject": subject,
            "Date": format_datetime(datetime.now(UTC)),
            "Message-ID": self._id(f"{key} {to.lower()}"),
            "In-Reply-To": root,
            "References": root,
            "Auto-Submitted": "auto-generated",
            "List-Id": f"<{list_id}>",
            "X-Hydra-Instance": self.base_url,
            **extra,
        }
        if self.redirect_to:
            headers["X-Hydra-Recipient"] = to
        # Folded by Python, a long subject would begin on its second line.
        unfolded = all(value.isascii() for value in headers.values())
        policy = SMTP.clone(max_line_length=LONGEST_LINE) if unfolded else SMTP
        mail = EmailMessage(policy=policy)
        for header, value in headers.items():
            mail[header] = " ".join(value.split())
        lines = body.splitlines()
        plain = body.isascii() and all(len(line) <= LONGEST_LINE for line in lines)
        mail.set_content(body, cte="7bit" if plain else "quoted-printable")
        return mail

    def _id(self, key: str) -> str:
        return f"<{sha256(key.encode()).hexdigest()[:32]}@{self.domain}>"


def build_headers(build: BuildDocument) -> dict[str, str]:
    """What people filter by."""
    return {
        "X-Hydra-Project": build.project,
        "X-Hydra-Jobset": build.jobset,
        "X-Hydra-Job": build.job,
        "X-Hydra-System": build.system,
    }


def build_names(
    data: BuildEventData,
    builds: Sequence[BuildDocument],
    commits: Commits,
    reason: str,
    base_url: str,
) -> dict[str, str]:
    """What a template can say of builds: see `mail_template.BUILD_NAMES`.

    Args:
        builds: Of one recipient, at least one: the mail leads with the first.
        reason: Why it is sent to them.
    """
    head, *rest = builds
    before = head.previous_build.build_status if head.previous_build else None
    status = word_of(head.build_status)
    changed = head.previous_build and before != head.build_status
    return {
        "base_url": base_url,
        "before": word_of(before) if head.previous_build else "",
        "build": str(head.build),
        "change": f'has changed from "{word_of(before)}" to "{status}"'
        if changed
        else f'is "{status}"',
        "commits": _commits(commits),
        "dependents": _dependents(rest),
        "details": _details(data, head, base_url),
        "job": job_name(head),
        "jobset": head.jobset,
        "on_system": "" if head.system in head.job else f" on {head.system}",
        "others": others(len(rest), data),
        "project": head.project,
        "reason": reason,
        "status": title_of(head.build_status),
        "system": head.system,
        "url": head.url,
    }


def eval_names(data: EvalEventData, reason: str, base_url: str) -> dict[str, str]:
    """What a template can say of an evaluation: see `mail_template.EVAL_NAMES`."""
    error = _ESCAPES.sub("", data.jobset_info.error_msg or "").strip()
    if len(error) > MOST_ERROR or "jobsetInfo.errorMsg" in (data.truncated or ()):
        error = f"{error[:MOST_ERROR]}\n[...]\n\nThe rest is on Hydra's page."
    failed = data.event == "evalFailed"
    page = f"{quote(data.project)}/{quote(data.jobset)}"
    return {
        "base_url": base_url,
        "error": error,
        "jobset": data.jobset,
        "project": data.project,
        "reason": reason,
        "what": "failed" if failed else "ended with errors",
        "url": f"{base_url}/jobset/{page}#tabs-errors",
    }


def _details(data: BuildEventData, build: BuildDocument, base_url: str) -> str:
    rows: dict[str, str] = {}
    if build.stop_time is not None:
        took = duration_of(build)
        rows["Finished"] = f"{datetime.fromtimestamp(build.stop_time, UTC):%F %T} UTC"
        rows["Finished"] += f", after {took}" if took else ""
    rows["System"] = build.system
    rows["Package"] = build.nix_name or ""
    if build.build_status in _BUILT and not build.is_cached_build:
        rows["Log"] = f"{build.url}/log"
    if before := build.previous_build:
        word = word_of(before.build_status)
        rows["Before"] = f"{base_url}/build/{before.id} ({word})"
        if before.eval and data.evals:
            now = data.evals[0].id
            rows["Changes"] = f"{base_url}/eval/{now}?compare={before.eval.id}"
    return "\n".join(f"  {name:<9} {value}" for name, value in rows.items() if value)


def _dependents(builds: Sequence[BuildDocument]) -> str:
    if not builds:
        return ""
    lines = ["These jobs ended with it:", ""]
    for build in builds[:LISTED]:
        lines.append(f"* {job_name(build)}: {title_of(build.build_status)}")
        lines.append(f"  {build.url}")
    if len(builds) > LISTED:
        lines.append(f"* and {len(builds) - LISTED} more")
    return "\n".join(lines)


def _commits(commits: Commits) -> str:
    if not commits.count:
        return ""
    number = "a commit" if commits.count == 1 else f"{commits.count} commits"
    if not commits.authors:
        return f"This may be due to {number}."
    names = [f"  {each.name} <{each.address}>" for each in commits.authors]
    return f"This may be due to {number} by\n\n" + "\n".join(names)
