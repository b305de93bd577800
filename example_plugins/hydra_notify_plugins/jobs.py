"""Which jobs a plugin is for, where its operator's routes do not say it all.

Hydra's own plugins have a setting `jobs`, a regular expression that has to match the
whole of `project:jobset:job`. Routes of the host (`[plugins.X.match]`) are quicker, and
enough for most.
"""

import re
from collections.abc import Iterable

from hydra_notify_sdk import BuildEventData, ConfigProblem
from hydra_notify_sdk.wire import BuildDocument


def job_name(build: BuildDocument) -> str:
    """`project:jobset:job`, as Hydra's configuration names a job."""
    return f"{build.project}:{build.jobset}:{build.job}"


def compile_jobs(pattern: str, key: str = "settings.jobs") -> re.Pattern[str]:
    """The expression in a setting.

    Args:
        pattern: As written; "" matches every job.
        key: Where it stands, for the error.

    Raises:
        ConfigProblem: It is no regular expression of Python's.
    """
    try:
        return re.compile(pattern or ".*")
    except re.error as error:
        problem = f"is no regular expression: {error}"
        fix = "Perl's special forms are not known here; see docs.python.org on re"
        raise ConfigProblem(key, problem, fix=fix) from None


def builds_of(data: BuildEventData) -> Iterable[BuildDocument]:
    """The build of an event, and those that ended with it (part `dependents`)."""
    yield data
    yield from data.dependents or ()


def wanted(jobs: re.Pattern[str], data: BuildEventData) -> list[BuildDocument]:
    """Those of `builds_of` whose job matches as a whole."""
    return [each for each in builds_of(data) if jobs.fullmatch(job_name(each))]
