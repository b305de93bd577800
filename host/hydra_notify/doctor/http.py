"""The address of `http.listen`, and who may act there."""

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Final

from hydra_notify.config import HttpConfig
from hydra_notify.config.http import Address, UnixAddress
from hydra_notify.doctor.check import Check, fail, ok, warn
from hydra_notify.doctor.files import secret_checks
from hydra_notify.doctor.host import Found
from hydra_notify.doctor.limits import CONNECT_LIMIT
from hydra_notify.http.client import HostError, NoHost, Refusal, ask

_SECTION: Final = "http"

_ANYWHERE: Final = {"0.0.0.0": "127.0.0.1", "::": "::1"}  # noqa: S104 - to be asked


def http_checks(
    http: HttpConfig, found: Found, environ: Mapping[str, str]
) -> list[Check]:
    """Whether the page can be reached, by whom, and whether they may act; blocks.

    Args:
        http: As it is in the file.
        found: Of the host here.
        environ: See `read_secret`.
    """
    address = http.address
    if address is None:
        return [ok(_SECTION, "http.listen is not set: only commands can ask the host")]
    checks = [_answers(address, found)]
    if http.warning:
        words, _, fix = http.warning.rpartition(": ")
        checks.append(warn(_SECTION, words, fix))
    if http.token is None:
        words = "http.token is not set: the page shows, and nobody can act there"
        return [*checks, ok(_SECTION, words)]
    running = found.status is not None
    token = secret_checks(_SECTION, "http.token", http.token, environ, in_use=running)
    return [*checks, *token]


def _answers(address: Address, found: Found) -> Check:
    place = _place(address)
    try:
        told = ask(place, "GET", "/healthz", seconds=CONNECT_LIMIT).body
    except NoHost:
        if found.status is None:
            return ok(_SECTION, f"{address} is free for a host")
        words = f"nothing answers at {address}, though a host runs"
        fix = "its log says why (http.listen); or reload it, if that key is new"
        return fail(_SECTION, words, fix)
    except Refusal:
        # It says that it is stuck: the section of the host has more of that.
        return ok(_SECTION, f"somebody answers at {address}")
    except HostError as error:
        fix = f"find out what it is: ss --listening --processes | grep {address}"
        return warn(_SECTION, f"what answers at {address} is no host: {error}", fix)
    try:
        ours = "status" in json.loads(told)
    except (ValueError, TypeError):
        ours = False
    if ours and found.status is not None:
        return ok(_SECTION, f"the host answers at {address}")
    words = f"another {'host' if ours else 'program'} answers at {address}"
    return warn(_SECTION, words, "end it, or choose another http.listen")


def _place(address: Address) -> Path | tuple[str, int]:
    if isinstance(address, UnixAddress):
        return address.path
    return _ANYWHERE.get(address.host, address.host), address.port
