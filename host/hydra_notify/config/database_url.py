"""Where Postgres is, out of the many places Hydra's installations say it.

libpq fills what a URL leaves out from its own variables, so `postgresql:///hydra`
already obeys `$PGHOST`, `$PGUSER` and `$PGPORT`.
"""

import re
from collections.abc import Mapping
from typing import Final
from urllib.parse import quote, unquote, urlencode, urlsplit

from hydra_notify.errors import ConfigError, Problem

DEFAULT_URL: Final = "postgresql:///hydra"
"""Hydra's own default: the database `hydra` behind the local socket."""

_DBI: Final = re.compile(r"dbi:(\w*):(.*)", re.IGNORECASE | re.DOTALL)

_PAIR: Final = re.compile(
    r"[\s;]*(\w+)\s*=\s*('(?:[^'\\]|\\.)*'|(?!')[^\s;]*)(?=[\s;]|$)", re.DOTALL
)
"""One `key=value` of a `dbi:Pg:` string, quoted as libpq does it."""

_SCHEME: Final = re.compile(r"[a-z][a-z0-9+.-]*://", re.IGNORECASE)

_USER_PASSWORD: Final = re.compile(r"(?<=://)([^:/@]*):.*@", re.DOTALL)
"""To the last @, so that a password with an unescaped one is hidden as a whole."""

_QUERY_PASSWORD: Final = re.compile(
    r"(?<=[?&])((?:ssl)?password|oauth_client_secret|scram_\w+_key)=([^&]*)"
)

_ITSELF: Final = (
    re.compile(r"://[^:/@]*:(.*)@", re.DOTALL),
    re.compile(r"://[^:/@]*:([^@]*)@"),
)
"""The same, and to the first @, should another one be in the rest."""

_WRITE: Final = f"write a URL such as {DEFAULT_URL}"


def database_url(configured: str | None, environ: Mapping[str, str]) -> str:
    """The URL for libpq. What is empty counts as not said.

    In this order: `configured`, `$HYDRA_DATABASE_URL`, `$HYDRA_DBI` (older Hydras),
    libpq's own variables, Hydra's default.

    Raises:
        ConfigError: It is not one of Postgres. The text is never repeated, since it may
            hold a password.
    """
    if configured:
        return _url(configured, "database.url")
    for name in ("HYDRA_DATABASE_URL", "HYDRA_DBI"):
        if environ.get(name):
            return _url(environ[name], f"${name}")
    if environ.get("PGDATABASE") or environ.get("PGSERVICE"):
        return "postgresql://"
    return DEFAULT_URL


def without_password(url: str) -> str:
    """`url` as it may be shown and logged."""
    return _QUERY_PASSWORD.sub(r"\1=***", _USER_PASSWORD.sub(r"\1:***@", url))


def passwords(url: str) -> set[str]:
    """What `without_password` hides, as it stands in `url` and as libpq reads it."""
    found: list[str] = [text for each in _ITSELF for text in each.findall(url)]
    found += (match[2] for match in _QUERY_PASSWORD.finditer(url))
    return {form for text in found for form in (text, unquote(text))}


def _url(text: str, key: str) -> str:
    dbi = _DBI.fullmatch(text)
    if dbi is not None:
        if dbi[1].lower() != "pg":
            raise _refused(key, f"is for DBI's driver {dbi[1]}, not for Pg")
        return _from_dbi(dbi[2], key)
    scheme = _SCHEME.match(text)
    if scheme is None:
        raise _refused(key, "is not a URL")
    if scheme[0] not in ("postgres://", "postgresql://"):
        raise _refused(key, f"begins with {scheme[0]}, not with postgresql://")
    try:
        urlsplit(text)
    except ValueError:
        # Its message repeats the text: not to be kept as the cause.
        raise _refused(key, "is not a URL") from None
    return text


def _from_dbi(settings: str, key: str) -> str:
    """The URL with the same meaning: all but the database's name go into its query."""
    found: dict[str, str] = {}
    position = 0
    while settings[position:].strip("; \t\r\n"):
        pair = _PAIR.match(settings, position)
        if pair is None:
            fix = "write it as dbi:Pg:dbname=hydra;host=localhost;user=hydra"
            raise ConfigError((Problem(key, "is not a list of key=value", fix),))
        value = pair[2][1:-1] if pair[2].startswith("'") else pair[2]
        found[pair[1]] = re.sub(r"\\(.)", r"\1", value, flags=re.DOTALL)
        position = pair.end()
    name = ""
    for alias in ("db", "database", "dbname"):
        name = found.pop(alias, name)
    query = urlencode(found, quote_via=quote)
    return f"postgresql:///{quote(name, safe='')}" + (f"?{query}" if query else "")


def _refused(key: str, problem: str) -> ConfigError:
    return ConfigError((Problem(key, problem, _WRITE),))
