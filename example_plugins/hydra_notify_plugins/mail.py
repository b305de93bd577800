"""Mails how builds and evaluations ended: Hydra's EmailNotification.

    [plugins.mail]
    command = ["hydra-notify-mail"]
    [plugins.mail.match]                           # to send only some of these mails
    events = ["build_finished", "eval_*"]
    [plugins.mail.settings]
    sender = "hydra@example.org"                   # required; "Name <address>" too
    host = "localhost"                             # of the mail server
    security = "none"                              # or "starttls", or "tls"
    port = 25                                      # 587 with "starttls", 465 with "tls"
    user = "hydra"                                 # to log in; none
    timeout = 20                                   # seconds for each of its replies
    jobs = "nixpkgs:trunk:.*"                      # a regular expression; all jobs
    templates = "/etc/hydra-notify/mail"           # build.txt, eval.txt; built in
    scm_cache = "/var/lib/hydra/scm"               # clones, to find authors of commits
    redirect_to = "me@example.org"                 # all mails go there, for a trial
    [plugins.mail.secrets]
    password = { file = "/run/keys/mail" }         # of `user`

Builds, where the jobset sends mail: one mail to each address of the jobset's override,
or else of the maintainers, about those of its builds that ended otherwise than before;
not about aborted and cancelled ones. Authors of commits get one where an input of the
jobset says so, the clone is at hand, and they are few.

Evaluations: a mail to the project's owner, if the owner wants it, when the jobset has
an error that differs from the one before.

What templates can say is in `mail_template`.
"""

from collections.abc import Sequence
from functools import cache
from typing import Annotated, Final

from msgspec import Meta, Struct

from hydra_notify_plugins.authors import cache_directory, commits_of
from hydra_notify_plugins.done import Done
from hydra_notify_plugins.jobs import compile_jobs, wanted
from hydra_notify_plugins.mail_letters import (
    Letter,
    build_key,
    build_letter,
    eval_key,
    eval_letter,
)
from hydra_notify_plugins.mail_recipients import (
    addresses,
    mailed,
    owner_of,
    recipients_of,
)
from hydra_notify_plugins.mail_server import (
    GREYLIST,
    PORTS,
    Connection,
    Refused,
    Security,
    Server,
)
from hydra_notify_plugins.mail_template import read_texts
from hydra_notify_plugins.mail_text import Writer
from hydra_notify_plugins.news import is_news
from hydra_notify_sdk import (
    AnyEvent,
    BuildEvent,
    Cancelled,
    ConfigProblem,
    Context,
    EvalEvent,
    Permanent,
    Plugin,
    Retry,
    Skipped,
)

EVENT_TIMEOUT: Final = 300.0
"""Seconds for one mail: several replies of a server; each mail starts them again."""

LOCAL: Final = frozenset({"localhost", "127.0.0.1", "::1"})
"""Where a password may go without TLS."""


class Settings(Struct):
    """See above; `port` 0 stands for that of the security."""

    sender: str
    host: str = "localhost"
    security: Security = "none"
    port: Annotated[int, Meta(ge=0, le=65_535)] = 0
    user: str = ""
    timeout: Annotated[float, Meta(gt=0, le=20)] = 20.0
    jobs: str = ""
    templates: str = ""
    scm_cache: str = ""
    redirect_to: str = ""


plugin = Plugin(
    "mail",
    "0.1.0",
    config=Settings,
    include=["dependents", "errorMsg", "evals", "previousBuild"],
    max_in_flight=4,
    timeout=EVENT_TIMEOUT,
)

done_in = cache(Done)
texts_in = cache(read_texts)


@plugin.on_start
def check(context: Context[Settings]) -> None:
    """Refuses what can never work."""
    settings, password = context.config, context.secrets.get("password", "")
    for key in ("sender", "redirect_to"):
        value: str = getattr(settings, key)
        found = list(addresses(value))
        if (value or key == "sender") and (len(found) != 1 or "@" not in found[0]):
            problem = f"is no address: {value!r}"
            raise ConfigProblem(f"settings.{key}", problem, fix="hydra@example.org")
    if settings.user and not password:
        fix = f"set it in [plugins.{context.instance}.secrets], or no settings.user"
        raise ConfigProblem("secrets.password", "is required for a login", fix=fix)
    if password and not settings.user:
        raise ConfigProblem("settings.user", "is required with secrets.password")
    if settings.user and settings.security == "none" and settings.host not in LOCAL:
        problem = "would send the password in plain text"
        fix = 'security = "starttls" or "tls"'
        raise ConfigProblem("settings.security", problem, fix=fix)
    compile_jobs(settings.jobs)
    texts_in.cache_clear()
    texts_in(settings.templates)
    done_in(context.state_dir)


@plugin.on("build_finished")
def tell_of_builds(event: BuildEvent, context: Context[Settings]) -> Skipped | None:
    """Mails what is news in one event to whom it concerns."""
    settings, data = context.config, event.data
    news = [each for each in wanted(compile_jobs(settings.jobs), data) if is_news(each)]
    if not news:
        return Skipped("nothing has changed")
    news = mailed(data, news)
    if not news:
        return Skipped("the jobset sends no mail")
    commits = commits_of(data, cache_directory(settings.scm_cache, context.hydra_data))
    recipients = recipients_of(data, news, commits)
    if not recipients:
        return Skipped("nobody to tell")
    done, text = done_in(context.state_dir), texts_in(settings.templates).build
    for to in recipients:
        to.builds = [
            each for each in to.builds if build_key(each, to.address) not in done
        ]
    writer = _writer(context)
    letters = (
        build_letter(event, to, commits, writer, text) for to in recipients if to.builds
    )
    return _send(event, context, list(letters))


@plugin.on("eval_added", "eval_failed")
def tell_of_errors(event: EvalEvent, context: Context[Settings]) -> Skipped | None:
    """Mails a new error of a jobset to the project's owner."""
    address, why_not = owner_of(event.data)
    if why_not:
        return Skipped(why_not)
    if eval_key(event, address) in done_in(context.state_dir):
        return _send(event, context, [])
    text = texts_in(context.config.templates).evaluation
    return _send(event, context, [eval_letter(event, address, _writer(context), text)])


def _writer(context: Context[Settings]) -> Writer:
    settings = context.config
    return Writer(settings.sender, context.base_url, settings.redirect_to)


def _send(
    event: AnyEvent, context: Context[Settings], letters: Sequence[Letter]
) -> Skipped | None:
    """Has the server take these mails, and notes those that it has taken.

    Raises:
        Retry: It may take some of them later; the others are done.
        Permanent: It will never take some of them.
    """
    if not letters:
        return Skipped("it has been mailed already")
    settings, done = context.config, done_in(context.state_dir)
    writer = _writer(context)
    server = Server(
        host=settings.host,
        port=settings.port or PORTS[settings.security],
        security=settings.security,
        user=settings.user,
        password=context.secrets.get("password", ""),
        name=writer.domain,
        timeout=settings.timeout,
    )
    later: list[str] = []
    never: list[str] = []
    with Connection(server) as connection:
        for number, letter in enumerate(letters):
            if event.cancelled:
                raise Cancelled(f"stopped after {number} of {len(letters)} mails")
            context.progress(f"mail {number + 1} of {len(letters)}")
            address = settings.redirect_to or letter.address
            try:
                connection.send(letter.mail, writer.address, address)
            except Refused as refusal:
                words = f"{letter.address}: {refusal}"
                (later if refusal.temporary else never).append(words)
            else:
                for key in letter.keys:
                    done.add(key)
    words = f"the mail server refused {'; '.join(later + never)}"
    if later:
        raise Retry(words, after=GREYLIST)
    if never:
        raise Permanent(words)
    return None


def main() -> None:
    """Works for the host until it hangs up."""
    plugin.run()


if __name__ == "__main__":
    main()
