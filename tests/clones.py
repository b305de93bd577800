"""Clones of repositories as Hydra keeps them, and builds between two commits."""

import os
import subprocess
from hashlib import sha256
from pathlib import Path

from hydra_notify_sdk import BuildEventData
from hydra_notify_sdk.testing import Sample, sample_event


def git(clone: Path, *arguments: str, author: str = "Bob") -> str:
    """What git says; the configuration of whoever runs the tests does not matter."""
    address = f"{author.lower()}@example.org"
    who = ["-c", f"user.name={author}", "-c", f"user.email={address}"]
    done = subprocess.run(
        ["git", "-C", str(clone), *who, *arguments],
        env=os.environ | {"GIT_CONFIG_GLOBAL": "/dev/null"},
        check=True,
        capture_output=True,
        text=True,
    )
    return done.stdout.strip()


def clone_of(scm: Path, authors: list[str]) -> tuple[str, str]:
    """A clone as Hydra keeps them: the revisions before and after these commits."""
    address = "https://github.com/NixOS/nixpkgs.git"
    clone = scm / "git" / sha256(address.encode()).hexdigest()
    clone.mkdir(parents=True)
    git(clone, "init", "--quiet")
    git(clone, "commit", "--quiet", "--allow-empty", "-m", "first")
    before = git(clone, "rev-parse", "HEAD")
    for author in authors:
        change = ("commit", "--quiet", "--allow-empty", "-m", "change")
        git(clone, *change, author=author)
    return before, git(clone, "rev-parse", "HEAD")


def between(revisions: tuple[str, str]) -> Sample[BuildEventData]:
    """A build without dependents, whose input has moved so since the build before."""
    event = sample_event("build_finished")
    event.data.dependents = []
    previous = event.data.previous_build
    assert event.data.evals
    assert previous
    assert previous.eval
    previous.eval.inputs[0].revision, event.data.evals[0].inputs[0].revision = revisions
    return event


def restarted(event: Sample[BuildEventData]) -> Sample[BuildEventData]:
    """The same build, ended again."""
    event.id += ":2"
    event.data.stop_time = (event.data.stop_time or 0) + 9
    return event
