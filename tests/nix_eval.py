"""Nix expressions, evaluated without a store and without nixpkgs."""

import json
import os
import subprocess
from pathlib import Path
from typing import Any, Final

from tests.languages import need
from tests.packaging import PACKAGING
from tests.pages import ROOT

NIX: Final = PACKAGING / "nix"
STAND_INS: Final = ROOT / "tests" / "nix"
"""What stands in for nixpkgs."""


class NixError(Exception):
    """What Nix says against an expression."""


def nix(*arguments: str | Path) -> str:
    """What `nix-instantiate` prints.

    Raises:
        NixError: It refuses.
    """
    need("nix-instantiate")
    result = subprocess.run(
        ["nix-instantiate", "--store", "dummy://", *arguments],
        # Debian's looks for a group of builders where it is told of none.
        env={**os.environ, "NIX_CONFIG": "build-users-group ="},
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    if result.returncode != 0:
        raise NixError(result.stderr)
    return result.stdout


def evaluate(expression: str) -> Any:
    """The value of an expression."""
    return json.loads(nix("--eval", "--strict", "--json", "--expr", expression))


def machine(*modules: str) -> Any:
    """The configuration of a machine with our module and `modules`."""
    ours = (str(NIX / "module.nix"), *(f"({module})" for module in modules))
    return evaluate(
        f"import {STAND_INS / 'machine.nix'} {{ modules = [ {' '.join(ours)} ]; }}"
    )
