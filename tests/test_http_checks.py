"""Whether a request is for this host, comes from it, and shows the right token."""

import re
from urllib.parse import urlsplit

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hydra_notify.http import checks

NAMES = frozenset({"localhost", "ci", "ci.example.org"})
GIVEN = frozenset({"ci.example.org"})

LABEL = st.from_regex(r"[a-z]([a-z0-9-]{0,20}[a-z0-9])?", fullmatch=True)
NAME = st.lists(LABEL, min_size=1, max_size=4).map(".".join)
PORT = st.none() | st.integers(1, 65_535)


def host(name: str, port: int | None) -> str:
    name = f"[{name}]" if ":" in name else name
    return name if port is None else f"{name}:{port}"


@given(st.sampled_from(sorted(NAMES)) | st.ip_addresses().map(str), PORT, st.booleans())
def test_its_names_and_every_address_are_let_in_by_any_port(
    name: str, port: int | None, loud: bool
) -> None:
    header = host(name, port)
    assert checks.host_allowed(header.upper() if loud else header, NAMES)


@given(NAME.filter(lambda name: name not in NAMES), PORT)
def test_any_other_name_is_not(name: str, port: int | None) -> None:
    assert not checks.host_allowed(host(name, port), NAMES)


@given(st.text(max_size=40))
def test_whatever_a_host_header_says_is_judged(header: str) -> None:
    if checks.host_allowed(header, NAMES):
        found = checks.host_of(header)
        assert found is not None
        assert found.name in NAMES or re.fullmatch(r"[0-9a-f.:%\w]+", found.name)


@pytest.mark.parametrize(
    "header",
    [
        "",
        "evil.example",
        "localhost.evil.example",
        "evil.example:localhost",
        "localhost@evil.example",
        "127.0.0.1.evil.example",
        "localhost:80:80",
        "[::1",
        "2130706433",
        "localhost, evil.example",
    ],
)
def test_a_header_that_looks_like_one_of_its_names_is_not(header: str) -> None:
    assert not checks.host_allowed(header, NAMES)


def test_a_dot_at_the_end_of_a_name_changes_nothing() -> None:
    assert checks.host_allowed("ci.example.org.", NAMES)


@pytest.mark.parametrize(
    ("origin", "host", "allowed"),
    [
        ("http://localhost:9199", "localhost:9199", True),
        ("http://[::1]:9199", "[::1]:9199", True),
        ("https://ci.example.org", "ci.example.org", True),
        ("https://ci.example.org", "ci.example.org:443", True),
        ("http://ci", "ci:80", True),
        # A proxy that says nothing of what it was called.
        ("https://ci.example.org", "127.0.0.1:9199", True),
        ("https://ci.example.org:8443", "127.0.0.1:9199", False),
        ("http://localhost:8080", "localhost:9199", False),
        ("http://localhost", "localhost:9199", False),
        ("https://evil.example", "localhost:9199", False),
        ("https://localhost.evil.example", "localhost", False),
        ("https://evil.example/localhost", "localhost", False),
        ("https://localhost@evil.example", "localhost", False),
        ("null", "localhost", False),
        ("", "localhost", False),
        ("file://localhost", "localhost", False),
        ("http://localhost:x", "localhost", False),
        ("http://[", "localhost", False),
    ],
)
def test_only_pages_of_this_host_may_post_to_it(
    origin: str, host: str, allowed: bool
) -> None:
    headers = {"origin": origin, "host": host}
    assert checks.origin_allowed(headers, GIVEN) is allowed
    bearing = {**headers, "authorization": "Bearer x"}
    assert checks.origin_allowed(bearing, GIVEN) is allowed


@given(st.sampled_from(["http", "https"]), NAME, PORT, NAME, PORT)
def test_what_is_posted_from_another_name_is_refused(
    scheme: str, name: str, port: int | None, other: str, other_port: int | None
) -> None:
    origin = f"{scheme}://{host(other, other_port)}"
    headers = {"origin": origin, "host": host(name, port)}
    allowed = checks.origin_allowed(headers, GIVEN)
    same = urlsplit(origin).hostname == name
    assert not allowed or same or other in GIVEN


@pytest.mark.parametrize(
    ("site", "allowed"),
    [
        ("same-origin", True),
        ("none", True),
        ("same-site", False),
        ("cross-site", False),
    ],
)
def test_a_browser_that_says_where_it_posts_from_is_believed(
    site: str, allowed: bool
) -> None:
    headers = {"origin": "http://ci", "host": "ci", "sec-fetch-site": site}
    assert checks.origin_allowed(headers, GIVEN) is allowed


def test_without_an_origin_only_a_token_in_the_header_will_do() -> None:
    assert checks.origin_allowed({"authorization": "bearer x"}, GIVEN)
    assert not checks.origin_allowed({"authorization": "Basic x"}, GIVEN)
    assert not checks.origin_allowed({"cookie": f"{checks.COOKIE}=x"}, GIVEN)
    assert not checks.origin_allowed({}, GIVEN)


@given(st.text(), st.text())
def test_secrets_are_equal_or_not(one: str, other: str) -> None:
    assert checks.same_secret(one, one)
    assert checks.same_secret(one, other) is (one == other)


@pytest.mark.parametrize(
    ("cookie", "session"),
    [
        ("", None),
        ("a=b", None),
        (f"{checks.COOKIE}=x", "x"),
        (f"a=b; {checks.COOKIE}=x=; c", "x="),
        (f"x{checks.COOKIE}=y", None),
        (f"{checks.COOKIE}", ""),
    ],
)
def test_the_session_is_found_among_cookies(cookie: str, session: str | None) -> None:
    assert checks.session_of({"cookie": cookie}) == session


@given(st.text(max_size=30))
def test_a_form_leads_back_to_this_host_alone(target: str) -> None:
    path = checks.local_path(target)
    assert path in ("/", target)
    parts = urlsplit(path)
    assert (parts.scheme, parts.netloc) == ("", "")
    assert path.startswith("/")
    assert not path.startswith(("//", "/\\"))


@pytest.mark.parametrize(
    "target", ["//evil.example", "/\\evil", "http://x/", "/\r\nX: y"]
)
def test_a_form_does_not_lead_elsewhere(target: str) -> None:
    assert checks.local_path(target) == "/"


def test_a_form_leads_back_to_where_it_was() -> None:
    assert checks.local_path("/builds/7?plugin=a&x=%20") == "/builds/7?plugin=a&x=%20"
