"""Texts of configuration files, and the problems they have."""

from collections.abc import Mapping
from pathlib import Path

import pytest

from hydra_notify.config import Config, parse_config
from hydra_notify.errors import ConfigError, Problem

DIRECTORY = Path("/etc/hydra-notify")


def parse(text: str, environ: Mapping[str, str] | None = None) -> Config:
    return parse_config(text, directory=DIRECTORY, environ=environ or {})


def problems(text: str, environ: Mapping[str, str] | None = None) -> list[Problem]:
    with pytest.raises(ConfigError) as caught:
        parse(text, environ)
    return list(caught.value.problems)


def only_problem(text: str, environ: Mapping[str, str] | None = None) -> Problem:
    (problem,) = problems(text, environ)
    return problem


def plugin_problem(lines: str) -> Problem:
    """The only problem of a plugin that has a command and `lines`."""
    return only_problem(f'[plugins.github]\ncommand = ["notify"]\n{lines}')
