"""Hosts with something to do for somebody."""

import msgspec
from tests.browser.samples.well import (
    FLAT,
    NOW,
    changed,
    finished,
    healthy,
    judged,
    plugin,
    wave,
)

from hydra_notify.metrics import PluginState
from hydra_notify.status import (
    DatabaseStatus,
    DeadLetter,
    HostStatus,
    Latency,
    Link,
    PendingStatus,
    Retrying,
    Trend,
)

TRACEBACK = [
    "forge: starting",
    "Traceback (most recent call last):",
    *(
        f'  File "/opt/forge/forge/part{i}.py", line {i * 17}, in call_{i}\n    go()'
        for i in range(1, 23)
    ),
    "ConnectionRefusedError: [Errno 111] Connection refused",
    "forge: cannot reach https://git.example.org/api/v1: giving up",
]


def flapping() -> HostStatus:
    """One plugin crashes again and again, another is refused, one was paused."""
    status = healthy()
    forge = plugin(
        "forge",
        state=PluginState.FLAPPING,
        pid=None,
        started_at=None,
        next_start_at=NOW + 41,
        window=8,
        in_flight=0,
        queued=37,
        retrying=2,
        next_retry_at=NOW + 9,
        restarts=14,
        ends={"crash": 13, "hang": 1},
        rate=FLAT,
        latency=Latency(),
        last_error="it ended with exit status 1; stderr: ConnectionRefusedError:"
        " [Errno 111] Connection refused",
        last_error_at=NOW - 19,
        stderr=TRACEBACK,
        degraded=["memory: 256 MiB (there is no cgroup: see the service's unit)"],
    )
    mail = plugin(
        "mail",
        state=PluginState.BLOCKED,
        held_until=NOW + 240,
        in_flight=0,
        queued=12,
        retrying=1,
        next_retry_at=NOW + 240,
        last_error="401: the mail server refuses the password of hydra@example.org",
        last_error_at=NOW - 60,
        rate=FLAT,
    )
    status = changed(
        status,
        plugins=[
            status.plugins[0],
            forge,
            mail,
            plugin("metrics", required=False, paused=True, queued=12, in_flight=0),
        ],
        in_flight=status.in_flight[:1],
        in_flight_count=1,
        retrying=[
            Retrying(
                "forge",
                finished(88_100 + i),
                3 + i,
                NOW + 9 + 60 * i,
                NOW - 900,
                "it ended with exit status 1",
            )
            for i in range(2)
        ]
        + [Retrying("mail", finished(88_090), 2, NOW + 240, NOW - 300, "401: refused")],
        retrying_count=3,
        pending=PendingStatus(52, NOW - 905, NOW - 8),
        open_events=52,
    )
    return judged(status)


def database_gone() -> HostStatus:
    status = healthy()
    status = changed(
        status,
        database=DatabaseStatus(
            address="postgresql://hydra@db.example.org/hydra",
            link=Link.LOST,
            since=NOW - 190,
            connects=1,
            errors=131,
            last_error="connection to server at db.example.org, port 5432 failed:"
            " Connection refused. Is the server running on that host?",
        ),
        events=Trend(10.0, wave(6.0).values[:40] + [0.0] * 20),
        deliveries=Trend(10.0, wave(22.0).values[:40] + [0.0] * 20),
        cleared=Trend(10.0, wave(5.0).values[:40] + [0.0] * 20),
        plugins=[
            msgspec.structs.replace(p, in_flight=0, rate=FLAT) for p in status.plugins
        ],
        in_flight=[],
        in_flight_count=0,
        pending=PendingStatus(3, NOW - 194, NOW - 192),
    )
    return judged(status, "connection refused")


def dead_letters() -> HostStatus:
    status = healthy()
    dead = [
        DeadLetter(
            "chat",
            finished(87_000 + i),
            9 + i,
            0,
            NOW - 3_600 * i - 60,
            False,
            "404: the room #builds does not exist",
        )
        for i in range(3)
    ]
    dead += [
        DeadLetter(
            "forge",
            "eval_failed:7f3a1c:12",
            3,
            4,
            NOW - 90_000,
            False,
            "it ended while this was in flight, for the fourth time",
        ),
        DeadLetter("irc", finished(60_000), 22, 0, NOW - 864_000, True, "no such host"),
    ]
    status = changed(
        status,
        plugins=[plugin("chat", dead=3), plugin("forge", dead=1), *status.plugins[2:]],
        dead=dead,
        dead_count=5,
        pending=PendingStatus(4, NOW - 864_000, NOW - 5),
    )
    return judged(status)


def polling() -> HostStatus:
    status = healthy()
    status = changed(
        status,
        database=msgspec.structs.replace(status.database, link=Link.POLLING),
        config_reload_failures=1,
    )
    return judged(status)
