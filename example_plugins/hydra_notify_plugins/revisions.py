"""Which commits a build was made from.

By the locked flake of an evaluation, or by its inputs of the names that an operator
gives: not every input is meant, and few would let themselves be marked.
"""

import re
from collections.abc import Callable, Iterable, Iterator
from typing import Final
from urllib.parse import SplitResult, parse_qs, unquote, urlsplit

from msgspec import Struct

from hydra_notify_sdk.wire.data import Eval, EvalInput

_REVISION: Final = re.compile(r"[0-9a-f]{40}(?:[0-9a-f]{24})?")
"""SHA-1, or SHA-256 where a repository has chosen that."""

_FORGES: Final = {
    "github": "github.com",
    "gitlab": "gitlab.com",
    "sourcehut": "git.sr.ht",
}
"""Schemes of flakes that have a host of their own, unless `host=` names another."""

_SCP: Final = re.compile(r"(?:[^@/\s]+@)?([^@:/\s]+):(?!//)(\S+)")
"""`git@host:owner/repo`, as ssh writes it."""

_PORTS: Final = {"http": 80, "https": 443}


class Commit(Struct, frozen=True):
    """A commit, by where it is hosted.

    Attributes:
        host: In lower case, with its port if the web's is unusual.
        path: Of the repository: `owner/repo`, or more in front, without `.git`.
        revision: 40 or 64 hexadecimal digits.
    """

    host: str
    path: str
    revision: str

    @property
    def owner(self) -> str:
        """What stands before the repository's name."""
        return self.path.rpartition("/")[0]

    @property
    def repo(self) -> str:
        """The repository's name."""
        return self.path.rpartition("/")[2]


class Source(Struct, frozen=True):
    """What an evaluation was made from.

    Attributes:
        revision: As of `Commit`.
        commit: None where the repository has no host: a directory, say.
    """

    evaluation: Eval
    revision: str
    commit: Commit | None


def sources_of(
    evals: Iterable[Eval], meant: Callable[[EvalInput], bool]
) -> Iterator[Source]:
    """What evaluations were made from.

    Args:
        evals: As an event brings them (part `evals`).
        meant: Whether an input is, of an evaluation that is of no flake.
    """
    for evaluation in evals:
        if evaluation.flake:
            commit = flake_commit(evaluation.flake)
            if commit is not None:
                yield Source(evaluation, commit.revision, commit)
            continue
        for each in filter(meant, evaluation.inputs):
            if each.revision and _REVISION.fullmatch(each.revision):
                yield Source(evaluation, each.revision, input_commit(each))


def commits_of(
    evals: Iterable[Eval], meant: Callable[[EvalInput], bool]
) -> dict[Commit, int]:
    """The commits of `sources_of` that have a host, each with its newest evaluation."""
    found: dict[Commit, int] = {}
    for source in sources_of(evals, meant):
        if source.commit is not None:
            before = found.get(source.commit, 0)
            found[source.commit] = max(source.evaluation.id, before)
    return found


def words_of(evaluation: Eval) -> dict[str, str]:
    """The inputs of an evaluation that are texts, by name."""
    return {each.name: each.value for each in evaluation.inputs if each.value}


def flake_commit(reference: str) -> Commit | None:
    """The commit of a locked flake; None if it is of no repository with a host.

    Args:
        reference: `github:owner/repo/rev?narHash=...`, `git+ssh://git@host/...?rev=...`,
            or a tarball that Forgejo, Gitea or GitLab make of a commit.
    """
    try:
        parts = urlsplit(reference)
        query = {name: each[-1] for name, each in parse_qs(parts.query).items()}
        revision = query.get("rev", "")
        if parts.scheme in _FORGES:
            owner, _, rest = parts.path.partition("/")
            repo, _, locked = rest.partition("/")
            host = query.get("host", _FORGES[parts.scheme])
            return _commit(host, f"{unquote(owner)}/{repo}", locked or revision)
        if parts.scheme.startswith("git+"):
            return _commit(_host(parts), parts.path, revision)
        path, archive, _ = parts.path.partition("/archive/")
        if archive:
            return _commit(_host(parts), path.removesuffix("/-"), revision)
    except ValueError:
        # A port that is no number, brackets without their fellow.
        return None
    return None


def input_commit(source: EvalInput) -> Commit | None:
    """The commit of an input; None if it has none, or its repository no host."""
    words = (source.uri or "").split()
    if not words or not source.revision:
        return None
    if short := _SCP.fullmatch(words[0]):
        return _commit(short[1], short[2], source.revision)
    try:
        parts = urlsplit(words[0])
        return _commit(_host(parts), parts.path, source.revision)
    except ValueError:
        return None


def hosts_of(url: str) -> frozenset[str]:
    """The names under which inputs and flakes know the server at `url`.

    Raises:
        ValueError: It is no address.
    """
    parts = urlsplit(url)
    return frozenset({_host(parts), (parts.hostname or "").lower()})


def _host(parts: SplitResult) -> str:
    name = (parts.hostname or "").lower()
    scheme = parts.scheme.removeprefix("git+")
    # A port of ssh's says nothing of where the web server is.
    if scheme not in _PORTS or parts.port in (None, _PORTS[scheme]):
        return name
    return f"{name}:{parts.port}"


def _commit(host: str, path: str, revision: str) -> Commit | None:
    path = path.strip("/").removesuffix(".git")
    if not host or "/" not in path or not _REVISION.fullmatch(revision):
        return None
    return Commit(host.lower(), path, revision)
