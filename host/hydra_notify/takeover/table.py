"""Each block of Hydra's, the program that takes its place, and what its keys become."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import Enum, auto
from typing import Final

PROGRAM: Final = "hydra-notify-{}"
"""What the program of a plugin is called."""

BRIDGE: Final = (PROGRAM.format("perl-bridge"),)
"""What runs a plugin of Hydra's own, unmodified."""

DEFAULT_TOKEN: Final = "token"  # noqa: S105 - a name
"""The secret of a forge's plugin for whoever has none of their own."""


class As(Enum):
    """What becomes of a value: everything in Hydra's files is text."""

    TEXT = auto()
    TEMPLATE = auto()
    """Text in which braces mean something here."""

    FLAG = auto()
    """True as in Perl."""

    NUMBER = auto()
    LIST = auto()
    """Of all that stand under the key."""


Setting = tuple[str, As]
"""What a key is called here, and what becomes of its value."""


@dataclass(frozen=True, slots=True)
class Program:
    """What takes the place of a block.

    Attributes:
        name: Of the plugin's table, and of the program with `_` for `-`.
        settings: By Hydra's key.
        secrets: Hydra's key of each, and what it is called here.
        perl: The class that reads the block, as `taskretries` has it.
        required: Hydra's keys that the program cannot do without.
        owners: Hydra's block of tokens by owner, which all its blocks share.
        jobs: Whether Hydra's block has a key `jobs`.
        second: What changes for a block after the first.
        changed: What changes for every one.
        todo: What has to be done for every one.
    """

    name: str
    perl: str
    settings: Mapping[str, Setting] = field(default_factory=dict)
    secrets: Mapping[str, str] = field(default_factory=dict)
    required: tuple[str, ...] = ()
    owners: str = ""
    jobs: bool = False
    second: str = ""
    changed: str = ""
    todo: str = ""

    @property
    def command(self) -> tuple[str]:
        """The program."""
        return (PROGRAM.format(self.name.replace("_", "-")),)


_ANSWERS: Final = (
    "what the service refuses or misses is tried again, "
    "where Hydra took every answer for a success"
)

BLOCKS: Final[Mapping[str, Program]] = {
    "githubstatus": Program(
        "github",
        "GithubStatus",
        {
            "inputs": ("inputs", As.LIST),
            "context": ("context", As.TEMPLATE),
            "description": ("description", As.TEMPLATE),
            "excludeBuildFromContext": ("exclude_build_from_context", As.FLAG),
            "useShortContext": ("use_short_context", As.FLAG),
        },
        {"authorization": DEFAULT_TOKEN},
        owners="github_authorization",
        jobs=True,
        second=(
            "it begins to send: Hydra's plugin sends statuses by the first "
            "githubstatus block alone that a build matches"
        ),
        changed=_ANSWERS,
    ),
    "slack": Program(
        "slack",
        "SlackNotification",
        {"force": ("force", As.FLAG)},
        {"url": "url"},
        required=("url",),
        jobs=True,
        changed=_ANSWERS,
    ),
    "influxdb": Program(
        "influxdb",
        "InfluxDBNotification",
        {"url": ("url", As.TEXT), "db": ("db", As.TEXT)},
        required=("url", "db"),
        second="both begin to send: with two influxdb blocks Hydra does nothing",
        changed=_ANSWERS,
    ),
    "circleci": Program(
        "circleci",
        "CircleCINotification",
        {
            "vcstype": ("vcstype", As.TEXT),
            "username": ("username", As.TEXT),
            "project": ("project", As.TEXT),
            "branch": ("branch", As.TEXT),
            "force": ("force", As.FLAG),
        },
        {"token": "token"},
        required=("vcstype", "username", "project", "branch", "token"),
        jobs=True,
        changed=_ANSWERS,
    ),
    "coverityscan": Program(
        "coverity",
        "CoverityScan",
        {
            "project": ("project", As.TEXT),
            "email": ("email", As.TEXT),
            "scanurl": ("url", As.TEXT),
        },
        {"token": "token"},
        required=("project", "email", "token"),
        jobs=True,
        second=(
            "it uploads too: Hydra's plugin obeys the first coverityscan block alone "
            "that a build matches"
        ),
        changed="an upload that failed is tried again, where Hydra went on",
    ),
    "sotest": Program(
        "sotest",
        "SoTest",
        {"uri": ("url", As.TEXT), "priority": ("priority", As.NUMBER)},
        # Its value is the file's name.
        {"authfile": "auth"},
        required=("authfile",),
    ),
    "s3backup": Program(
        "s3_backup",
        "S3Backup",
        {
            "name": ("bucket", As.TEXT),
            "prefix": ("prefix", As.TEXT),
            "compression_type": ("compression", As.TEXT),
        },
        required=("name",),
        jobs=True,
        changed="a long upload holds up nobody else",
        todo=(
            "set secrets.access_key_id and secrets.secret_access_key, which Hydra took "
            "from its environment, and a PATH in environment that has nix-store"
        ),
    ),
}
"""By their names in Hydra's file."""

SECRET_FILES: Final = frozenset({"authfile"})
"""Keys that name a file which holds the secret alone."""

TOKENS: Final[Mapping[str, Program]] = {
    "gitea_authorization": Program(
        "gitea",
        "GiteaStatus",
        changed=f"{_ANSWERS}; it also does flakes, pending and cached builds",
        todo=(
            "set settings.url to the address of your Gitea: Hydra's plugin sent the "
            "token to any address that a jobset names"
        ),
    ),
    "gitlab_authorization": Program(
        "gitlab",
        "GitlabStatus",
        changed=_ANSWERS,
        todo=(
            "set settings.url, unless it is https://gitlab.com: Hydra's plugin sent "
            "the token to any address that a jobset names"
        ),
    ),
}
"""Blocks that hold tokens by owner or project, and switch a plugin on."""

BITBUCKET: Final = Program(
    "bitbucket",
    "BitBucketStatus",
    {"username": ("username", As.TEXT)},
    {"password": "password"},
    required=("username", "password"),
    changed=_ANSWERS,
)
"""For `<bitbucket>`, where `enable_bitbucket_status` is 1."""

COMPRESS_LOG: Final = Program(
    "compress_log",
    "CompressLog",
    {"compress_build_logs_compression": ("compression", As.TEXT)},
)
"""Its keys stand outside of all blocks."""

RUN_COMMAND: Final = Program("run_command", "RunCommand")
MAIL: Final = Program("mail", "EmailNotification")

COMMANDS: Final = "commands"
"""RunCommand's setting: a list of job and command."""

DYNAMIC: Final = "dynamic"
"""Its setting for commands that are builds themselves."""

HYDRAS_OWN: Final = frozenset(
    {
        "binarycachesecretkey",
        "darcs-input",
        "dynamicruncommand",
        "email_notifications",
        "git-input",
        "githubrefs",
        "hg-input",
        "hydra_evaluator",
        "hydra_notify",
        "hydra_queue_runner",
        "ldap",
        "oidc",
        "path-input",
        "plugins",
        "queue_runner",
        "runcommand",
        "statsd",
        "svn-input",
        "webhooks",
        "bitbucket",
        *BLOCKS,
        *TOKENS,
        *(each.owners for each in BLOCKS.values() if each.owners),
    }
)
"""Blocks that are dealt with, or that other parts of Hydra read."""

DECLARATIVE: Final = "DeclarativeJobsets"
"""Hydra's own class: no key switches it off, and nothing here replaces it."""
