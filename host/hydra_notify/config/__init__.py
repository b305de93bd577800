"""The configuration: TOML and the environment in, frozen values or all problems out.

* `model`: every key, with its unit and default.
* `confinement`: what a plugin may use up, and what it may reach.
* `http`: where the host answers HTTP, and who may act there.
* `match`: which events a plugin gets.
* `read`: a file to a `Config`; `decode` and `wording` find and word its problems.
* `checks`: what is wrong with a string; `plugin_checks`: with a plugin's tables.
* `duration`, `size`: 7d, 256M and 50%.
* `database_url`: where Postgres is, by file, environment, or default.
* `secrets`: the values behind secret references.
* `describe`: what it all means, for `check-config`.
"""

from hydra_notify.config.confinement import LimitsConfig, SandboxConfig
from hydra_notify.config.database_url import (
    database_url,
    passwords,
    without_password,
)
from hydra_notify.config.describe import describe
from hydra_notify.config.http import (
    Address,
    HttpConfig,
    NetworkAddress,
    SecretSource,
    UnixAddress,
)
from hydra_notify.config.match import STATUSES, Match
from hydra_notify.config.model import (
    Config,
    DatabaseConfig,
    HostConfig,
    LogLevel,
    PluginConfig,
)
from hydra_notify.config.read import parse_config, read_config
from hydra_notify.config.secrets import read_secret, read_secrets

__all__ = [
    "STATUSES",
    "Address",
    "Config",
    "DatabaseConfig",
    "HostConfig",
    "HttpConfig",
    "LimitsConfig",
    "LogLevel",
    "Match",
    "NetworkAddress",
    "PluginConfig",
    "SandboxConfig",
    "SecretSource",
    "UnixAddress",
    "database_url",
    "describe",
    "parse_config",
    "passwords",
    "read_config",
    "read_secret",
    "read_secrets",
    "without_password",
]
