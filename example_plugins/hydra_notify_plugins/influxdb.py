"""Sends how builds ended to InfluxDB: Hydra's InfluxDBNotification.

    [plugins.influxdb]
    command = ["hydra-notify-influxdb"]

    [plugins.influxdb.settings]
    url = "https://influxdb.example.org:8086"
    db = "hydra"            # InfluxDB 1: the database
    username = ""           # InfluxDB 1, where it wants to know who writes
    org = ""                # InfluxDB 2, in place of `db`: the organisation
    bucket = ""             # and the bucket
    host = ""               # the tag `host`; this machine's full name if not set
    jobs = ""               # a regular expression for project:jobset:job; "" is all
    timeout = 20            # seconds for one request

    [plugins.influxdb.secrets]
    password = { file = "/run/keys/influxdb" }      # InfluxDB 1, with `username`
    token = { file = "/run/keys/influxdb-token" }   # InfluxDB 2

Measurement, tags and fields are those of Hydra's plugin, so that its dashboards go on
working:

    hydra_build_status
    tags     cached, host, job, jobset, project, repo, result, status, system
    fields   build_id, build_status, closure_size, duration, main_build_id, queued, size

One request per event carries the build and those that ended with it. A point's time is
the second in which its build stopped: sent again, it replaces itself.
"""

import re
import socket
from functools import cache
from typing import Annotated, Final

from msgspec import Meta, Struct

from hydra_notify_plugins.http import TIMEOUT, Service, web_address
from hydra_notify_plugins.jobs import compile_jobs, wanted
from hydra_notify_sdk import (
    BuildEvent,
    ConfigProblem,
    Context,
    Permanent,
    Plugin,
    Retry,
    Skipped,
)
from hydra_notify_sdk.wire import BuildDocument

MEASUREMENT: Final = "hydra_build_status"

EVENT_TIMEOUT: Final = 30.0
"""Seconds for one event, as the host counts them."""

_RESULTS: Final = {
    0: "success",
    1: "failure",
    2: "dependency-failed",
    4: "cancelled",
    6: "failed-with-output",
    7: "timed-out",
    9: "unsupported-system",
    10: "log-limit-exceeded",
    11: "output-limit-exceeded",
    12: "non-deterministic-build",
}
_CLASSES: Final = {0: "success"} | dict.fromkeys((3, 4, 8, 10, 11), "canceled")


class Settings(Struct):
    """See above; either `db`, or `org` and `bucket`."""

    url: str
    db: str = ""
    username: str = ""
    org: str = ""
    bucket: str = ""
    host: str = ""
    jobs: str = ""
    timeout: Annotated[float, Meta(gt=0, lt=EVENT_TIMEOUT)] = TIMEOUT


plugin = Plugin(
    "influxdb",
    "0.1.0",
    config=Settings,
    include=["dependents"],
    max_in_flight=8,
    # Points are in order by their time, whenever they come.
    ordering="none",
    timeout=EVENT_TIMEOUT,
)
service = Service("InfluxDB")


@plugin.on_start
def check(context: Context[Settings]) -> None:
    """Refuses what can never work."""
    config = context.config
    web_address(config.url)
    compile_jobs(config.jobs)
    if config.db and (config.org or config.bucket):
        problem = "is a database of InfluxDB 1, org and bucket are of InfluxDB 2"
        raise ConfigProblem("settings.db", problem, fix="leave out one or the other")
    if not config.db:
        for name in ("bucket", "org"):
            if not getattr(config, name):
                fix = f'{name} = "hydra" for InfluxDB 2, db = "hydra" for InfluxDB 1'
                raise ConfigProblem(f"settings.{name}", "is required", fix=fix)
        if not context.secrets.get("token"):
            fix = f"set it in [plugins.{context.instance}.secrets]"
            raise ConfigProblem("secrets.token", "is required", fix=fix)
    if bool(config.username) is not bool(context.secrets.get("password")):
        missing = "secrets.password" if config.username else "settings.username"
        fix = "InfluxDB 1 wants both, or neither"
        raise ConfigProblem(missing, "is required", fix=fix)


@plugin.on("build_finished")
def send(event: BuildEvent, context: Context[Settings]) -> Skipped | None:
    """Writes a point for the build, and for each that ended with it."""
    data = event.data
    builds = wanted(compile_jobs(context.config.jobs), data)
    host = context.config.host or own_name()
    points = [text for each in builds if (text := point(each, data.build, host))]
    if "dependents" in (data.truncated or ()):
        lost = len(data.dependent_ids or ()) - len(data.dependents or ())
        context.log.warning("too large an event: no points for %d dependents", lost)
    if not points:
        return Skipped("none of its builds is for this plugin")
    write("\n".join(points), event.id, context)
    return None


def write(points: str, name: str, context: Context[Settings]) -> None:
    """Sends points.

    Args:
        points: In line protocol.
        name: Of the request, for InfluxDB's log.
        context: The plugin's.

    Raises:
        Failure: They are not, or only partly, taken.
    """
    config, secrets = context.config, context.secrets
    headers = {"Content-Type": "text/plain; charset=utf-8", "X-Request-Id": name}
    if "token" in secrets:
        headers["Authorization"] = f"Token {secrets['token']}"
    if config.db:
        path, params = "/write", {"db": config.db}
    else:
        path, params = "/api/v2/write", {"org": config.org, "bucket": config.bucket}
    try:
        service.post(
            web_address(config.url) + path,
            params={**params, "precision": "s"},
            headers=headers,
            auth=(config.username, secrets["password"]) if config.username else None,
            content=points.encode(),
            timeout=config.timeout,
        )
    except Permanent as error:
        if error.code != 404:
            raise
        fix = "create the database or the bucket, or name the one that is there"
        raise Retry(error.message, code=404, fix=fix) from error


def point(build: BuildDocument, head: int, host: str) -> str:
    """A build in InfluxDB's line protocol; "" while it has not ended.

    Args:
        build: The build.
        head: The number of the build that the event is about.
        host: Of the machine that says so.
    """
    stop, status = build.stop_time, build.build_status
    if stop is None or status is None:
        return ""
    start = stop if build.start_time is None else build.start_time
    repo, pulled, _ = build.jobset.rpartition(".pr-")
    tags = {
        "cached": "true" if build.is_cached_build else "false",
        "host": host,
        "job": build.job,
        "jobset": build.jobset,
        "project": build.project,
        "repo": repo if pulled else build.jobset,
        "result": _RESULTS.get(status, "aborted"),
        "status": _CLASSES.get(status, "failed"),
        "system": build.system,
    }
    fields = {
        "build_id": f'"{build.build}"',
        "build_status": f"{status}i",
        "closure_size": f"{build.closure_size or 0}i",
        "duration": f"{stop - start}i",
        "main_build_id": f'"{head}"',
        "queued": f"{max(0, start - build.timestamp)}i",
        "size": f"{build.size or 0}i",
    }
    # InfluxDB takes no tag without a value.
    shown = {name: text for name, value in tags.items() if (text := tag(value))}
    series = ",".join([MEASUREMENT, *map("=".join, shown.items())])
    return f"{series} {','.join(map('='.join, fields.items()))} {stop}"


def tag(value: str) -> str:
    """A tag's value as line protocol writes it.

    It has no form for a line's end, nor for a backslash at the end: they are left out.
    """
    plain = " ".join(value.split("\n")).replace("\r", "").rstrip("\\")
    return re.sub(r"[,= ]", r"\\\g<0>", plain)


@cache
def own_name() -> str:
    """The full name of this machine, as far as it knows."""
    return socket.getfqdn()


def main() -> None:
    """Runs the plugin."""
    plugin.run()


if __name__ == "__main__":
    main()
