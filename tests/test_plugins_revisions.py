"""Which commits the plugins of forges find in what a build was made from."""

import pytest
from msgspec import structs
from tests.forges import evaluation, git_input

from hydra_notify_plugins.revisions import (
    Commit,
    commits_of,
    flake_commit,
    hosts_of,
    input_commit,
)
from hydra_notify_plugins.sites import site_at

REV = "0123456789abcdef0123456789abcdef01234567"
LONG = REV + "0" * 24


@pytest.mark.parametrize(
    ("reference", "host", "path"),
    [
        (f"github:NixOS/nixpkgs/{REV}", "github.com", "NixOS/nixpkgs"),
        (f"github:o/r/{REV}?narHash=sha256-a%2B/b%3D", "github.com", "o/r"),
        (f"github:o/r/{REV}?host=ghe.example.org", "ghe.example.org", "o/r"),
        (f"github:o/r?rev={REV}", "github.com", "o/r"),
        (f"gitlab:o/r/{REV}", "gitlab.com", "o/r"),
        (f"gitlab:g%2Fsub/r/{REV}?host=git.example.org", "git.example.org", "g/sub/r"),
        (f"sourcehut:~o/r/{REV}", "git.sr.ht", "~o/r"),
        (f"git+ssh://git@GitHub.com/o/r?ref=x&rev={REV}", "github.com", "o/r"),
        (
            f"git+ssh://git@git.example.org:2222/o/r.git?rev={REV}",
            "git.example.org",
            "o/r",
        ),
        (f"git+https://git.example.org/o/r?rev={REV}&dir=x", "git.example.org", "o/r"),
        (f"git+https://t:p@git.example.org/o/r?rev={REV}", "git.example.org", "o/r"),
        (f"git+http://localhost:8282/git/o/r?rev={REV}", "localhost:8282", "git/o/r"),
        (f"https://h.org/o/r/archive/{REV}.tar.gz?narHash=x&rev={REV}", "h.org", "o/r"),
        (f"https://h.org/g/s/r/-/archive/m/r.tar.gz?rev={REV}", "h.org", "g/s/r"),
    ],
)
def test_a_locked_flake_tells_its_commit(reference: str, host: str, path: str) -> None:
    assert flake_commit(reference) == Commit(host, path, REV)


@pytest.mark.parametrize(
    "reference",
    [
        "",
        "github:o/r",
        "github:o/r/main",
        f"github:r/{REV}",
        f"git+file:///srv/r?rev={REV}",
        f"path:/srv/r?rev={REV}",
        f"https://h.org/r.tar.gz?rev={REV}",
        f"git+https://[h/o/r?rev={REV}",
        f"git+https://h.org:port/o/r?rev={REV}",
        f"git+https://h.org/o/r?rev={REV.upper()}",
        f"github:o/r/{REV}/x",
    ],
)
def test_what_is_of_no_commit_with_a_host_is_none(reference: str) -> None:
    assert flake_commit(reference) is None


def test_a_repository_may_have_longer_revisions() -> None:
    commit = flake_commit(f"git+https://h.org/o/r?rev={LONG}")
    assert commit is not None
    assert commit.revision == LONG
    assert (commit.owner, commit.repo) == ("o", "r")


@pytest.mark.parametrize(
    ("uri", "host", "path"),
    [
        ("https://github.com/NixOS/nixpkgs.git", "github.com", "NixOS/nixpkgs"),
        ("https://github.com/NixOS/nixpkgs/", "github.com", "NixOS/nixpkgs"),
        ("https://github.com/o/r master", "github.com", "o/r"),
        ("git@github.com:o/r.git", "github.com", "o/r"),
        ("ssh://git@git.example.org:2222/o/r", "git.example.org", "o/r"),
        ("git://git.example.org/g/s/r", "git.example.org", "g/s/r"),
        ("https://git.example.org:8443/o/r", "git.example.org:8443", "o/r"),
    ],
)
def test_an_input_tells_its_commit(uri: str, host: str, path: str) -> None:
    assert input_commit(git_input("src", uri, REV)) == Commit(host, path, REV)


@pytest.mark.parametrize("uri", ["/srv/r", "file:///srv/o/r", "", "https://[h/o/r"])
def test_an_input_without_a_host_is_of_no_commit(uri: str) -> None:
    assert input_commit(git_input("src", uri, REV)) is None
    number = structs.replace(git_input("src", "https://h.org/o/r", REV), revision="17")
    assert input_commit(number) is None


def test_inputs_are_chosen_by_name_and_each_commit_counts_once() -> None:
    src = git_input("src", "https://h.org/o/r", REV)
    other = git_input("other", "https://h.org/o/x", REV)
    evals = [evaluation(7, src, other), evaluation(9, src), evaluation(8, src)]
    found = commits_of(evals, lambda each: each.name == "src")
    assert found == {Commit("h.org", "o/r", REV): 9}


def test_a_server_is_known_with_and_without_its_port() -> None:
    assert hosts_of("http://H.org:8282/git") == {"h.org:8282", "h.org"}
    assert hosts_of("https://h.org:443") == {"h.org"}


def test_an_api_has_the_name_of_its_forge() -> None:
    site = site_at("https://api.github.com/", ["SSH.github.com"], key="settings.url")
    assert site.url == "https://api.github.com"
    assert site.hosts == {"api.github.com", "github.com", "ssh.github.com"}
