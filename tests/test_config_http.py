"""The table [http]."""

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.config_texts import DIRECTORY, only_problem, parse

from hydra_notify.config import (
    HttpConfig,
    NetworkAddress,
    SecretSource,
    UnixAddress,
    describe,
)
from hydra_notify.config.http import address_of


def test_without_the_table_there_is_no_address_and_no_token() -> None:
    assert parse("").http == HttpConfig()
    assert parse("").http.address is None
    assert describe(parse("")) == []


def test_every_key_arrives_where_it_belongs() -> None:
    config = parse(
        """
        [http]
        listen = "[::1]:9199"
        token = { file = "token" }
        hosts = ["hydra-notify.example.org", "ci"]
        """
    )
    assert config.http == HttpConfig(
        listen="[::1]:9199",
        token=SecretSource(file=DIRECTORY / "token"),
        hosts=("hydra-notify.example.org", "ci"),
    )
    assert config.http.address == NetworkAddress("::1", 9199)


@pytest.mark.parametrize(
    ("text", "address"),
    [
        ("127.0.0.1:9199", NetworkAddress("127.0.0.1", 9199)),
        ("192.0.2.1:80", NetworkAddress("192.0.2.1", 80)),
        ("[::]:65535", NetworkAddress("::", 65535)),
        ("unix:/run/x.sock", UnixAddress(Path("/run/x.sock"))),
    ],
)
def test_an_address_is_a_port_or_a_path(
    text: str, address: NetworkAddress | UnixAddress
) -> None:
    assert address_of(text) == address
    assert str(address) == text


@given(st.ip_addresses(), st.integers(1, 65_535))
def test_every_address_is_read_as_it_is_written(ip: object, port: int) -> None:
    address = NetworkAddress(str(ip), port)
    assert address_of(str(address)) == address


@pytest.mark.parametrize(
    "text",
    [
        "9199",
        ":9199",
        "localhost:9199",
        "127.0.0.1",
        "127.0.0.1:0",
        "127.0.0.1:65536",
        "127.0.0.256:80",
        "::1:9199",
        "[127.0.0.1]:80",
        "[x]:80",
        "http://127.0.0.1:9199",
        "unix:run/x.sock",
        "unix:",
        "127.0.0.1:\uff11",
    ],
)
def test_anything_else_is_no_address_and_says_what_is(text: str) -> None:
    problem = only_problem(f'[http]\nlisten = "{text}"')
    assert problem.key == "http.listen"
    assert '"127.0.0.1:9199"' in problem.fix


def test_a_path_that_no_socket_can_have_is_refused() -> None:
    problem = only_problem(f'[http]\nlisten = "unix:/{"x" * 107}"')
    assert "at most 107 bytes" in problem.fix


@pytest.mark.parametrize("name", ["", "a b", "http://x", "x:80", "*.x", "-x", "x/"])
def test_a_name_of_the_host_is_a_name(name: str) -> None:
    problem = only_problem(f'[http]\nhosts = ["{name}"]')
    assert problem.key == "http.hosts[0]"


@pytest.mark.parametrize(
    ("token", "words"),
    [
        ('"hunter22"', "is a string, not a table"),
        ("{}", "needs one of file and credential"),
        ('{ file = "a", credential = "b" }', "needs one of file and credential"),
    ],
)
def test_a_token_is_a_reference_and_never_repeated(token: str, words: str) -> None:
    problem = only_problem(f"[http]\ntoken = {token}")
    assert problem.key == "http.token"
    assert words in problem.problem
    assert "hunter22" not in str(problem)


@pytest.mark.parametrize(
    ("text", "lines"),
    [
        ('listen = "127.0.0.1:9199"', ["http: 127.0.0.1:9199 (read-only)"]),
        (
            'listen = "unix:/run/x"\nhosts = ["ci"]\ntoken = { file = "t" }',
            ["http: unix:/run/x, also as ci (whoever has the token may act)"],
        ),
    ],
)
def test_it_is_described_in_a_line(text: str, lines: list[str]) -> None:
    assert describe(parse(f"[http]\n{text}")) == lines


@pytest.mark.parametrize("address", ["0.0.0.0:9199", "[::]:9199", "192.0.2.1:80"])
def test_an_address_beyond_this_machine_is_warned_of(address: str) -> None:
    _, warning = describe(parse(f'[http]\nlisten = "{address}"'))
    assert warning.startswith("http: warning: ")
    assert "TLS" in warning
