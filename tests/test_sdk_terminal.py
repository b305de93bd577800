"""A plugin that a person starts by hand."""

import json
import os
import pty
import select
import subprocess
import sys
from pathlib import Path

from tests.toy_host import LIMIT

PLUGIN = """
from hydra_notify_sdk import AnyEvent, Plugin
plugin = Plugin("talkative", "1")
@plugin.on("build_finished")
def handle(event: AnyEvent) -> None: ...
plugin.run()
"""


def test_at_a_terminal_it_says_what_it_is_and_how_to_try_it(tmp_path: Path) -> None:
    """The command line it shows is run: it has to work as it stands."""
    program = tmp_path / "a plugin.py"
    program.write_text(f"#!{sys.executable}\n{PLUGIN}")
    program.chmod(0o755)
    controller, terminal = pty.openpty()
    environment = {k: v for k, v in os.environ.items() if k != "HYDRA_NOTIFY_PLUGIN"}
    process = subprocess.Popen(
        [str(program)],
        stdin=terminal,
        stdout=terminal,
        stderr=terminal,
        env=environment,
    )
    os.close(terminal)
    try:
        assert process.wait(LIMIT) == 2
        shown = read_terminal(controller)
    finally:
        process.kill()
        os.close(controller)
    assert "talkative 1 is a plugin of hydra-notify" in shown
    assert "It handles: build_finished." in shown
    _, _, tail = shown.partition("now:\r\n\r\n    ")
    command = tail.replace("\r\n", "")
    answer = subprocess.run(
        ["sh", "-c", command], capture_output=True, timeout=LIMIT, check=True
    )
    assert json.loads(answer.stdout)["result"]["events"] == ["build_finished"]


def read_terminal(controller: int) -> str:
    text = b""
    while select.select([controller], [], [], 0)[0]:
        try:
            text += os.read(controller, 65_536)
        except OSError:
            break
    return text.decode()
