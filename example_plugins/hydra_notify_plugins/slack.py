"""Tells a chat how builds ended: Hydra's SlackNotification.

For Slack's incoming webhooks, those of Mattermost, and Discord's with `/slack` behind
their address.

    [plugins.chat]
    command = ["hydra-notify-slack"]
    [plugins.chat.settings]                        # every one is optional
    jobs = "nixpkgs:trunk:.*"                      # a regular expression; all jobs
    force = false                                  # true: tell of every end of a build
    scm_cache = "/var/lib/hydra/scm"               # clones, to name authors of commits
    timeout = 20                                   # seconds for one request
    [plugins.chat.secrets]
    url = { file = "/run/keys/chat-webhook" }      # whoever knows it may write there

One message for a build and those that ended with it, about the ones that ended
otherwise than before. Builds that were aborted or cancelled are not told of, unless
forced to. Several chats are several plugins.
"""

import time
from functools import cache
from typing import Annotated, Any, Final
from urllib.parse import quote

from msgspec import Meta, Struct

from hydra_notify_plugins.authors import Commits, cache_directory, commits_of
from hydra_notify_plugins.done import Done
from hydra_notify_plugins.http import TIMEOUT, Service, web_address
from hydra_notify_plugins.jobs import compile_jobs, job_name, wanted
from hydra_notify_plugins.news import (
    duration_of,
    either,
    is_news,
    others,
    outcome_of,
    title_of,
)
from hydra_notify_plugins.statuses import Kind, kind_of, word_of
from hydra_notify_sdk import (
    BuildEvent,
    BuildEventData,
    ConfigProblem,
    Context,
    Permanent,
    Plugin,
    Skipped,
    Unauthorized,
)
from hydra_notify_sdk.wire import BuildDocument

EVENT_TIMEOUT: Final = 60.0
"""Seconds for one event: one request, and what git has to say of each input."""

LISTED: Final = 5
"""Builds that a message names besides its first, and authors; the rest is a number."""

LONGEST_TITLE: Final = 256
"""Characters; Discord refuses a message with more."""

COLOURS: Final = {
    Kind.SUCCESS: "#2eb886",
    Kind.FAILURE: "#a30200",
    Kind.ERROR: "#daa038",
    Kind.CANCELLED: "#daa038",
}
"""What Slack shows for `good`, `danger` and `warning`; Discord takes no names."""


class Settings(Struct):
    """See above; `timeout` has to leave time for git."""

    jobs: str = ""
    force: bool = False
    scm_cache: str = ""
    timeout: Annotated[float, Meta(gt=0, le=TIMEOUT)] = TIMEOUT


plugin = Plugin(
    "slack",
    "0.1.0",
    config=Settings,
    include=["dependents", "evals", "previousBuild"],
    max_in_flight=4,
    timeout=EVENT_TIMEOUT,
)

service_of = cache(lambda timeout: Service("the chat", timeout=timeout))
done_in = cache(Done)


@plugin.on_start
def check(context: Context[Settings]) -> None:
    """Refuses what can never work."""
    compile_jobs(context.config.jobs)
    url = context.secrets.get("url", "").strip()
    if not url:
        fix = f'set url = {{ file = "..." }} in [plugins.{context.instance}.secrets]'
        raise ConfigProblem("secrets.url", "is required", fix=fix)
    web_address(url, "secrets.url")
    done_in(context.state_dir)


@plugin.on("build_finished")
def tell(event: BuildEvent, context: Context[Settings]) -> Skipped | None:
    """Posts a message on what is news in one event."""
    settings = context.config
    builds = wanted(compile_jobs(settings.jobs), event.data)
    news = [each for each in builds if is_news(each, force=settings.force)]
    if not builds:
        return Skipped("other jobs")
    if not news:
        return Skipped("nothing has changed")
    done = done_in(context.state_dir)
    news = [each for each in news if outcome_of(each) not in done]
    if not news:
        return Skipped("it has been told already")
    scm = cache_directory(settings.scm_cache, context.hydra_data)
    message = message_of(
        event.data, news, context.base_url, commits_of(event.data, scm)
    )
    try:
        service_of(settings.timeout).post(context.secrets["url"].strip(), json=message)
    except Permanent as refusal:
        if refusal.code in (404, 410):
            # The address is the credential: it is gone for every event alike.
            fix = "make a new webhook and put its address into secrets.url"
            raise Unauthorized(refusal.message, fix=fix) from refusal
        raise
    for each in news:
        done.add(outcome_of(each))
    return None


def message_of(
    data: BuildEventData, news: list[BuildDocument], base_url: str, commits: Commits
) -> dict[str, Any]:
    """The message, as Slack's webhooks take it.

    Args:
        news: The builds to tell of, at least one: the message leads with the first.
        base_url: Of Hydra.
    """
    head, *rest = news
    title = f"Job {job_name(head)} build number {head.build}"
    lines = [_about(head, data, len(rest), base_url) + _due_to(commits)]
    lines += [
        f"• {_link(each.url, job_name(each))}: {title_of(each.build_status)}"
        for each in rest[:LISTED]
    ]
    if len(rest) > LISTED:
        lines.append(f"• and {len(rest) - LISTED} more")
    status = title_of(head.build_status)
    return {
        "attachments": [
            {
                "fallback": f"{title}{others(len(rest), data)}: {status}",
                "color": COLOURS[kind_of(head.build_status)],
                "title": title[:LONGEST_TITLE],
                "title_link": head.url,
                "text": "\n".join(lines),
                "footer": f"{head.nix_name or head.job} on {head.system}",
                "ts": head.stop_time or int(time.time()),
            }
        ]
    }


def _about(build: BuildDocument, data: BuildEventData, count: int, base: str) -> str:
    path = (quote(each) for each in (build.project, build.jobset, build.job))
    page = f"{base}/job/{'/'.join(path)}"
    status = _link(build.url, title_of(build.build_status))
    words = f"Job {_link(page, job_name(build))}{others(count, data)}: {status}"
    if took := duration_of(build):
        words += f" in {took}"
    before = build.previous_build
    if before and before.build_status != build.build_status:
        earlier = _link(f"{base}/build/{before.id}", word_of(before.build_status))
        words += f" (before: {earlier})"
    return words


def _due_to(commits: Commits) -> str:
    if not commits.count:
        return ""
    number = "a commit" if commits.count == 1 else f"{commits.count} commits"
    if not commits.authors:
        return f", likely due to {number}"
    named = commits.authors[:LISTED]
    names = [_link(f"mailto:{each.address}", each.name) for each in named]
    if more := len(commits.authors) - len(named):
        names.append(f"{more} more")
    return f", likely due to {number} by {either(names)}"


def _link(url: str, words: str) -> str:
    return f"<{_escaped(url)}|{_escaped(words)}>"


def _escaped(text: str) -> str:
    """Text without the three characters that Slack reads as markup, and without `|`."""
    text = text.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")
    return text.replace("|", "/")


def main() -> None:
    """Works for the host until it hangs up."""
    plugin.run()


if __name__ == "__main__":
    main()
