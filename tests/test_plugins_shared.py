"""What the plugins share: jobs, words, what is done."""

from pathlib import Path

import pytest

from hydra_notify_plugins.done import Done
from hydra_notify_plugins.jobs import compile_jobs, job_name, wanted
from hydra_notify_plugins.statuses import Kind, kind_of, word_of
from hydra_notify_sdk import BuildEventData, ConfigProblem
from hydra_notify_sdk.wire.samples import sample_data


def data() -> BuildEventData:
    found = sample_data("build_finished", parts=["dependents"])
    assert isinstance(found, BuildEventData)
    return found


def test_an_expression_has_to_match_the_whole_job() -> None:
    assert job_name(data()) == "nixpkgs:trunk:hello.x86_64-linux"
    hello = compile_jobs(r"nixpkgs:trunk:hello\..*")
    assert [each.build for each in wanted(hello, data())] == [4711]
    assert not wanted(compile_jobs("nixpkgs:trunk:hello"), data())


def test_without_one_every_job_is_meant_dependents_too() -> None:
    assert [each.build for each in wanted(compile_jobs(""), data())] == [
        4711,
        4712,
        4713,
    ]


def test_an_expression_of_perl_alone_is_refused_with_its_place() -> None:
    with pytest.raises(ConfigProblem, match=r"settings\.jobs: is no regular"):
        compile_jobs(r"(?{ 1 })")


def test_a_number_that_nobody_knows_is_a_failure() -> None:
    assert word_of(99) == "failed (status 99)"
    assert kind_of(99) is Kind.FAILURE
    assert (word_of(None), kind_of(None)) == ("unfinished", Kind.PENDING)
    assert kind_of(0) is Kind.SUCCESS


def test_what_is_done_stays_done_over_a_restart(tmp_path: Path) -> None:
    done = Done(tmp_path)
    assert "e:1" not in done
    done.add("e:1")
    done.add("e:1")
    assert "e:1" in Done(tmp_path)
