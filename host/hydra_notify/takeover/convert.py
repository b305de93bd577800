"""Hydra's configuration to a document for `hydra-notify.toml`."""

from collections.abc import Mapping
from pathlib import Path
from typing import Final

import tomli_w

from hydra_notify.config import database_url, parse_config, without_password
from hydra_notify.errors import ConfigError
from hydra_notify.hydra_conf import Block, Hydra, HydraConfError, Scalar
from hydra_notify.takeover.commands import add_commands
from hydra_notify.takeover.draft import Draft, Kind, Result
from hydra_notify.takeover.mail import add_mail
from hydra_notify.takeover.programs import add_blocks, add_forges
from hydra_notify.takeover.rest import (
    add_compress_log,
    add_perl_plugins,
    say_prometheus,
)
from hydra_notify.takeover.said import scalar

_URLS: Final = ("HYDRA_DATABASE_URL", "HYDRA_DBI")


def convert(hydra: Hydra, secrets: Path, environ: Mapping[str, str]) -> Result:
    """What takes the place of Hydra's own daemon.

    Args:
        hydra: Its configuration.
        secrets: The directory that the result expects secrets in.
        environ: Of Hydra's service, as far as it is known: where its database and its
            data are.

    Raises:
        HydraConfError: Something in it cannot be used, by Hydra either.
    """
    draft = Draft(secrets)
    top = hydra.top
    document: dict[str, object] = {}
    if url := _database(draft, top, environ):
        document["database"] = {"url": url}
    if host := _host(top, environ):
        document["host"] = host
    add_blocks(draft, top)
    add_forges(draft, top)
    add_mail(draft, top)
    add_commands(draft, top)
    add_compress_log(draft, top)
    add_perl_plugins(draft, top)
    say_prometheus(draft, top)
    document["plugins"] = draft.plugins
    return Result(document, tuple(draft.secrets), tuple(draft.notes), draft.perl)


def _database(draft: Draft, top: Block, environ: Mapping[str, str]) -> str:
    """The database's URL without its password; "" where nothing says it."""
    if not any(environ.get(name) for name in _URLS):
        words = (
            "database.url is not said in Hydra's file: give the host's unit the "
            "$HYDRA_DATABASE_URL or $HYDRA_DBI of Hydra's, which it reads as well"
        )
        draft.say(Kind.TODO, top.place, "", words)
        return ""
    url = database_url(None, environ)
    if without_password(url) == url:
        return url
    words = (
        "database.url has a password in Hydra's environment, and is left out here: "
        "keep it there, or in a file that $PGPASSFILE names"
    )
    draft.say(Kind.TODO, top.place, "", words)
    return ""


def _host(top: Block, environ: Mapping[str, str]) -> dict[str, object]:
    """The table `host`."""
    host: dict[str, object] = {}
    base = scalar(top, "base_uri")
    if base is not None and base.text:
        host["base_url"] = base.text
        _check_base_url(base, base.text)
    if environ.get("HYDRA_DATA"):
        host["hydra_data"] = environ["HYDRA_DATA"]
    return host


def _check_base_url(base: Scalar, url: str) -> None:
    """Refuse what the host would refuse, where it stands in Hydra's file."""
    if "@" in url:
        problem = "base_uri has a name or a password in it, and every message would"
        raise HydraConfError(base.place, problem, "leave them out")
    text = tomli_w.dumps({"host": {"base_url": url}})
    try:
        parse_config(text, directory=Path("/"), environ={})
    except ConfigError as error:
        first = error.problems[0]
        problem = f"base_uri {first.problem}"
        raise HydraConfError(base.place, problem, first.fix) from None
