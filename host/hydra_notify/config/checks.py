"""What a type alone cannot say about a string of the configuration."""

import re
from typing import Final
from urllib.parse import urlsplit

from hydra_notify.config.decode import Finding
from hydra_notify.config.duration import seconds_of
from hydra_notify.config.size import LEAST_MEMORY, bytes_of, percent_of

_NAME: Final = re.compile(r"[a-z0-9][a-z0-9_-]{0,62}")
"""A plugin's name is a folder, a metric's label and a column of the log."""


def check_name(name: str) -> Finding | None:
    """What is wrong with a plugin's name."""
    if _NAME.fullmatch(name):
        return None
    return (
        "is not a plugin's name",
        "use 1 to 63 of a-z 0-9 _ -, a letter or digit first",
    )


def check_base_url(url: str) -> Finding | None:
    """What is wrong with a web site's URL."""
    fix = 'write a URL such as "https://hydra.example.org"'
    try:
        parts = urlsplit(url)
    except ValueError:
        return "is not a URL", fix
    if parts.scheme not in ("http", "https") or not parts.netloc:
        return "is not the URL of a web site", fix
    if parts.query or parts.fragment or re.search(r"\s", url):
        return "has a part that no page's URL can follow", fix
    return None


def check_text(text: str) -> Finding | None:
    """What is wrong with a text that a program is given."""
    if "\0" in text:
        return "holds a NUL character, which no program can be given", "leave it out"
    return None


def check_path(path: str) -> Finding | None:
    """What is wrong with a path."""
    if not path:
        return "is empty", 'write a path such as "/var/lib/hydra-notify"'
    return check_text(path)


def check_variable(name: str) -> Finding | None:
    """What is wrong with the name of a variable."""
    if name.startswith("HYDRA_NOTIFY_"):
        return "is set by the host itself", "use a name without HYDRA_NOTIFY_"
    if not name or "=" in name or "\0" in name:
        return "is not the name of a variable", 'leave out "=" and NUL'
    return None


def check_duration(text: str) -> Finding | None:
    """What is wrong with a time."""
    if seconds_of(text) is not None:
        return None
    return "is not a time", 'write a number and s, m, h or d, such as "7d"'


def check_credential(name: str) -> Finding | None:
    """What is wrong with a credential's name."""
    if name in ("", ".", "..") or re.search(r"[/:\0]", name):
        # Not repeated: it may be the secret itself.
        return "is not a credential's name", "write its name from LoadCredential="
    return None


def check_size(text: str) -> Finding | None:
    """What is wrong with a number of bytes."""
    if bytes_of(text):
        return None
    return "is not a size", 'write a number and K, M, G or T, such as "256M"'


def check_memory(text: str) -> Finding | None:
    """What is wrong with a limit of memory."""
    size = bytes_of(text)
    if size and size < LEAST_MEMORY:
        fix = f'write "{LEAST_MEMORY // 2**20}M" or more'
        return "is less than any program needs to start", fix
    return check_size(text)


def check_percent(text: str) -> Finding | None:
    """What is wrong with a share of the processors."""
    if percent_of(text):
        return None
    return "is not a share of a processor", 'write "50%", or "200%" for two of them'


def check_user(name: str) -> Finding | None:
    """What is wrong with a user's name."""
    if name and not re.search(r"[\s:/\0]", name):
        return None
    return "is not a user's name", 'write one from /etc/passwd, such as "hydra-slack"'
