"""Hosts with too much of everything, and of the worst."""

from tests.browser.samples.well import (
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
    Health,
    HostStatus,
    InFlight,
    Link,
    PendingStatus,
    Problem,
    Retrying,
)


def thousand_queued() -> HostStatus:
    status = healthy()
    many = [
        InFlight("chat", finished(90_000 + i), 1, i % 9 == 0, NOW - 12 + i / 10)
        for i in range(64)
    ]
    status = changed(
        status,
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
    return judged(status)


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
            Problem(
                "plugin-disabled", "critical", HOSTILE + long_word, HOSTILE, long_name
            )
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
            DeadLetter(
                HOSTILE, f"{HOSTILE}:{long_word}", 1, 1, NOW - 5, False, HOSTILE
            ),
            DeadLetter(long_name, finished(2**31 - 1), 1, 0, -5.0, False, long_word),
        ],
        dead_count=1_234_567,
    )
