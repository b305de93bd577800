"""Puts events into a stream of NATS JetStream, as CloudEvents 1.0 in JSON.

    [plugins.nats]
    command = ["hydra-notify-nats-relay"]

    [plugins.nats.settings]
    servers = ["nats://nats.example.org:4222"]    # or tls://; one after the other
    subject = "hydra.{event}.{project}.{jobset}"  # also {job}, {system}, {status}
    stream = "HYDRA"          # refuse to be stored in another one; empty: any
    timeout = 5               # seconds for the stream's answer, 20 at most

    [plugins.nats.secrets]
    token = { file = "/run/keys/nats-token" }     # or user and password

An event is delivered when the stream has said that it has stored it. `Nats-Msg-Id` is
the event's id, so that the stream drops a repetition within its `duplicate_window`; a
repetition that comes later is dropped by the plugin, which remembers for a month what
the stream has stored.

In a subject each part is one word: dots and spaces in the names of jobs, and what NATS
gives a meaning, become `_`, and what an event does not have is `-`. (Such are `{job}`,
`{system}` and `{status}`, Hydra's number, of evaluations.) Filter by `hydra.>` or
`hydra.build_finished.nixpkgs.*`. A stream that takes the subjects has to exist.
"""

import re
import string
from pathlib import Path
from typing import Annotated, Final
from urllib.parse import urlsplit

from msgspec import Meta, Struct

from hydra_notify_plugins.done import Done
from hydra_notify_plugins.nats_stream import MOST_SERVERS, Credentials, Stream
from hydra_notify_sdk import (
    AnyEvent,
    BuildEventData,
    ConfigProblem,
    Context,
    Plugin,
)

MOST_TIMEOUT: Final = 20.0
"""Seconds: an event has 60, and the servers may have to be tried before."""

NO_TOKEN: Final = re.compile(r"[\s.*>\x00-\x1f\x7f]")
"""What ends a part of a subject, or means more than itself."""

FIELDS: Final = ("event", "project", "jobset", "job", "system", "status")


class Settings(Struct):
    """See above."""

    servers: Annotated[list[str], Meta(min_length=1, max_length=MOST_SERVERS)]
    subject: str = "hydra.{event}.{project}.{jobset}"
    stream: str = ""
    timeout: Annotated[float, Meta(gt=0, le=MOST_TIMEOUT)] = 5.0


plugin = Plugin(
    "nats-relay",
    "1.0",
    config=Settings,
    include=["dependents", "evals"],
    max_in_flight=32,
    timeout=60,
)
streams: dict[Path, tuple[Stream, Done]] = {}
"""By state directory: in a process there is one."""


@plugin.on_start
def start(context: Context[Settings]) -> None:
    """Refuses what can never work. It connects for the first event."""
    config, secrets = context.config, context.secrets
    for number, server in enumerate(config.servers):
        check_server(server, f"settings.servers[{number}]")
    check_subject(config.subject)
    if "password" in secrets and "user" not in secrets:
        raise ConfigProblem("secrets.user", "is required", fix="beside the password")
    streams[context.state_dir] = (
        Stream(
            config.servers,
            Credentials(
                *(secrets.get(name, "").strip() or None for name in Credentials._fields)
            ),
            name=config.stream or None,
            timeout=config.timeout,
        ),
        Done(context.state_dir),
    )


@plugin.on("*")
def relay(event: AnyEvent, context: Context[Settings]) -> None:
    """Has one event stored."""
    stream, done = streams[context.state_dir]
    if (event.redelivered or event.attempt > 1) and event.id in done:
        # The stream may have forgotten that it has it.
        return
    subject = subject_of(event, context.config.subject)
    answer = stream.publish(subject, event.cloudevent, event.id)
    done.add(event.id)
    context.log.debug("%s: %s %d", event.id, answer.stream, answer.seq)


def subject_of(event: AnyEvent, template: str) -> str:
    """Where an event goes; each part that is filled in is one word."""
    data = event.data
    values: dict[str, object] = {
        "event": event.name,
        "project": data.project,
        "jobset": data.jobset,
    }
    if isinstance(data, BuildEventData):
        values |= {"job": data.job, "system": data.system, "status": data.build_status}
    words: dict[str, str] = {}
    for name in FIELDS:
        value = values.get(name)
        text = "-" if value is None or value == "" else str(value)
        words[name] = NO_TOKEN.sub("_", text)
    return template.format_map(words)


def check_server(url: str, key: str) -> None:
    """Refuses what is no server, or has a secret in it."""
    try:
        parts = urlsplit(url)
        usable = parts.scheme in ("nats", "tls") and bool(parts.hostname)
        _ = parts.port
    except ValueError:
        raise ConfigProblem(key, "is no address", fix="nats://HOST:4222") from None
    if not usable:
        raise ConfigProblem(key, "is no server of NATS", fix="nats://HOST:4222")
    if "@" in parts.netloc:
        problem = "has a name or a password in it, which would be seen in logs"
        raise ConfigProblem(key, problem, fix="set secrets.user and secrets.password")


def check_subject(template: str) -> None:
    """Refuses a template that cannot become a subject."""
    key = "settings.subject"
    try:
        parts = list(string.Formatter().parse(template))
    except ValueError as error:
        raise ConfigProblem(key, f"is no template: {error}") from None
    for _, name, form, conversion in parts:
        if name is not None and (name not in FIELDS or form or conversion):
            fix = " ".join(f"{{{field}}}" for field in FIELDS)
            raise ConfigProblem(key, f"{{{name}}} cannot be filled in", fix=fix)
    filled = template.format(**dict.fromkeys(FIELDS, "x"))
    if re.search(r"[\s*>]|^\.|\.\.|\.$|^$", filled) or filled.startswith("$"):
        raise ConfigProblem(key, "is no subject", fix="words with single dots between")


def main() -> None:
    """Works for the host."""
    plugin.run()


if __name__ == "__main__":
    main()
