"""Which events a plugin gets, as its operator decides.

A job is `project:jobset:job`. A glob names it section by section, so that `*` never
reaches over a colon; missing sections are `*`, as in Hydra's RunCommand, and unlike
there a section may be a glob in part (`release-*`).
"""

import re
from collections.abc import Callable
from fnmatch import translate
from functools import cached_property
from typing import Annotated, Final

from msgspec import Meta, Struct

from hydra_notify.config.decode import Advice, Finding
from hydra_notify.config.wording import did_you_mean, quoted
from hydra_notify_sdk.wire import CHANNELS, matches, names_event

STATUSES: Final = {
    "succeeded": 0,
    "failed": 1,
    "dependency_failed": 2,
    "aborted": 3,
    "cancelled": 4,
    "obsolete": 5,
    "failed_with_output": 6,
    "timed_out": 7,
    "cached_failure": 8,
    "unsupported_system": 9,
    "log_limit": 10,
    "nar_size_limit": 11,
    "not_deterministic": 12,
}
"""Hydra's `builds.buildstatus` by name; a status it grows later is written as a number,
as are those that only steps have."""

_SECTIONS: Final = ("project", "jobset", "job")


def _sections(glob: str) -> list[str]:
    """The sections of a job glob that say something: blank ones at its end do not."""
    return glob.rstrip(":").split(":")


def _check_job(glob: str) -> Finding | None:
    sections = _sections(glob)
    if len(sections) > len(_SECTIONS):
        problem = f"has {len(sections)} sections ({quoted(glob)})"
        return problem, "write project:jobset:job"
    if "" in sections and sections != [""]:
        name = _SECTIONS[sections.index("")]
        return f"names no {name} ({quoted(glob)})", f"write * for every {name}"
    return None


def _check_event(pattern: str) -> Finding | None:
    if names_event(pattern):
        return None
    fix = did_you_mean(pattern, CHANNELS)
    if "*" in pattern[:-1]:
        fix = "a * stands at the end alone, as in build_*"
    return f"matches no event ({quoted(pattern)})", fix


def _check_status(name: str) -> Finding | None:
    if name in STATUSES:
        return None
    return f"is no build status ({quoted(name)})", did_you_mean(name, STATUSES)


class Match(Struct, frozen=True, dict=True):
    """What a plugin gets; of each kind, an empty tuple stands for everything.

    Attributes:
        jobs: Globs of `project:jobset:job`; one of them is enough.
        events: Names of events, or their beginnings (`build_*`).
        statuses: Of finished builds: names (see `STATUSES`) or Hydra's numbers.
    """

    jobs: Annotated[
        tuple[
            Annotated[
                str, Advice('write a string such as "nixpkgs:trunk:*"', _check_job)
            ],
            ...,
        ],
        Advice('write jobs = ["nixpkgs:*:*"]'),
    ] = ()
    events: Annotated[
        tuple[
            Annotated[
                str, Advice('write a string such as "build_finished"', _check_event)
            ],
            ...,
        ],
        Advice('write events = ["build_finished"]'),
    ] = ()
    statuses: Annotated[
        tuple[
            Annotated[
                str | Annotated[int, Meta(ge=0)],
                Advice('write a name such as "failed", or a number', _check_status),
            ],
            ...,
        ],
        Advice('write statuses = ["failed", "timed_out"]'),
    ] = ()

    @property
    def is_empty(self) -> bool:
        """Whether no job and no status is left out."""
        return not (self.jobs or self.statuses)

    def wants_event(self, channel: str) -> bool:
        """Whether events of this name are wanted at all."""
        return not self.events or channel in self._channels

    def wants_build(self, job: str, status: int | None) -> bool:
        """Whether an event about this build is wanted.

        Args:
            job: `project:jobset:job`; only the job's own name may contain a colon.
            status: Hydra's number; None while unfinished, which every filter passes:
                who asks for failures may need to know that a build has started.
        """
        if status is not None and self.statuses and status not in self._numbers:
            return False
        if not self.jobs:
            return True
        project, jobset, name = [*job.split(":", 2), "", ""][:3]
        return any(
            globs[0](project) and globs[1](jobset) and globs[2](name)
            for globs in self._jobs
        )

    def wants_jobset(self, jobset: str) -> bool:
        """Whether evaluations of `project:jobset` are wanted: if a job of it can be."""
        if not self.jobs:
            return True
        project, _, name = jobset.partition(":")
        return any(globs[0](project) and globs[1](name) for globs in self._jobs)

    # Each of these is worked out once, when first asked for.

    @cached_property
    def _channels(self) -> frozenset[str]:
        return frozenset(name for name in CHANNELS if matches(self.events, name))

    @cached_property
    def _numbers(self) -> frozenset[int]:
        return frozenset(
            STATUSES[status] if isinstance(status, str) else status
            for status in self.statuses
        )

    @cached_property
    def _jobs(self) -> tuple[tuple[Callable[[str], object], ...], ...]:
        return tuple(
            tuple(
                re.compile(translate(section or "*")).match
                for section in [*_sections(glob), "*", "*"][:3]
            )
            for glob in self.jobs
        )
