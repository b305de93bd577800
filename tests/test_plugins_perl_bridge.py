"""The program that starts the Perl bridge."""

import os
import subprocess
import sys

from tests.languages import need


def test_it_becomes_the_bridge() -> None:
    need("perl")
    program = [sys.executable, "-m", "hydra_notify_plugins.perl_bridge"]
    request = b'{"jsonrpc":"2.0","id":"x","method":"no_such"}\n'
    done = subprocess.run(program, input=request, capture_output=True, check=True)
    assert b'"id":"x"' in done.stdout
    assert b"-32601" in done.stdout


def test_without_a_perl_it_says_so() -> None:
    program = [sys.executable, "-m", "hydra_notify_plugins.perl_bridge"]
    environment = {**os.environ, "PATH": "/nowhere"}
    done = subprocess.run(program, env=environment, capture_output=True, check=False)
    assert done.returncode == 127
    assert b"no perl in PATH" in done.stderr
