"""Statuses of commits on GitHub: what Hydra's GithubStatus sends.

    [plugins.github]
    command = ["hydra-notify-github"]
    [plugins.github.settings]
    inputs = ["src"]          # of jobsets that are no flakes: those that are meant
    jobs = "nixpkgs:.*"       # a regular expression on project:jobset:job
    context = "hydra/{job}"   # see below; by default as Hydra's
    description = "Hydra build #{build} of {name}: {status}"
    use_short_context = false           # ci/hydra:..., without -pr-N
    exclude_build_from_context = false  # for rules that require a status by name
    api_url = "https://api.github.com"  # Enterprise: https://HOST/api/v3
    hosts = []                # names of it in inputs and flakes, beside api_url's
    reserve = 0               # requests of an hour to leave to others with the token
    timeout = 20              # seconds for one request
    [plugins.github.secrets]
    token = { file = "/run/keys/github" }      # for all owners without one
    NixOS = { file = "/run/keys/github-nixos" }

A secret is a token (`repo:status`, or an installation's), or the whole value of the
header, `Bearer ...`. `context` and `description` may have {project}, {jobset}, {job},
{name} (all three), {system}, {build} and {status}.

A flake (`github:`, `git+ssh:`, `git+https:`) needs no `inputs`. A commit gets pending,
then success, failure (the build failed) or error (aborted, cancelled, no such system).
Builds that failed with another are told too. What is said already is not said again,
and the status of an older build never replaces that of a newer one.
"""

import re
import time
from collections.abc import Mapping
from typing import Annotated, Final
from urllib.parse import quote

from msgspec import Meta, Struct

from hydra_notify_plugins.commit_status import (
    RequestTimeout,
    Status,
    narrowed,
    plugin_of,
)
from hydra_notify_plugins.http import TIMEOUT as REQUEST_TIMEOUT
from hydra_notify_plugins.http import Service
from hydra_notify_plugins.jobs import compile_jobs, job_name
from hydra_notify_plugins.revisions import commits_of
from hydra_notify_plugins.said import Place, Said
from hydra_notify_plugins.sites import site_at
from hydra_notify_plugins.status_texts import check_text, filled
from hydra_notify_plugins.statuses import Kind
from hydra_notify_plugins.tokens import Tokens
from hydra_notify_sdk import (
    BuildEventData,
    Context,
    Retry,
    Unauthorized,
)
from hydra_notify_sdk.wire.data import BuildDocument

LONGEST: Final = 140
"""Characters of a description that GitHub takes."""

SECONDARY: Final = 60.0
"""Seconds to leave GitHub alone when it speaks of a rate limit and names no time: what
its documentation asks for."""

_STATES: Final = {
    Kind.PENDING: "pending",
    Kind.RUNNING: "pending",
    Kind.SUCCESS: "success",
    Kind.FAILURE: "failure",
    Kind.ERROR: "error",
    Kind.CANCELLED: "error",
}


class Settings(Struct):
    """See above."""

    inputs: list[str] = []
    jobs: str = ""
    context: str = ""
    description: str = "Hydra build #{build} of {name}: {status}"
    use_short_context: bool = False
    exclude_build_from_context: bool = False
    api_url: str = "https://api.github.com"
    hosts: list[str] = []
    reserve: Annotated[int, Meta(ge=0)] = 0
    timeout: RequestTimeout = REQUEST_TIMEOUT


class GitHub:
    """A GitHub, as `commit_status` wants a forge."""

    def __init__(self, context: Context[Settings]) -> None:
        settings = context.config
        self.jobs = compile_jobs(settings.jobs)
        self._settings = settings
        self._site = site_at(settings.api_url, settings.hosts, key="settings.api_url")
        self._context = check_text(settings.context, "settings.context")
        self._description = check_text(settings.description, "settings.description")
        self._tokens = Tokens(context.secrets)
        self._pauses: dict[str, float] = {}
        accept = {"Accept": "application/vnd.github+json"}
        self._service = Service("GitHub", accept, timeout=settings.timeout)
        self.said = Said(context.state_dir)

    def places_of(self, data: BuildEventData) -> dict[Place, int]:
        """See `Forge`."""
        inputs = self._settings.inputs
        found = commits_of(data.evals or (), lambda each: each.name in inputs)
        return {
            Place(commit.path, commit.revision): evaluation
            for commit, evaluation in found.items()
            if commit.host in self._site.hosts
            and "/" not in commit.owner
            and self._tokens.find(commit.path, commit.owner)
        }

    def context_of(self, build: BuildDocument) -> str:
        """As GithubStatus: with the build's id, unless told otherwise."""
        if self._context:
            return filled(self._context, build)
        name = f"continuous-integration/hydra:{job_name(build)}"
        if self._settings.use_short_context:
            name = f"ci/hydra:{re.sub(r'-pr-[0-9]+', '', job_name(build), count=1)}"
        if self._settings.exclude_build_from_context:
            return name
        return f"{name}:{build.build}"

    def content_of(self, status: Status, context: str) -> Mapping[str, str]:
        """The body of a request."""
        return {
            "state": _STATES[status.kind],
            "target_url": status.build.url,
            "description": filled(self._description, status.build)[:LONGEST],
            "context": context,
        }

    def send(self, place: Place, content: Mapping[str, str]) -> None:
        """See `Forge`."""
        owner = place.repository.partition("/")[0]
        try:
            token = self._tokens.get(place.repository, owner)
            self._await_reserve(token)
            answer = self._service.post(
                f"{self._site.url}/repos/{quote(place.repository)}"
                f"/statuses/{place.revision}",
                json=dict(content),
                headers={"Authorization": token if " " in token else f"Bearer {token}"},
            )
        except Unauthorized as refused:
            if "rate limit" in refused.message.lower():
                raise Retry(refused.message, code=429, after=SECONDARY) from None
            raise narrowed(refused, only_secret=self._tokens.single) from None
        left = answer.headers.get("X-RateLimit-Remaining", "")
        reset = answer.headers.get("X-RateLimit-Reset", "")
        if (
            left.isdecimal()
            and reset.isdecimal()
            and int(left) < self._settings.reserve
        ):
            self._pauses[token] = float(reset)

    def _await_reserve(self, token: str) -> None:
        """Keeps this plugin from using up what others need.

        Raises:
            Retry: It has; until more is given.
        """
        wait = self._pauses.get(token, 0) - time.time()
        if wait > 0:
            problem = f"GitHub has {self._settings.reserve} or fewer requests left"
            raise Retry(problem, code=429, after=wait)
        self._pauses.pop(token, None)


plugin = plugin_of("github", Settings, GitHub)


def main() -> None:
    """The program."""
    plugin.run()


if __name__ == "__main__":
    main()
