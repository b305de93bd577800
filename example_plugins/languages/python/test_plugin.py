"""Speaks with the plugin as the host does, and looks at what it has done."""

import json
import subprocess
import sys
import unittest
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import msgspec

from hydra_notify_sdk.wire.samples import sample_params

PLUGIN = Path(__file__).resolve().with_name("note_builds.py")


class PluginTest(unittest.TestCase):
    """The plugin, as a process of its own."""

    def answers(
        self, state: str, settings: object, build: int, status: int
    ) -> list[Any]:
        """What it answers when it is given settings and then an event of a build."""
        event = sample_params("build_finished", build=build, status=status)
        hello = {
            "protocol_versions": [1],
            "host": {"name": "test", "version": "1"},
            "instance": "test",
            "config": settings,
            "state_dir": state,
        }
        frames = [
            {"id": "i", "method": "initialize", "params": hello},
            {"id": "e", "method": "event", "params": event},
        ]
        done = subprocess.run(
            [sys.executable, str(PLUGIN)],
            input=b"".join(msgspec.json.encode(frame) + b"\n" for frame in frames),
            stdout=subprocess.PIPE,
            check=True,
        )
        return [json.loads(line) for line in done.stdout.splitlines()]

    def test_a_build_is_noted(self) -> None:
        """What it was told stands in its list."""
        state = self.enterContext(TemporaryDirectory())
        self.assertEqual(self.answers(state, {}, 7, 1)[1]["result"], {})
        received = Path(state, "received.log").read_text()
        self.assertRegex(received, r"^build_finished:7:\S+\t7( \d+)*\n$")

    def test_a_success_may_be_skipped(self) -> None:
        """Its setting narrows what it does."""
        state = self.enterContext(TemporaryDirectory())
        answer = self.answers(state, {"failures_only": True}, 8, 0)[1]
        self.assertEqual(answer["result"]["status"], "skipped")

    def test_a_wrong_setting_is_named(self) -> None:
        """An operator reads which one it is."""
        state = self.enterContext(TemporaryDirectory())
        error = self.answers(state, {"failures_only": "yes"}, 9, 1)[0]["error"]
        self.assertEqual(error["code"], 422)
        self.assertIn("settings.failures_only", error["message"])


if __name__ == "__main__":
    unittest.main()
