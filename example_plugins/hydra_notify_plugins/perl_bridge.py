"""Starts the Perl bridge: a plugin written for Hydra, unmodified, behind our protocol.

    [plugins.declarative_jobsets]
    command = ["hydra-notify-perl-bridge"]
    [plugins.declarative_jobsets.settings]
    class = "DeclarativeJobsets"

The bridge itself is in Perl; the first `perl` in PATH runs it. What it is told and what
it needs is in docs/plugins/bridge.md. This process becomes it: nothing stands between.
"""

import os
import sys
from pathlib import Path
from shutil import which
from typing import Final, NoReturn

_HERE: Final = Path(__file__).parent

PLACES: Final = (_HERE / "perl", _HERE.parent / "perl_bridge")
"""Where the bridge is: in a wheel, in a checkout."""

EXIT_NOT_FOUND: Final = 127


def main() -> NoReturn:
    """Become the bridge."""
    program = next(
        path for place in PLACES if (path := place / "perl_bridge.pl").exists()
    )
    perl = which("perl")
    if perl is None:
        sys.stderr.write(
            "there is no perl in PATH; set it in the plugin's environment\n"
        )
        sys.exit(EXIT_NOT_FOUND)
    os.execv(perl, [perl, str(program)])  # noqa: S606 - no shell is meant


if __name__ == "__main__":
    main()
