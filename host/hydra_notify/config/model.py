"""What the host is told: every key of `hydra-notify.toml`, its unit and its default.

Relative paths start at the file's own directory.
"""

from pathlib import Path
from typing import Annotated, Literal

from msgspec import Meta, Struct

from hydra_notify.config.checks import (
    check_base_url,
    check_duration,
    check_path,
    check_text,
    check_variable,
)
from hydra_notify.config.confinement import LimitsConfig, SandboxConfig
from hydra_notify.config.database_url import DEFAULT_URL, without_password
from hydra_notify.config.decode import Advice
from hydra_notify.config.duration import seconds_of
from hydra_notify.config.http import HttpConfig, SecretSource
from hydra_notify.config.match import Match
from hydra_notify_sdk.wire.limits import (
    MAX_EVENT_TIMEOUT_MS,
    MAX_IN_FLIGHT,
    MIN_EVENT_TIMEOUT_MS,
)

LogLevel = Literal["debug", "info", "notice", "warning", "error", "critical"]
"""Least first; the words of syslog, less the three that no program should use."""

Environment = Annotated[
    dict[
        Annotated[str, Advice("", check_variable)],
        Annotated[str, Advice("put it in quotes", check_text)],
    ],
    Advice('write environment = { LANG = "C.UTF-8" }'),
]
"""Variables for a plugin."""


_MEANT_FOR_SANDBOX = "files, network and user belong in the table sandbox"
_MEANT_FOR_LIMITS = "numbers belong in the table limits"


class DatabaseConfig(Struct, frozen=True):
    """Where Postgres is.

    Attributes:
        url: For libpq; in the file it may be missing, see `database_url`.
    """

    url: Annotated[str, Advice(f'write url = "{DEFAULT_URL}"')] = ""

    def __repr__(self) -> str:
        return f"DatabaseConfig(url={without_password(self.url)!r})"


class HostConfig(Struct, frozen=True, kw_only=True):
    """The host itself.

    Attributes:
        base_url: Of Hydra's web interface, without a slash at its end.
        state_dir: Where the host has its socket and each plugin a directory of its own;
            `$STATE_DIRECTORY` (systemd) where the file says nothing.
        hydra_data: Hydra's data directory; `$HYDRA_DATA` where the file says nothing.
    """

    base_url: Annotated[
        str,
        Advice('write base_url = "https://hydra.example.org"', check_base_url),
    ] = "http://localhost:3000"
    state_dir: Annotated[
        Path, Advice('write state_dir = "/var/lib/hydra-notify"', check_path)
    ] = Path("/var/lib/hydra-notify")
    hydra_data: Annotated[
        Path, Advice('write hydra_data = "/var/lib/hydra"', check_path)
    ] = Path("/var/lib/hydra")


class PluginConfig(Struct, frozen=True, kw_only=True):
    """One plugin.

    Attributes:
        name: The table's name, and the plugin's `instance`.
        directory: Of the configuration file.
        command: Program and arguments, run without a shell. A program with a slash in
            it is made absolute, starting at `directory`; one without is sought in PATH.
        required: Whether a build's pending flag waits for this plugin.
        give_up_after: How long after its first failure a delivery is tried again,
            as written; `give_up_seconds` has the number.
        on_dead: Whether a delivery that was given up goes on holding the flag, so that
            the build stays pending, or lets it be cleared. (Of a required plugin.)
        match: Which events it gets.
        settings: Handed to it as its `config`; whatever JSON can hold.
        secrets: Where its secrets are read from.
        environment: Variables it gets beside the few that all plugins get.
        log_level: The least level that is kept of its log.
        timeout_ms: Milliseconds for one event at most; for the operator of a plugin
            that asks for too long. None: what the plugin asks for.
        max_in_flight: Unanswered events at most; for the operator of a service that
            cannot take many at once. None: what the plugin asks for.
        limits: What of the machine it may use up.
        sandbox: What it may reach.
    """

    name: str
    directory: Path
    command: Annotated[
        tuple[Annotated[str, Advice("put it in quotes", check_text)], ...],
        Meta(min_length=1),
        Advice('write command = ["program", "argument"]'),
    ]
    required: Annotated[bool, Advice("write required = true or required = false")] = (
        True
    )
    give_up_after: Annotated[
        str, Advice('write a time in quotes, such as "7d"', check_duration)
    ] = "7d"
    on_dead: Annotated[
        Literal["hold", "clear"], Advice('write on_dead = "hold" or on_dead = "clear"')
    ] = "hold"
    match: Annotated[
        Match,
        Advice(
            'write match = { jobs = ["nixpkgs:*:*"] }',
            stray="only these three narrow what a plugin gets",
        ),
    ] = Match()
    settings: Annotated[
        dict[str, object], Advice('write settings = { channel = "#builds" }')
    ] = {}
    secrets: Annotated[
        dict[
            str,
            Annotated[
                SecretSource,
                Advice('secrets are references; write { file = "/path" }'),
            ],
        ],
        Advice('write secrets = { token = { file = "/path" } }'),
    ] = {}
    environment: Environment = {}
    log_level: Annotated[
        LogLevel,
        Advice("write debug, info, notice, warning, error or critical in quotes"),
    ] = "info"
    timeout_ms: Annotated[
        Annotated[int, Meta(ge=MIN_EVENT_TIMEOUT_MS, le=MAX_EVENT_TIMEOUT_MS)] | None,
        Advice(
            "write milliseconds, an integer from "
            f"{MIN_EVENT_TIMEOUT_MS} to {MAX_EVENT_TIMEOUT_MS}"
        ),
    ] = None
    max_in_flight: Annotated[
        Annotated[int, Meta(ge=1, le=MAX_IN_FLIGHT)] | None,
        Advice(f"write an integer from 1 to {MAX_IN_FLIGHT}"),
    ] = None
    limits: Annotated[
        LimitsConfig,
        Advice('write limits = { memory = "256M" }', stray=_MEANT_FOR_SANDBOX),
    ] = LimitsConfig()
    sandbox: Annotated[
        SandboxConfig,
        Advice('write sandbox = { read = ["/srv/data"] }', stray=_MEANT_FOR_LIMITS),
    ] = SandboxConfig()

    @property
    def give_up_seconds(self) -> float:
        """Seconds after its first failure at which a delivery is given up."""
        seconds = seconds_of(self.give_up_after)
        assert seconds is not None
        return seconds


class Config(Struct, frozen=True, kw_only=True):
    """One configuration file, and what the environment adds to it."""

    database: DatabaseConfig
    host: HostConfig
    http: HttpConfig = HttpConfig()
    plugins: dict[str, PluginConfig]
