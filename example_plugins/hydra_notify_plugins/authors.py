"""Who may have caused a change: the commits between the build before and this one.

Hydra keeps clones of the repositories that it evaluates, as `git/<sha256 of the
address>` below its directory `scm`. Where there is none, or git cannot read it, nobody
is named.
"""

import logging
import os
import re
import subprocess
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from hashlib import sha256
from pathlib import Path
from typing import Final

from hydra_notify_sdk import BuildEventData
from hydra_notify_sdk.wire import Eval, EvalInput

LOG_TIMEOUT: Final = 5.0
"""Seconds for one `git log`: it reads a local clone, and a message waits for it."""

MOST_COMMITS: Final = 1000
"""Commits that are looked at; nobody reads of more."""

MOST_AUTHORS: Final = 20
"""With more of them a change is nobody's in particular: they are counted, but neither
named nor written to."""

_HEX: Final = re.compile(r"[0-9a-f]{7,64}")

logger = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Author:
    """Of a commit. `responsible`: an input says that its authors want mail."""

    name: str
    address: str
    responsible: bool


@dataclass(frozen=True, slots=True)
class Commits:
    """What changed since the build before.

    Attributes:
        count: Commits, at most `MOST_COMMITS` of each input.
        authors: Of those, the busiest first; nobody where they are too many.
    """

    count: int = 0
    authors: tuple[Author, ...] = ()


def cache_directory(setting: str, hydra_data: str) -> Path | None:
    """Hydra's directory `scm`: as set, or in Hydra's data; None if neither is known."""
    if setting:
        return Path(setting)
    return Path(hydra_data, "scm") if hydra_data else None


def commits_of(data: BuildEventData, cache: Path | None) -> Commits:
    """The commits between the first evaluations of the build before and of this one.

    Args:
        data: Of a plugin that includes `evals` and `previousBuild`.
        cache: See `cache_directory`.
    """
    now = next((each for each in data.evals or () if each.has_new_builds), None)
    before = data.previous_build.eval if data.previous_build else None
    if cache is None or now is None or before is None:
        return Commits()
    count = 0
    found: Counter[tuple[str, str]] = Counter()
    responsible: set[str] = set()
    for old, new in _moved(before, now):
        commits = _log(_clone(cache, new), old.revision or "", new.revision or "")
        count += len(commits)
        found.update(commits)
        if new.email_responsible:
            responsible.update(address for address, _ in commits)
    if len(found) > MOST_AUTHORS:
        return Commits(count)
    authors = (
        Author(name or address, address, address in responsible)
        for (address, name), _ in found.most_common()
    )
    return Commits(count, tuple(authors))


def _moved(before: Eval, now: Eval) -> Iterator[tuple[EvalInput, EvalInput]]:
    """Repositories that both evaluations have, at different revisions."""
    known = {each.name: each for each in before.inputs if not each.altnr}
    for new in now.inputs:
        old = known.get(new.name)
        if new.altnr or old is None or (old.type, old.uri) != (new.type, new.uri):
            continue
        if new.type == "git" and old.revision != new.revision:
            yield old, new


def _clone(cache: Path, source: EvalInput) -> Path:
    # Older Hydras keep the branch behind the address.
    address = (source.uri or "").split(" ")[0]
    return cache / "git" / sha256(address.encode()).hexdigest()


def _log(clone: Path, old: str, new: str) -> Sequence[tuple[str, str]]:
    """Address and name of each commit's author."""
    if not (_HEX.fullmatch(old) and _HEX.fullmatch(new) and clone.is_dir()):
        return []
    command = ["git", "-c", f"safe.directory={clone}", "-C", str(clone), "--no-pager"]
    command += ["log", f"--max-count={MOST_COMMITS}", "--format=%aE%x09%aN"]
    # It is asked for what is there: no network, no questions.
    environment = {"GIT_NO_LAZY_FETCH": "1", "GIT_TERMINAL_PROMPT": "0"}
    try:
        done = subprocess.run(
            [*command, f"{old}..{new}", "--"],
            env=os.environ | environment,
            stdin=subprocess.DEVNULL,
            capture_output=True,
            timeout=LOG_TIMEOUT,
            check=True,
        )
    except (OSError, subprocess.SubprocessError) as error:
        logger.debug("no commits of %s: %s", clone, error)
        return []
    lines = done.stdout.decode(errors="replace").splitlines()
    parted = (line.partition("\t") for line in lines)
    return [(address, name) for address, _, name in parted if address]
