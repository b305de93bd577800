"""The chat plugin against a real web server."""

import json
from pathlib import Path
from typing import Any

import pytest
from tests.clones import between, clone_of, restarted
from tests.plugin_check import untried

from hydra_notify.kit.sink import Reply, Sink
from hydra_notify_plugins import slack
from hydra_notify_plugins.authors import MOST_AUTHORS
from hydra_notify_sdk import BuildEventData
from hydra_notify_sdk.testing import Host, Sample, StartFailed, drive, sample_event
from hydra_notify_sdk.wire import PreviousBuild, Verdict

BASE = "https://hydra.example.org"


def start(sink: Sink, state: Path, hydra_data: str = "", **settings: object) -> Host:
    secrets = {"url": f"{sink.url}/services/T/B/secret\n"}
    return drive(
        slack.plugin,
        config=settings,
        secrets=secrets,
        state_dir=state,
        hydra_data=hydra_data,
    )


def sample(status: int = 1, before: int | None = 0) -> Sample[BuildEventData]:
    """A build without dependents; `before` is how the one before it ended."""
    event = sample_event("build_finished", status=status)
    event.data.dependents = []
    previous = None
    if before is not None:
        assert event.data.previous_build
        previous = PreviousBuild(
            id=4630, build_status=before, eval=event.data.previous_build.eval
        )
    event.data.previous_build = previous
    return event


def said(sink: Sink) -> dict[str, Any]:
    """The attachment of the last message."""
    (attachment,) = json.loads(sink.calls[-1].body)["attachments"]
    assert isinstance(attachment, dict)
    return attachment


def test_a_message_says_all_that_hydras_said(sink: Sink, tmp_path: Path) -> None:
    event = sample_event("build_finished")
    start(sink, tmp_path).send(event).raise_for_failure()
    (call,) = sink.calls
    assert call.line == "POST /services/T/B/secret"
    assert call.headers["content-type"] == "application/json"
    job = "nixpkgs:trunk:hello.x86_64-linux"
    page = f"{BASE}/job/nixpkgs/trunk/hello.x86_64-linux"
    assert json.loads(call.body) == {
        "attachments": [
            {
                "fallback": f"Job {job} build number 4711 (and 2 others): Failed",
                "color": "#a30200",
                "title": f"Job {job} build number 4711",
                "title_link": f"{BASE}/build/4711",
                "text": f"Job <{page}|{job}> (and 2 others): "
                f"<{BASE}/build/4711|Failed> in 1m 40s "
                f"(before: <{BASE}/build/4630|succeeded>)\n"
                f"• <{BASE}/build/4712|nixpkgs:trunk:greeter.x86_64-linux>: "
                "Dependency failed\n"
                f"• <{BASE}/build/4713|nixpkgs:trunk:Grüße ☃.x86_64-linux>: "
                "Dependency failed",
                "footer": "hello-2.12 on x86_64-linux",
                "ts": 1_767_607_200,
            }
        ]
    }


@pytest.mark.parametrize(
    ("status", "before", "told"),
    [
        (0, 0, False),
        (0, 1, True),
        (0, None, True),
        (1, 0, True),
        (1, 1, False),
        (1, 2, True),
        (3, 0, False),
        (4, 0, False),
        (3, None, False),
        (99, 0, True),
    ],
)
def test_only_a_change_is_told_unless_it_is_forced(
    sink: Sink, tmp_path: Path, status: int, before: int | None, told: bool
) -> None:
    outcome = start(sink, tmp_path).send(sample(status, before))
    assert (outcome.delivered, len(sink.calls)) == (told, int(told))
    forced = start(sink, tmp_path, force=True).send(sample(status, before))
    assert forced.delivered is not told, "what was told is not told again"
    assert len(sink.calls) == 1


@pytest.mark.parametrize(
    ("status", "colour", "word"),
    [
        (0, "#2eb886", "Success"),
        (2, "#a30200", "Dependency failed"),
        (4, "#daa038", "Cancelled"),
        (99, "#a30200", "Failed (status 99)"),
    ],
)
def test_the_colour_and_the_words_are_the_status(
    sink: Sink, tmp_path: Path, status: int, colour: str, word: str
) -> None:
    assert start(sink, tmp_path, force=True).send(sample(status, None)).delivered
    message = said(sink)
    assert message["color"] == colour
    assert message["text"].endswith(f"|{word}> in 1m 40s")


def test_jobs_are_an_expression_on_the_whole_name(sink: Sink, tmp_path: Path) -> None:
    host = start(sink, tmp_path, jobs=r"nixpkgs:trunk:gree.*")
    assert host.send(sample()).skipped == "other jobs"
    host.send("build_finished").raise_for_failure()
    message = said(sink)
    assert message["title"].startswith("Job nixpkgs:trunk:greeter.x86_64-linux")
    assert "(and" not in message["text"], "it is about the one that was asked for"


def test_many_builds_are_counted_and_some_are_named(sink: Sink, tmp_path: Path) -> None:
    event = sample_event("build_finished")
    assert event.data.dependents
    event.data.dependents *= 10
    event.data.truncated = ["dependents"]
    start(sink, tmp_path).send(event).raise_for_failure()
    message = said(sink)
    assert "(and at least 20 others)" in message["text"]
    assert len(message["text"].splitlines()) == 1 + slack.LISTED + 1
    assert message["text"].endswith("• and 15 more")


def test_what_slack_reads_as_markup_is_escaped(sink: Sink, tmp_path: Path) -> None:
    event = sample()
    event.data.job = "<!channel>&|"
    start(sink, tmp_path).send(event).raise_for_failure()
    assert "|nixpkgs:trunk:&lt;!channel&gt;&amp;/>" in said(sink)["text"]


def test_a_repetition_is_not_told_again(sink: Sink, tmp_path: Path) -> None:
    first, second = start(sink, tmp_path).send_twice("build_finished")
    assert first.delivered
    assert second.skipped == "it has been told already"
    assert len(sink.calls) == 1


def test_a_list_that_came_in_parts_repeats_nothing(sink: Sink, tmp_path: Path) -> None:
    """Hydra splits a long list of dependents; each part has the same head."""
    host = start(sink, tmp_path)
    first = sample_event("build_finished")
    assert first.data.dependents
    second = sample_event("build_finished")
    second.id += ":2"
    second.data.dependents = [first.data.dependents.pop()]
    host.send(first).raise_for_failure()
    host.send(second).raise_for_failure()
    assert len(sink.calls) == 2
    assert said(sink)["title_link"] == f"{BASE}/build/4713"
    assert "4711" not in sink.calls[1].body.decode()


@pytest.mark.parametrize(
    ("reply", "verdict", "code"),
    [
        (Reply(429, headers={"Retry-After": "7"}), Verdict.PAUSE, 429),
        (Reply(500, body=b"rollup_error"), Verdict.RETRY, 500),
        (Reply(None), Verdict.RETRY, 504),
        (Reply(401), Verdict.BLOCK, 401),
        (Reply(403, body=b"invalid_token"), Verdict.BLOCK, 403),
        (Reply(404, body=b"no_service"), Verdict.BLOCK, 401),
        (Reply(410, body=b"channel_is_archived"), Verdict.BLOCK, 401),
        (Reply(400, body=b"invalid_payload"), Verdict.DEAD, 400),
    ],
)
def test_what_the_chat_refuses_is_not_delivered(
    sink: Sink, tmp_path: Path, reply: Reply, verdict: Verdict, code: int
) -> None:
    host = start(sink, tmp_path, timeout=0.2)
    sink.reply = reply
    outcome = host.send("build_finished")
    assert (outcome.verdict, outcome.code) == (verdict, code)
    assert reply.body.decode() in outcome.message or reply.status is None
    assert "secret" not in outcome.message
    sink.reply = Reply()
    assert host.send("build_finished", attempt=2).delivered


@pytest.mark.parametrize(
    ("secrets", "settings", "problem"),
    [
        ({}, {}, "secrets.url: is required"),
        ({"url": "hooks.example.org/T"}, {}, "secrets.url: is no web address"),
        ({"url": "https://x.org"}, {"jobs": "("}, "settings.jobs: is no regular"),
        ({"url": "https://x.org"}, {"timeout": 90}, "settings.timeout: expected"),
        ({"url": "https://x.org"}, {"url": "x"}, "settings.url: there is no such"),
    ],
)
def test_a_wrong_configuration_is_refused_with_its_place(
    tmp_path: Path, secrets: dict[str, str], settings: dict[str, Any], problem: str
) -> None:
    with pytest.raises(StartFailed, match=problem):
        drive(slack.plugin, config=settings, secrets=secrets, state_dir=tmp_path)


def test_authors_are_named_from_hydras_own_clone(sink: Sink, tmp_path: Path) -> None:
    revisions = clone_of(tmp_path / "scm", ["Bob", "Ann", "Ann"])
    host = start(sink, tmp_path, hydra_data=str(tmp_path))
    host.send(between(revisions)).raise_for_failure()
    assert said(sink)["text"].endswith(
        ", likely due to 3 commits by <mailto:ann@example.org|Ann> or "
        "<mailto:bob@example.org|Bob>"
    )


def test_of_many_authors_the_busiest_are_named(sink: Sink, tmp_path: Path) -> None:
    authors = ["Z", *(f"A{number}" for number in range(slack.LISTED + 2)), "Z"]
    revisions = clone_of(tmp_path / "scm", authors)
    host = start(sink, tmp_path, hydra_data=str(tmp_path))
    host.send(between(revisions)).raise_for_failure()
    text = said(sink)["text"]
    assert "9 commits by <mailto:z@example.org|Z>, <mailto:" in text
    assert text.endswith(" or 3 more")


def test_a_crowd_of_authors_is_only_counted(sink: Sink, tmp_path: Path) -> None:
    authors = [f"A{number}" for number in range(MOST_AUTHORS + 1)]
    revisions = clone_of(tmp_path / "elsewhere", authors)
    host = start(sink, tmp_path, scm_cache=str(tmp_path / "elsewhere"))
    host.send(between(revisions)).raise_for_failure()
    assert said(sink)["text"].endswith(f", likely due to {len(authors)} commits")


def test_without_a_clone_nobody_is_named(sink: Sink, tmp_path: Path) -> None:
    host = start(sink, tmp_path, hydra_data=str(tmp_path))
    host.send(between(("1" * 40, "2" * 40))).raise_for_failure()
    revisions = clone_of(tmp_path / "scm", [])
    event = between((revisions[0], "2" * 40))
    host.send(restarted(event)).raise_for_failure()
    assert ["due to" in call.body.decode() for call in sink.calls] == [False, False]


async def test_it_keeps_every_rule() -> None:
    secrets = {"url": "{sink}/services/T/B/x"}
    assert await untried("slack", {"timeout": 1}, secrets) == {"new-events"}
