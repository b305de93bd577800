"""Hosts in every state that the page has to show well."""

import math

import msgspec

from hydra_notify.metrics import LedgerState, PluginState, Role
from hydra_notify.status import (
    Answer,
    BuildStory,
    DatabaseStatus,
    DeadLetter,
    EventStory,
    Health,
    HostStatus,
    InFlight,
    Latency,
    Link,
    PendingStatus,
    PluginStatus,
    Problem,
    Retrying,
    Trend,
)

NOW = 1_795_543_203.0
"""2026-11-24 18:00:03 UTC."""


def wave(most: float, *, turns: float = 2.3) -> Trend:
    """A rate that goes up and down, always in the same way."""
    values = []
    for i in range(60):
        slow, quick = math.sin(i / 60 * turns * math.tau), math.sin(i * 1.9) * 0.35
        values.append(round(most * max(0.02, 0.5 + 0.37 * (slow + quick)), 3))
    return Trend(10.0, values)


FLAT = Trend(10.0, [0.0] * 60)


def plugin(name: str, **changes: object) -> PluginStatus:
    """A plugin that is well."""
    well = PluginStatus(
        name=name,
        state=PluginState.READY,
        paused=False,
        required=True,
        program=f"{name} 1.4.0",
        command=[f"hydra-notify-{name}", "--quiet"],
        pid=4_711,
        started_at=NOW - 93_000,
        next_start_at=None,
        held_until=None,
        window=8,
        in_flight=2,
        queued=0,
        retrying=0,
        next_retry_at=None,
        dead=0,
        delivered=18_234,
        failed=3,
        rate=wave(4.0, turns=3.1),
        latency=Latency(0.042, 0.350, 812),
        restarts=0,
        ends={},
        last_error="",
        last_error_at=None,
        stderr=[f"{name}: listening", f"{name}: 200 OK in 41 ms"],
        enforced=["memory: 256 MiB", "no new privileges"],
        degraded=[],
    )
    return msgspec.structs.replace(well, **changes)


def finished(build: int) -> str:
    return f"build_finished:{build}:{build + 1_700_000_000}-{build + 1_700_000_060}:0"


def healthy() -> HostStatus:
    """Four plugins, all well, some work."""
    return HostStatus(
        version="0.1.0",
        machine="ci-1.example.org",
        base_url="https://hydra.example.org",
        now=NOW,
        started_at=NOW - 93_000,
        health=Health.OK,
        words="All plugins are told of everything.",
        problems=[],
        role=Role.ACTIVE,
        stopping=False,
        database=DatabaseStatus(
            address="postgresql://hydra@db.example.org/hydra",
            link=Link.LISTENING,
            since=NOW - 93_000,
            connects=1,
            errors=0,
            last_error="",
        ),
        ledger=LedgerState.ACTIVE,
        inbox=0,
        open_events=3,
        pending=PendingStatus(3, NOW - 4, NOW - 12),
        events=wave(6.0),
        deliveries=wave(22.0),
        cleared=wave(5.5),
        plugins=[
            plugin("chat"),
            plugin("forge", program="gitea 0.3.1", latency=Latency(0.120, 1.4, 812)),
            plugin("mail", window=1, in_flight=0, rate=wave(0.4, turns=5.2)),
            plugin("metrics", required=False, latency=Latency(0.0021, 0.0093, 9_120)),
        ],
        in_flight=[
            InFlight("chat", finished(88_123), 1, False, NOW - 0.2),
            InFlight("forge", finished(88_123), 1, False, NOW - 1.4),
        ],
        in_flight_count=2,
        retrying=[],
        retrying_count=0,
        dead=[],
        dead_count=0,
        config_reloads=2,
        config_reload_failures=0,
    )


def changed(status: HostStatus, **changes: object) -> HostStatus:
    return msgspec.structs.replace(status, **changes)


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
    return changed(
        status,
        health=Health.DEGRADED,
        words="2 of 4 plugins are not told: forge, mail. Everything is kept for them.",
        problems=[
            Problem(
                "plugin-flapping",
                "critical",
                "forge ended 14 times, each time within 10 s of its start",
                "read its stderr below; mend it, then: hydra-notify plugin restart forge",
                "forge",
            ),
            Problem(
                "plugin-blocked",
                "critical",
                "mail: its service refuses the credentials (401)",
                "put a valid password into /etc/hydra/mail.pw; it is read again by itself",
                "mail",
            ),
            Problem(
                "plugin-paused",
                "warning",
                "metrics is paused and 12 deliveries wait",
                "hydra-notify plugin resume metrics",
                "metrics",
            ),
        ],
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


def database_gone() -> HostStatus:
    status = healthy()
    return changed(
        status,
        health=Health.DOWN,
        words="Postgres cannot be reached, so no notification comes and none is sent.",
        problems=[
            Problem(
                "database-lost",
                "critical",
                "no connection to postgresql://hydra@db.example.org/hydra for 3 min:"
                " connection refused",
                "on db.example.org: systemctl status postgresql; this host goes on by"
                " itself as soon as it answers",
            )
        ],
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
        plugins=[msgspec.structs.replace(p, in_flight=0) for p in status.plugins],
        in_flight=[],
        in_flight_count=0,
        pending=PendingStatus(3, NOW - 194, NOW - 192),
    )


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
    return changed(
        status,
        health=Health.DEGRADED,
        words="Everything is delivered now, but 5 deliveries were given up.",
        problems=[
            Problem(
                "dead-letters",
                "warning",
                "5 deliveries were given up; the flags of 4 builds wait for a decision",
                "see below why; retry them, or drop them",
            )
        ],
        plugins=[plugin("chat", dead=3), plugin("forge", dead=1), *status.plugins[2:]],
        dead=dead,
        dead_count=5,
        pending=PendingStatus(4, NOW - 864_000, NOW - 5),
    )


def thousand_queued() -> HostStatus:
    status = healthy()
    many = [
        InFlight("chat", finished(90_000 + i), 1, i % 9 == 0, NOW - 12 + i / 10)
        for i in range(64)
    ]
    return changed(
        status,
        words="A burst is being worked off.",
        inbox=3_412,
        open_events=12_480,
        events=wave(1_840.0),
        deliveries=wave(7_360.0),
        cleared=wave(1_700.0),
        plugins=[
            plugin("chat", window=64, in_flight=64, queued=1_000, rate=wave(310.0)),
            plugin("forge", window=32, in_flight=32, queued=11_416, rate=wave(190.0)),
            *(plugin(f"webhook-{i}", in_flight=i, queued=i * 111) for i in range(1, 9)),
        ],
        in_flight=many,
        in_flight_count=132,
        pending=PendingStatus(12_480, NOW - 75, NOW - 3),
    )


def empty() -> HostStatus:
    """Just installed: no plugin, nothing has happened."""
    return changed(
        healthy(),
        started_at=NOW - 180,
        health=Health.DEGRADED,
        words="No plugin is configured: nobody is told of anything.",
        problems=[
            Problem(
                "no-plugins",
                "warning",
                "no plugin is configured",
                "add a table [plugins.NAME] to /etc/hydra-notify.toml, then: systemctl"
                " reload hydra-notify",
            )
        ],
        plugins=[],
        in_flight=[],
        in_flight_count=0,
        open_events=0,
        pending=PendingStatus(0, None, None),
        events=FLAT,
        deliveries=FLAT,
        cleared=FLAT,
        ledger=LedgerState.ABSENT,
        config_reloads=0,
    )


def standby() -> HostStatus:
    return changed(
        empty(),
        health=Health.OK,
        words="Standing by: another host is active, this one takes over when it is gone.",
        problems=[],
        role=Role.STANDBY,
        ledger=LedgerState.UNKNOWN,
    )


def starting() -> HostStatus:
    return changed(
        empty(),
        health=Health.DOWN,
        words="Starting: waiting for Hydra's database.",
        problems=[],
        role=Role.STARTING,
        started_at=NOW - 2,
        ledger=LedgerState.UNKNOWN,
    )


def stopping() -> HostStatus:
    return changed(
        healthy(),
        health=Health.DEGRADED,
        words="Stopping: plugins finish what they were sent.",
        stopping=True,
        plugins=[plugin("chat", state=PluginState.DRAINING), plugin("mail", state="stopped")],
    )


def polling() -> HostStatus:
    status = healthy()
    return changed(
        status,
        health=Health.DEGRADED,
        words="Builds are found by looking, up to 5 s late; the nine other channels are lost.",
        problems=[
            Problem(
                "listen-does-not-work",
                "warning",
                "LISTEN does not work over this connection: a pooler is in between",
                "name Postgres itself in database.url, not PgBouncer in transaction mode",
            )
        ],
        database=msgspec.structs.replace(status.database, link=Link.POLLING),
        config_reload_failures=1,
    )


HOSTILE = (
    "<script>alert(1)</script><img src=x onerror=alert(2)> \"'&amp; \x1b[31mred\x1b[0m"
    " \x1b]0;title\x07 \u202etxet desrever\u202c \u05e9\u05dc\u05d5\u05dd \x00\x7f"
)


def hostile() -> HostStatus:
    """Everything that others write is as bad as it can be."""
    long_name = "a" + "very-long-name_" * 4 + "zz"
    long_word = "x" * 400
    return changed(
        healthy(),
        health=Health.DEGRADED,
        words=HOSTILE,
        machine=HOSTILE,
        version=HOSTILE,
        base_url=f"https://hydra.example.org/{HOSTILE}",
        problems=[
            Problem("plugin-disabled", "critical", HOSTILE + long_word, HOSTILE, long_name)
        ],
        database=DatabaseStatus(
            address=HOSTILE,
            link=Link.POLLING,
            since=NOW - 5,
            connects=3,
            errors=2,
            last_error=HOSTILE + long_word,
        ),
        plugins=[
            plugin(
                long_name,
                state=PluginState.DISABLED,
                program=HOSTILE,
                command=[HOSTILE, long_word],
                ends={HOSTILE: 3, long_word: 1},
                last_error=HOSTILE + "\n" + long_word,
                last_error_at=NOW - 4,
                stderr=[HOSTILE, long_word, "", "\tindented"] * 13,
                enforced=[HOSTILE],
                degraded=[long_word],
                queued=10**12,
                delivered=10**15,
            ),
        ],
        in_flight=[InFlight(HOSTILE, f"eval_added:{HOSTILE}:3", 1, True, NOW - 5)],
        retrying=[Retrying(HOSTILE, long_word, 7, NOW + 5, NOW - 9, HOSTILE)],
        retrying_count=1,
        dead=[
            DeadLetter(HOSTILE, f"{HOSTILE}:{long_word}", 1, 1, NOW - 5, False, HOSTILE),
            DeadLetter(long_name, finished(2**31 - 1), 1, 0, -5.0, False, long_word),
        ],
        dead_count=1_234_567,
    )


HOSTS = {
    "healthy": healthy,
    "flapping": flapping,
    "database-gone": database_gone,
    "dead-letters": dead_letters,
    "thousand-queued": thousand_queued,
    "empty": empty,
    "standby": standby,
    "starting": starting,
    "stopping": stopping,
    "polling": polling,
    "hostile": hostile,
}


def story() -> BuildStory:
    """A build that one plugin got at once, one late, and one not at all."""
    queued = "build_queued:88123"
    done = finished(88_123)
    at = NOW - 900
    return BuildStory(
        build=88_123,
        known=True,
        job="nixpkgs:trunk:hello.x86_64-linux",
        finished=True,
        buildstatus=0,
        pending_since=at,
        events=[
            EventStory(
                queued,
                "build_queued",
                [],
                [],
                [
                    Answer(at - 95.0, "", "seen"),
                    Answer(at - 94.96, "chat", "delivered", 1),
                    Answer(at - 94.91, "mail", "delivered", 1),
                ],
            ),
            EventStory(
                done,
                "build_finished",
                ["forge"],
                ["irc"],
                [
                    Answer(at + 0.2, "", "seen"),
                    Answer(at + 0.242, "chat", "delivered", 1),
                    Answer(at + 0.4, "mail", "failed", 1, "451: try again later"),
                    Answer(at + 2.7, "mail", "failed", 2, "451: try again later"),
                    Answer(at + 6.9, "mail", "delivered", 3),
                    Answer(at + 0.5, "forge", "failed", 1, "it ended with status 1"),
                    Answer(at + 31.0, "forge", "failed", 2, "it ended with status 1"),
                    Answer(at + 0.3, "irc", "given up", 1, "404: no such channel"),
                ],
            ),
        ],
        remembered_since=NOW - 40_000,
    )
