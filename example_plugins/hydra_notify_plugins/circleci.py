"""Starts a pipeline of CircleCI when a build succeeds: Hydra's CircleCINotification.

    [plugins.circleci]
    command = ["hydra-notify-circleci"]

    [plugins.circleci.settings]
    jobs = "nixpkgs:trunk:tested"   # a regular expression for project:jobset:job
    vcstype = "github"              # where CircleCI has the project from
    username = "example"            # whose it is there
    project = "website"
    branch = "main"
    force = false                   # for builds that did not succeed, too
    api = "v1.1"                    # or "v2", which wants a personal token
    url = "https://circleci.com"    # of a CircleCI server of your own
    timeout = 20                    # seconds for one request

    [plugins.circleci.secrets]
    token = { file = "/run/keys/circleci" }

One event starts one pipeline, however many of its builds are meant; one that is sent
again starts none, unless the plugin was killed in the moment between the two. Several
branches or projects are several plugins: `[plugins.circleci_docs]` and so on.
"""

from functools import cache
from typing import Annotated, Any, Final, Literal
from urllib.parse import quote

from msgspec import Meta, Struct

from hydra_notify_plugins.done import Done
from hydra_notify_plugins.http import TIMEOUT, Service, web_address
from hydra_notify_plugins.jobs import compile_jobs, wanted
from hydra_notify_sdk import BuildEvent, ConfigProblem, Context, Plugin, Skipped

EVENT_TIMEOUT: Final = 30.0
"""Seconds for one event, as the host counts them."""


class Settings(Struct):
    """See above."""

    username: str
    project: str
    branch: str
    vcstype: str = "github"
    jobs: str = ""
    force: bool = False
    api: Literal["v1.1", "v2"] = "v1.1"
    url: str = "https://circleci.com"
    timeout: Annotated[float, Meta(gt=0, lt=EVENT_TIMEOUT)] = TIMEOUT


plugin = Plugin(
    "circleci",
    "0.1.0",
    config=Settings,
    include=["dependents"],
    timeout=EVENT_TIMEOUT,
)
service = Service("CircleCI")
done_in = cache(Done)


@plugin.on_start
def check(context: Context[Settings]) -> None:
    """Refuses what can never work."""
    config = context.config
    web_address(config.url)
    compile_jobs(config.jobs)
    for name in ("vcstype", "username", "project", "branch"):
        if not getattr(config, name):
            fix = "write what CircleCI's address of the project says"
            raise ConfigProblem(f"settings.{name}", "is empty", fix=fix)
    if not context.secrets.get("token"):
        fix = f"set it in [plugins.{context.instance}.secrets]"
        raise ConfigProblem("secrets.token", "is required", fix=fix)


@plugin.on("build_finished")
def start(event: BuildEvent, context: Context[Settings]) -> Skipped | None:
    """Starts a pipeline if one of the builds is a reason to."""
    config = context.config
    builds = wanted(compile_jobs(config.jobs), event.data)
    if not builds:
        return Skipped("none of its builds is for this plugin")
    if not config.force and all(each.build_status != 0 for each in builds):
        return Skipped("it did not succeed")
    done = done_in(context.state_dir)
    if event.id in done:
        return Skipped("its pipeline was started before")
    headers = {"Circle-Token": context.secrets["token"]}
    service.post(**request(config), headers=headers, timeout=config.timeout)
    done.add(event.id)
    return None


def request(config: Settings) -> dict[str, Any]:
    """What starts a pipeline: address and body.

    The token is in neither. Whoever reads a log of addresses would have it.
    """
    names = [config.vcstype, config.username, config.project]
    slug = "/".join(quote(name, safe="") for name in names)
    base = f"{web_address(config.url)}/api/{config.api}/project/{slug}"
    if config.api == "v2":
        return {"url": f"{base}/pipeline", "json": {"branch": config.branch}}
    return {"url": f"{base}/tree/{quote(config.branch, safe='')}", "json": {}}


def main() -> None:
    """Runs the plugin."""
    plugin.run()


if __name__ == "__main__":
    main()
