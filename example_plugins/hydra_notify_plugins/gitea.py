"""Statuses of commits on Gitea and Forgejo: what Hydra's GiteaStatus sends, and more.

    [plugins.forgejo]
    command = ["hydra-notify-gitea"]
    [plugins.forgejo.settings]
    url = "https://git.example.org"   # required; with a path if it has one
    inputs = ["src"]          # of jobsets that are no flakes: those that are meant
    jobs = "nixos:.*"         # a regular expression on project:jobset:job
    context = "Hydra {job}"
    description = "Hydra build #{build} of {name}: {status}"
    owner = ""                # of the repository, where the address does not tell
    repository = ""           # its name, likewise
    hosts = []                # names of it in inputs and flakes, beside url's own
    timeout = 20              # seconds for one request
    [plugins.forgejo.secrets]
    token = { file = "/run/keys/forgejo" }       # for all owners without one
    root = { file = "/run/keys/forgejo-root" }

Jobsets may say it themselves, as for Hydra's plugin, by inputs of type string:
`gitea_status_repo` (the name of the input that is meant), `gitea_repo_owner`,
`gitea_repo_name`, and `gitea_http_url`, which has to be `url`: no token is sent to an
address that a jobset names. A flake (`git+https:`, `git+ssh:`, or a tarball of the
forge's own) needs none of these. `context` and `description` may have {project},
{jobset}, {job}, {name} (all three), {system}, {build} and {status}.

A commit gets pending, then success, failure (the build failed) or error (aborted,
cancelled, no such system). Builds that failed with another are told too. What is said
already is not said again, and the status of an older build never replaces that of a
newer one.
"""

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
from hydra_notify_plugins.revisions import Source, sources_of, words_of
from hydra_notify_plugins.said import Place, Said
from hydra_notify_plugins.sites import site_at
from hydra_notify_plugins.status_texts import check_text, filled
from hydra_notify_plugins.statuses import Kind
from hydra_notify_plugins.tokens import Tokens
from hydra_notify_sdk import (
    BuildEventData,
    Context,
    Unauthorized,
)
from hydra_notify_sdk.wire.data import BuildDocument, Eval

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

    url: str
    inputs: list[str] = []
    jobs: str = ""
    context: str = "Hydra {job}"
    description: str = "Hydra build #{build} of {name}: {status}"
    owner: str = ""
    repository: str = ""
    hosts: list[str] = []
    timeout: RequestTimeout = REQUEST_TIMEOUT


class Gitea:
    """A Gitea or Forgejo, as `commit_status` wants a forge."""

    def __init__(self, context: Context[Settings]) -> None:
        settings = context.config
        self.jobs = compile_jobs(settings.jobs)
        self._settings = settings
        self._site = site_at(settings.url, settings.hosts, key="settings.url")
        check_text(settings.context, "settings.context")
        check_text(settings.description, "settings.description")
        self._tokens = Tokens(context.secrets)
        self._service = Service("Gitea", timeout=settings.timeout)
        self.said = Said(context.state_dir)

    def places_of(self, data: BuildEventData) -> dict[Place, int]:
        """See `Forge`."""
        found: dict[Place, int] = {}
        for evaluation in data.evals or ():
            for place in self._places_in(evaluation):
                found[place] = max(evaluation.id, found.get(place, 0))
        return found

    def _places_in(self, evaluation: Eval) -> list[Place]:
        words = words_of(evaluation)
        address = words.get("gitea_http_url", "").rstrip("/")
        if address and address != self._site.url:
            return []
        named = words.get("gitea_status_repo")
        inputs = [named] if named else self._settings.inputs
        owner = words.get("gitea_repo_owner") or self._settings.owner
        name = words.get("gitea_repo_name") or self._settings.repository
        found = sources_of([evaluation], lambda each: each.name in inputs)
        places = [
            place
            for source in found
            if (place := self._place_of(source, owner, name, sure=bool(address)))
        ]
        return [each for each in places if self._token_for(each) is not None]

    def _place_of(
        self, source: Source, owner: str, name: str, *, sure: bool
    ) -> Place | None:
        """Where to send it; `sure` if the jobset says that it is of this forge."""
        commit = source.commit
        if commit is not None:
            if not sure and commit.host not in self._site.hosts:
                return None
            owner = owner or commit.owner.rpartition("/")[2]
            name = name or commit.repo
        if not owner or not name:
            return None
        return Place(f"{owner}/{name}", source.revision)

    def _token_for(self, place: Place) -> str | None:
        owner = place.repository.partition("/")[0]
        return self._tokens.find(place.repository, owner)

    def context_of(self, build: BuildDocument) -> str:
        """See `Forge`."""
        return filled(self._settings.context, build)

    def content_of(self, status: Status, context: str) -> Mapping[str, str]:
        """The body of a request."""
        return {
            "state": _STATES[status.kind],
            "target_url": status.build.url,
            "description": filled(self._settings.description, status.build),
            "context": context,
        }

    def send(self, place: Place, content: Mapping[str, str]) -> None:
        """See `Forge`."""
        owner = place.repository.partition("/")[0]
        token = self._tokens.get(place.repository, owner)
        url = f"{self._site.url}/api/v1/repos/{quote(place.repository)}"
        try:
            self._service.post(
                f"{url}/statuses/{place.revision}",
                json=dict(content),
                headers={"Authorization": token if " " in token else f"token {token}"},
            )
        except Unauthorized as refused:
            raise narrowed(refused, only_secret=self._tokens.single) from None


plugin = plugin_of("gitea", Settings, Gitea)


def main() -> None:
    """The program."""
    plugin.run()


if __name__ == "__main__":
    main()
