"""Which events a plugin gets."""

from pathlib import Path

import pytest

from hydra_notify.config import STATUSES, Match, parse_config
from hydra_notify.errors import ConfigError, Problem
from hydra_notify_sdk.wire import CHANNELS

JOB = "project:jobset:job"


def problem(line: str) -> Problem:
    text = f'[plugins.x]\ncommand = ["x"]\n[plugins.x.match]\n{line}'
    with pytest.raises(ConfigError) as caught:
        parse_config(text, directory=Path("/"), environ={})
    (found,) = caught.value.problems
    return found


def test_an_empty_match_wants_everything() -> None:
    match = Match()
    assert all(match.wants_event(channel) for channel in CHANNELS)
    assert match.wants_build(JOB, None)
    assert match.wants_build(JOB, 1)
    assert match.wants_jobset("project:jobset")


@pytest.mark.parametrize(
    "glob",
    [
        "project:jobset:job",
        "project:jobset:*",
        "project:*:job",
        "*:jobset:job",
        "project:*:*",
        "*:jobset:*",
        "*:*:job",
        "*:*:*",
        "",
        ":",
        "*",
        "project",
        "project:",
        "project:jobset",
        "project:jobset:",
        # What RunCommand's matcher does not know: globs within a section.
        "pro*:job?et:[ij]ob",
        "*:*:*b",
        "*:*:[!a]*",
    ],
)
def test_a_glob_matches_the_job(glob: str) -> None:
    assert Match(jobs=(glob,)).wants_build(JOB, 0)


@pytest.mark.parametrize(
    "glob",
    [
        "other:jobset:job",
        "project:other:job",
        "project:jobset:other",
        "other",
        "project:other",
        "other:*:*",
        "*:other:*",
        "*:*:other",
        "*:*:j.*",
        ".*:.*:.*",
        "PROJECT:*:*",
        "project:jobset:jo",
        "roject:*:*",
        "*:*:[!j]*",
        "project:jobset*job",
    ],
)
def test_a_glob_does_not_match_another_job(glob: str) -> None:
    assert not Match(jobs=(glob,)).wants_build(JOB, 0)


def test_one_of_several_globs_is_enough() -> None:
    match = Match(jobs=("a:*:*", "b:*:*"))
    assert match.wants_build("a:x:y", 0)
    assert match.wants_build("b:x:y", 0)
    assert not match.wants_build("c:x:y", 0)


def test_a_job_name_may_have_dots() -> None:
    job = "nixpkgs:trunk:hello.x86_64-linux"
    assert Match(jobs=("nixpkgs:trunk:hello.*",)).wants_build(job, 0)
    assert Match(jobs=("*:*:*.x86_64-linux",)).wants_build(job, 0)
    assert not Match(jobs=("*:*:*.aarch64-linux",)).wants_build(job, 0)


def test_a_star_does_not_reach_over_a_colon() -> None:
    assert not Match(jobs=("a*z:j:n",)).wants_build("a:z:j:n", 0)
    assert Match(jobs=("a:z:j?n",)).wants_build("a:z:j:n", 0)


def test_a_line_break_in_a_name_is_a_character_like_any_other() -> None:
    assert not Match(jobs=("a:b:c",)).wants_build("a:b:c\n", 0)
    assert Match(jobs=("a:b:*",)).wants_build("a:b:c\nd", 0)


def test_a_jobset_is_wanted_when_a_job_of_it_could_be() -> None:
    match = Match(jobs=("nixpkgs:trunk:hello", "nix:*:*"))
    assert match.wants_jobset("nixpkgs:trunk")
    assert match.wants_jobset("nix:master")
    assert not match.wants_jobset("nixpkgs:staging")
    assert not match.wants_jobset("hydra:trunk")


def test_events_are_wanted_by_name_and_by_beginning() -> None:
    match = Match(events=("build_*", "eval_failed"))
    assert [channel for channel in CHANNELS if match.wants_event(channel)] == [
        "build_queued",
        "build_started",
        "build_finished",
        "eval_failed",
    ]


def test_a_star_wants_every_event() -> None:
    assert all(Match(events=("*",)).wants_event(channel) for channel in CHANNELS)


def test_statuses_are_wanted_by_name_and_by_number() -> None:
    match = Match(statuses=("failed", 7, 42))
    assert [status for status in range(50) if match.wants_build(JOB, status)] == [
        1,
        7,
        42,
    ]


def test_every_status_has_a_name() -> None:
    assert sorted(STATUSES.values()) == list(range(13))
    for name, number in STATUSES.items():
        assert Match(statuses=(name,)).wants_build(JOB, number)


def test_an_unfinished_build_passes_the_statuses() -> None:
    assert Match(statuses=("failed",)).wants_build(JOB, None)


def test_an_unfinished_build_does_not_pass_the_jobs() -> None:
    assert not Match(jobs=("other:*:*",), statuses=(1,)).wants_build(JOB, None)


def test_job_and_status_must_both_be_wanted() -> None:
    match = Match(jobs=("project:*:*",), statuses=("failed",))
    assert match.wants_build(JOB, 1)
    assert not match.wants_build(JOB, 0)
    assert not match.wants_build("other:jobset:job", 1)


@pytest.mark.parametrize("glob", ["", ":", ":::", "a:", "a::", "a:b:", "a:b:c:"])
def test_blank_sections_at_the_end_are_missing_ones(glob: str) -> None:
    text = f'plugins.x = {{ command = ["x"], match = {{ jobs = ["{glob}"] }} }}'
    config = parse_config(text, directory=Path("/"), environ={})
    assert config.plugins["x"].match.wants_build("a:b:c", 0)


def test_a_glob_of_four_sections_is_refused() -> None:
    assert problem('jobs = ["*:*:*", "a:b:c:d"]') == Problem(
        "plugins.x.match.jobs[1]",
        'has 4 sections ("a:b:c:d")',
        "write project:jobset:job",
    )


@pytest.mark.parametrize(
    ("glob", "section"), [(":b:c", "project"), ("a::c", "jobset"), ("::c", "project")]
)
def test_a_blank_section_would_match_nothing_and_is_refused(
    glob: str, section: str
) -> None:
    assert problem(f'jobs = ["{glob}"]') == Problem(
        "plugins.x.match.jobs[0]",
        f'names no {section} ("{glob}")',
        f"write * for every {section}",
    )


def test_an_event_by_its_perl_name_gets_the_one_that_was_meant() -> None:
    assert problem('events = ["buildFinished"]') == Problem(
        "plugins.x.match.events[0]",
        'matches no event ("buildFinished")',
        "did you mean build_finished?",
    )


def test_an_event_that_is_like_no_other_gets_all_there_are() -> None:
    found = problem('events = ["", "build_*"]')
    assert found.key == "plugins.x.match.events[0]"
    assert found.fix == f"known are {', '.join(CHANNELS)}"


def test_a_star_inside_the_name_of_an_event_is_refused() -> None:
    assert problem('events = ["*_finished"]') == Problem(
        "plugins.x.match.events[0]",
        'matches no event ("*_finished")',
        "a * stands at the end alone, as in build_*",
    )


def test_a_mistyped_status_gets_the_one_that_was_meant() -> None:
    assert problem('statuses = ["failed", "timedout"]') == Problem(
        "plugins.x.match.statuses[1]",
        'is no build status ("timedout")',
        "did you mean timed_out?",
    )


@pytest.mark.parametrize(
    ("status", "told"),
    [
        ("-1", "is less than 0"),
        ("true", "is true or false, not an integer or a string"),
        ("1.0", "is a number, not an integer or a string"),
    ],
)
def test_a_status_is_a_name_or_a_number(status: str, told: str) -> None:
    assert problem(f"statuses = [{status}]") == Problem(
        "plugins.x.match.statuses[0]",
        told,
        'write a name such as "failed", or a number',
    )


def test_long_text_is_cut_in_a_message() -> None:
    found = problem(f'events = ["{"x" * 1000}"]')
    assert len(found.problem) < 100
