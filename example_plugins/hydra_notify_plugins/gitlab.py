"""Statuses of commits on GitLab: what Hydra's GitlabStatus sends, and more.

    [plugins.gitlab]
    command = ["hydra-notify-gitlab"]
    [plugins.gitlab.settings]
    url = "https://gitlab.com"
    inputs = ["src"]          # of jobsets that are no flakes: those that are meant
    jobs = "nixos:.*"         # a regular expression on project:jobset:job
    context = "Hydra {job}"   # the name of the status
    description = "Hydra build #{build} of {name}: {status}"
    project = ""              # id or path, where the address does not tell
    hosts = []                # names of it in inputs and flakes, beside url's own
    timeout = 20              # seconds for one request
    [plugins.gitlab.secrets]
    token = { file = "/run/keys/gitlab" }            # for all projects without one
    "17" = { file = "/run/keys/gitlab-17" }          # by id
    "group/app" = { file = "/run/keys/gitlab-app" }  # by path
    group = { file = "/run/keys/gitlab-group" }      # by group, the outermost one

Jobsets may say it themselves, as for Hydra's plugin, by inputs of type string:
`gitlab_status_repo` (the name of the input that is meant) and `gitlab_project_id`. A
flake (`gitlab:`, `git+https:`, `git+ssh:`) needs neither. A secret is a token with the
scope `api`. `context` and `description` may have {project}, {jobset}, {job}, {name}
(all three), {system}, {build} and {status}.

A commit gets pending, running, then success, failed or canceled (aborted, cancelled,
no such system). Builds that failed with another are told too. What is said already is
not said again, and the status of an older build never replaces that of a newer one.
"""

from collections.abc import Mapping
from typing import Final
from urllib.parse import quote, urlsplit

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
from hydra_notify_plugins.revisions import sources_of, words_of
from hydra_notify_plugins.said import Place, Said
from hydra_notify_plugins.sites import site_at
from hydra_notify_plugins.status_texts import check_text, filled
from hydra_notify_plugins.statuses import Kind
from hydra_notify_plugins.tokens import Tokens
from hydra_notify_sdk import (
    BuildEventData,
    Context,
    Permanent,
    Unauthorized,
)
from hydra_notify_sdk.wire.data import BuildDocument, Eval

LONGEST: Final = 255
"""Characters of a name or a description that GitLab takes."""

_STATES: Final = {
    Kind.PENDING: "pending",
    Kind.RUNNING: "running",
    Kind.SUCCESS: "success",
    Kind.FAILURE: "failed",
    Kind.ERROR: "canceled",
    Kind.CANCELLED: "canceled",
}

_UNFINISHED: Final = {"pending", "running"}

_REFUSED_STEP: Final = "Cannot transition status"
"""What GitLab says (400) of a status that is there already, or further."""


class Settings(Struct):
    """See above."""

    url: str = "https://gitlab.com"
    inputs: list[str] = []
    jobs: str = ""
    context: str = "Hydra {job}"
    description: str = "Hydra build #{build} of {name}: {status}"
    project: str = ""
    hosts: list[str] = []
    timeout: RequestTimeout = REQUEST_TIMEOUT


class GitLab:
    """A GitLab, as `commit_status` wants a forge."""

    def __init__(self, context: Context[Settings]) -> None:
        settings = context.config
        self.jobs = compile_jobs(settings.jobs)
        self._settings = settings
        self._site = site_at(settings.url, settings.hosts, key="settings.url")
        # Of a GitLab that lives below its host's root.
        self._root = urlsplit(self._site.url).path.strip("/")
        check_text(settings.context, "settings.context")
        check_text(settings.description, "settings.description")
        self._tokens = Tokens(context.secrets)
        self._service = Service("GitLab", timeout=settings.timeout)
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
        named = words.get("gitlab_status_repo")
        inputs = [named] if named else self._settings.inputs
        own = words.get("gitlab_project_id")
        places: list[Place] = []
        for source in sources_of([evaluation], lambda each: each.name in inputs):
            commit = source.commit
            if commit is not None and commit.host not in self._site.hosts:
                continue
            project = own or self._settings.project
            if not project and commit is not None:
                project = commit.path.removeprefix(f"{self._root}/")
            if project and self._tokens.find(*_names_of(project)) is not None:
                places.append(Place(project, source.revision))
        return places

    def context_of(self, build: BuildDocument) -> str:
        """See `Forge`."""
        return filled(self._settings.context, build)[:LONGEST]

    def content_of(self, status: Status, context: str) -> Mapping[str, str]:
        """The body of a request."""
        return {
            "state": _STATES[status.kind],
            "target_url": status.build.url,
            "description": filled(self._settings.description, status.build)[:LONGEST],
            "name": context,
        }

    def send(self, place: Place, content: Mapping[str, str]) -> None:
        """See `Forge`."""
        token = self._tokens.get(*_names_of(place.repository))
        project = quote(place.repository, safe="")
        try:
            self._service.post(
                f"{self._site.url}/api/v4/projects/{project}/statuses/{place.revision}",
                json=dict(content),
                headers={"PRIVATE-TOKEN": token},
            )
        except Unauthorized as refused:
            raise narrowed(refused, only_secret=self._tokens.single) from None
        except Permanent as refused:
            if not _is_there(refused, content["state"]):
                raise


def _names_of(project: str) -> tuple[str, str]:
    return project, project.partition("/")[0]


def _is_there(refused: Permanent, state: str) -> bool:
    """Whether GitLab refuses a status because it has it, or one that is further."""
    if refused.code != 400 or _REFUSED_STEP not in refused.message:
        return False
    return state in _UNFINISHED or f"from :{state}" in refused.message


plugin = plugin_of("gitlab", Settings, GitLab)


def main() -> None:
    """The program."""
    plugin.run()


if __name__ == "__main__":
    main()
