"""What became of a build."""

from tests.browser.samples.well import NOW, finished

from hydra_notify.status import (
    Answer,
    BuildStory,
    EventStory,
)


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
