"""The host that runs, if one does."""

from dataclasses import dataclass
from enum import Enum, auto
from pathlib import Path
from typing import Final

from msgspec import DecodeError
from msgspec.json import decode

import hydra_notify
from hydra_notify.config import Config, without_password
from hydra_notify.doctor.check import Check, fail, ok, warn
from hydra_notify.doctor.elsewhere import Active
from hydra_notify.http import SOCKET_NAME
from hydra_notify.http.client import HostError, NoHost, ask
from hydra_notify.limits import HTTP_ANSWER
from hydra_notify.metrics import Role
from hydra_notify.status import HostStatus

_SECTION: Final = "host"

STATUS: Final = "/status.json"
"""Where a host says how it is."""

_ELSEWHERE: Final = frozenset({"ledger-missing", "ledger-not-usable", "standby"})
"""Problems of a host that other sections tell of, or that are none."""

_RELOAD: Final = "reload it, if the file is the one it reads: systemctl reload"


class Presence(Enum):
    """Whether a host runs here."""

    ABSENT = auto()
    ANSWERS = auto()
    UNKNOWN = auto()
    """It cannot be asked."""


@dataclass(frozen=True, slots=True)
class Found:
    """What was seen of the host here.

    Attributes:
        status: As it says; only of one that answers.
        reason: Why it could not be asked.
    """

    presence: Presence
    status: HostStatus | None = None
    reason: str = ""

    @property
    def running(self) -> HostStatus | None:
        """The host, if it runs plugins."""
        active = self.status is not None and self.status.role is Role.ACTIVE
        return self.status if active else None


def ask_status(socket: Path, seconds: float = HTTP_ANSWER) -> HostStatus:
    """How the host is.

    Args:
        socket: Of the host.
        seconds: For its answer.

    Raises:
        HostError: It cannot be asked, or says it in a way that we do not know.
    """
    body = ask(socket, "GET", STATUS, seconds=seconds).body
    try:
        return decode(body, type=HostStatus)
    except DecodeError as error:
        words = f"the host at {socket} is of another version ({error})"
        raise HostError(f"{words}: use its own program, or restart it") from error


def find_host(config: Config) -> Found:
    """Ask for a host at the socket of the configuration; blocks."""
    try:
        status = ask_status(config.host.state_dir / SOCKET_NAME)
    except NoHost:
        return Found(Presence.ABSENT)
    except HostError as error:
        return Found(Presence.UNKNOWN, reason=str(error))
    return Found(Presence.ANSWERS, status)


def host_checks(
    config: Config, found: Found, active: Active | None, *, asked: bool
) -> list[Check]:
    """Whether a host delivers, and whether it does what the configuration says.

    Args:
        config: As it is in the file.
        found: Of the host here.
        active: The host that is active on the database.
        asked: Whether the database could be asked for that.
    """
    if found.status is not None:
        return [*_of(found.status), *_agrees(config, found.status)]
    if found.presence is Presence.UNKNOWN:
        fix = "run this as the host's user; if the host hangs, its log says more"
        return [warn(_SECTION, f"it cannot be asked: {found.reason}", fix)]
    if active is not None:
        words = f"none runs here; another one is active: {active}"
        return [warn(_SECTION, words, "nothing, if that is as it should be")]
    nowhere = ", and none is active on the database" if asked else ""
    socket = config.host.state_dir / SOCKET_NAME
    words = f"none listens at {socket}{nowhere}: nothing is delivered"
    fix = "start it, or name the configuration of the one that runs with --config"
    return [warn(_SECTION, words, fix)]


def _of(status: HostStatus) -> list[Check]:
    words = f"hydra-notify {status.version} runs, {status.role}: {status.words}"
    checks = [ok(_SECTION, words)]
    if status.version != hydra_notify.__version__:
        words = f"it is of version {status.version}, this is {hydra_notify.__version__}"
        checks.append(warn(_SECTION, words, "restart it, if this is the one meant"))
    for problem in status.problems:
        if problem.plugin or problem.name in _ELSEWHERE:
            continue
        grade = fail if problem.severity == "critical" else warn
        checks.append(grade(_SECTION, problem.summary, problem.fix))
    return checks


def _agrees(config: Config, status: HostStatus) -> list[Check]:
    """What of the file the host has not taken yet."""
    checks: list[Check] = []
    address = without_password(config.database.url)
    if address != status.database.address:
        words = f"it uses {status.database.address}, the file says {address}"
        checks.append(warn(_SECTION, words, _RELOAD))
    known = {each.name: tuple(each.command) for each in status.plugins}
    wanted = {name: each.command for name, each in config.plugins.items()}
    for name in sorted(known.keys() | wanted.keys()):
        if name not in known:
            words = f"it does not know the plugin {name} of the file"
        elif name not in wanted:
            words = f"it runs the plugin {name}, which is not in the file"
        elif known[name] != wanted[name]:
            words = f"it runs another command for {name} than the file says"
        else:
            continue
        checks.append(warn(_SECTION, words, _RELOAD))
    return checks
