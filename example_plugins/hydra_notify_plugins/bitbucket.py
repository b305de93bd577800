"""Statuses of commits on Bitbucket Cloud: what Hydra's BitBucketStatus sends.

    [plugins.bitbucket]
    command = ["hydra-notify-bitbucket"]
    [plugins.bitbucket.settings]
    inputs = ["src"]          # of jobsets that are no flakes: those that are meant;
                              # by default those that Hydra sends mails about
    jobs = "nixos:.*"         # a regular expression on project:jobset:job
    context = "{name}"        # the name of the status
    description = "Hydra build #{build} of {name}: {status}"
    username = ""             # for an API token or an app password
    api_url = "https://api.bitbucket.org/2.0"
    hosts = []                # names of it in inputs and flakes, beside bitbucket.org
    timeout = 20              # seconds for one request
    [plugins.bitbucket.secrets]
    token = { file = "/run/keys/bitbucket" }         # an access token, or by workspace
    password = { file = "/run/keys/bitbucket-password" }   # with `username`, instead

A commit gets INPROGRESS, then SUCCESSFUL, FAILED or STOPPED (cancelled). Builds that
failed with another are told too. The key of a status is that of its name, so that the
newest build of a job counts: Hydra's plugin makes another one of each build.
What is said already is not said again, and the status of an older build never replaces
that of a newer one. `context` and `description` may have {project}, {jobset}, {job},
{name} (all three), {system}, {build} and {status}.
"""

import base64
import hashlib
from collections.abc import Mapping
from typing import Final
from urllib.parse import quote

from msgspec import Struct

from hydra_notify_plugins.commit_status import (
    RequestTimeout,
    Status,
    narrowed,
    plugin_of,
)
from hydra_notify_plugins.http import TIMEOUT as REQUEST_TIMEOUT
from hydra_notify_plugins.http import Service
from hydra_notify_plugins.jobs import compile_jobs
from hydra_notify_plugins.revisions import commits_of
from hydra_notify_plugins.said import Place, Said
from hydra_notify_plugins.sites import site_at
from hydra_notify_plugins.status_texts import check_text, filled
from hydra_notify_plugins.statuses import Kind
from hydra_notify_plugins.tokens import Tokens
from hydra_notify_sdk import (
    BuildEventData,
    ConfigProblem,
    Context,
    Unauthorized,
)
from hydra_notify_sdk.wire.data import BuildDocument, EvalInput

LONGEST: Final = 255
"""Characters of a name or a description that Bitbucket takes."""

KEY_BYTES: Final = 20
"""Of a key: Bitbucket takes 40 characters, and a job's name may be longer."""

_STATES: Final = {
    Kind.PENDING: "INPROGRESS",
    Kind.RUNNING: "INPROGRESS",
    Kind.SUCCESS: "SUCCESSFUL",
    Kind.FAILURE: "FAILED",
    Kind.ERROR: "FAILED",
    Kind.CANCELLED: "STOPPED",
}


class Settings(Struct):
    """See above."""

    inputs: list[str] = []
    jobs: str = ""
    context: str = "{name}"
    description: str = "Hydra build #{build} of {name}: {status}"
    username: str = ""
    api_url: str = "https://api.bitbucket.org/2.0"
    hosts: list[str] = []
    timeout: RequestTimeout = REQUEST_TIMEOUT


class Bitbucket:
    """Bitbucket, as `commit_status` wants a forge."""

    def __init__(self, context: Context[Settings]) -> None:
        settings = context.config
        self.jobs = compile_jobs(settings.jobs)
        self._settings = settings
        self._site = site_at(settings.api_url, settings.hosts, key="settings.api_url")
        check_text(settings.context, "settings.context")
        check_text(settings.description, "settings.description")
        self._tokens = _tokens_of(settings.username, context.secrets)
        self._service = Service("Bitbucket", timeout=settings.timeout)
        self.said = Said(context.state_dir)

    def places_of(self, data: BuildEventData) -> dict[Place, int]:
        """See `Forge`."""
        found = commits_of(data.evals or (), self._is_meant)
        return {
            Place(commit.path, commit.revision): evaluation
            for commit, evaluation in found.items()
            if commit.host in self._site.hosts
            and "/" not in commit.owner
            and self._tokens.find(commit.path, commit.owner)
        }

    def _is_meant(self, source: EvalInput) -> bool:
        if self._settings.inputs:
            return source.name in self._settings.inputs
        return source.email_responsible is True

    def context_of(self, build: BuildDocument) -> str:
        """See `Forge`."""
        return filled(self._settings.context, build)[:LONGEST]

    def content_of(self, status: Status, context: str) -> Mapping[str, str]:
        """The body of a request."""
        key = hashlib.blake2b(context.encode(), digest_size=KEY_BYTES).hexdigest()
        return {
            "state": _STATES[status.kind],
            "key": key,
            "name": context,
            "url": status.build.url,
            "description": filled(self._settings.description, status.build)[:LONGEST],
        }

    def send(self, place: Place, content: Mapping[str, str]) -> None:
        """See `Forge`."""
        owner = place.repository.partition("/")[0]
        token = self._tokens.get(place.repository, owner)
        url = f"{self._site.url}/repositories/{quote(place.repository)}"
        try:
            self._service.post(
                f"{url}/commit/{place.revision}/statuses/build",
                json=dict(content),
                headers={"Authorization": token if " " in token else f"Bearer {token}"},
            )
        except Unauthorized as refused:
            raise narrowed(refused, only_secret=self._tokens.single) from None


def _tokens_of(username: str, secrets: Mapping[str, str]) -> Tokens:
    """The secrets, or a name and a password in their place."""
    if not username:
        if "password" in secrets:
            fix = (
                'write username = "..." (for an API token: the address of the account)'
            )
            raise ConfigProblem("settings.username", "is required", fix=fix)
        return Tokens(secrets)
    if "password" not in secrets:
        fix = "add password = { file = ... } to [secrets], or remove username"
        raise ConfigProblem("secrets.password", "is required", fix=fix)
    pair = f"{username}:{secrets['password'].strip()}".encode()
    return Tokens({"token": f"Basic {base64.b64encode(pair).decode()}"})


plugin = plugin_of("bitbucket", Settings, Bitbucket)


def main() -> None:
    """The program."""
    plugin.run()


if __name__ == "__main__":
    main()
