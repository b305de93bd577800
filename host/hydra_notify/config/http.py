"""Where the host answers HTTP, and who may act there."""

import re
from ipaddress import ip_address
from pathlib import Path
from typing import Annotated, Final, NamedTuple

from msgspec import Struct

from hydra_notify.config.checks import check_credential, check_path
from hydra_notify.config.decode import Advice, Finding
from hydra_notify.limits import SOCKET_PATH_BYTES

_UNIX: Final = "unix:"

_NETWORK: Final = re.compile(
    r"(?:\[(?P<six>[^\]]+)\]|(?P<four>[0-9.]+)):(?P<port>[0-9]{1,5})"
)

_NAME: Final = re.compile(r"(?!-)[a-z0-9-]{1,63}(?:\.[a-z0-9-]{1,63})*", re.IGNORECASE)

_LAST_PORT: Final = 65_535


class SecretSource(Struct, frozen=True, kw_only=True):
    """Where a secret is read from, each time that it is needed; one of the two.

    Attributes:
        file: Its path.
        credential: The name of a systemd credential.
    """

    file: Annotated[
        Path | None, Advice('write { file = "/run/keys/token" }', check_path)
    ] = None
    credential: Annotated[
        str | None, Advice('write { credential = "token" }', check_credential)
    ] = None


class UnixAddress(NamedTuple):
    """A socket of this machine, by its absolute path."""

    path: Path

    def __str__(self) -> str:
        return f"{_UNIX}{self.path}"


class NetworkAddress(NamedTuple):
    """A port of an address of this machine; `host` is an IPv4 or IPv6 address."""

    host: str
    port: int

    def __str__(self) -> str:
        host = f"[{self.host}]" if ":" in self.host else self.host
        return f"{host}:{self.port}"

    @property
    def is_loopback(self) -> bool:
        """Whether programs of this machine alone can connect."""
        return ip_address(self.host).is_loopback


Address = UnixAddress | NetworkAddress


def address_of(text: str) -> Address | None:
    """The address that `text` writes; None where it is none."""
    if text.startswith(_UNIX):
        path = Path(text.removeprefix(_UNIX))
        return UnixAddress(path) if path.is_absolute() else None
    found = _NETWORK.fullmatch(text)
    if found is None:
        return None
    host, port = found["six"] or found["four"], int(found["port"])
    try:
        version = ip_address(host).version
    except ValueError:
        return None
    fits = (version == 6) == (found["six"] is not None)
    return NetworkAddress(host, port) if fits and 0 < port <= _LAST_PORT else None


def check_listen(text: str) -> Finding | None:
    """What is wrong with an address to listen at."""
    address = address_of(text)
    if isinstance(address, UnixAddress):
        if "\0" in text or len(str(address.path).encode()) > SOCKET_PATH_BYTES:
            fix = f"write one of at most {SOCKET_PATH_BYTES} bytes"
            return "is not a path that a socket can have", fix
        return None
    if address is None:
        return (
            "is not an address to listen at",
            'write an IP address and a port, such as "127.0.0.1:9199" or "[::1]:9199",'
            ' or "unix:/run/hydra-notify/http.sock"',
        )
    return None


def check_host_name(text: str) -> Finding | None:
    """What is wrong with a name of this host."""
    if _NAME.fullmatch(text):
        return None
    return (
        "is not the name of a host",
        'write the name alone, such as "hydra-notify.example.org"',
    )


class HttpConfig(Struct, frozen=True, kw_only=True):
    """HTTP beside the host's own socket.

    Attributes:
        listen: Where; empty: nowhere. `address` has what it means.
        token: What whoever wants to act has to know; without it nobody can.
        hosts: Names that browsers use for this host, beside `localhost`, its IP
            addresses and the machine's own name.
    """

    listen: Annotated[str, Advice('write listen = "127.0.0.1:9199"', check_listen)] = ""
    token: Annotated[
        SecretSource | None,
        Advice('a token is a reference; write token = { file = "/path" }'),
    ] = None
    hosts: Annotated[
        tuple[Annotated[str, Advice("put it in quotes", check_host_name)], ...],
        Advice('write hosts = ["hydra-notify.example.org"]'),
    ] = ()

    @property
    def address(self) -> Address | None:
        """Where to listen; None for nowhere."""
        return address_of(self.listen)

    @property
    def warning(self) -> str:
        """What is to be said of who can reach it; empty for nothing."""
        address = self.address
        if not isinstance(address, NetworkAddress) or address.is_loopback:
            return ""
        return (
            f"whoever reaches {address} can look, and nothing is encrypted: listen at"
            " 127.0.0.1 with a reverse proxy in front that does TLS, or have a firewall"
        )
