"""The example plugins behind the real host: what they were told, flags cleared."""

import shutil
import sys
from pathlib import Path

import pytest
from tests.end_to_end.stage import Stage

from hydra_notify.demo.simulation.evaluator import queue_builds
from hydra_notify.demo.simulation.queue_runner import FAILED, fail_builds

EXAMPLES = Path(__file__).parents[2] / "example_plugins"

COMMANDS = {
    "bash": ["bash", str(EXAMPLES / "languages/bash/note_builds.sh")],
    "perl": ["perl", str(EXAMPLES / "languages/perl/note_builds.pl")],
    "python": [sys.executable, str(EXAMPLES / "log_events" / "log_events.py")],
}
NEEDED = {"bash": ["bash", "jq"], "perl": ["perl"], "python": []}


@pytest.mark.parametrize("language", COMMANDS)
async def test_a_plugin_in_any_language_gets_builds_and_their_flags_are_cleared(
    stage: Stage, language: str
) -> None:
    missing = [program for program in NEEDED[language] if not shutil.which(program)]
    if missing:
        pytest.skip(f"not installed here: {', '.join(missing)} (.ci/run installs it)")
    stage.plugins["example"] = {
        "command": COMMANDS[language],
        "settings": {"receipts": True},
    }
    host = await stage.start_host()
    await host.logged("example: ready")
    await host.logged("listening")
    head, dependent = queue_builds(stage.hydra, 2)
    fail_builds(stage.hydra, head, [dependent], FAILED)
    await stage.cleared(head, dependent)
    assert await host.terminate() == 0
    state = stage.directory / "state" / "plugins" / "example"
    lines = (state / "received.log").read_text().splitlines()
    received = [line.split("\t") for line in lines]
    (told,) = [ids for name, ids in received if name.startswith("build_finished:")]
    assert told.split() == [str(head), str(dependent)]
