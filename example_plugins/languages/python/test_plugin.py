"""Has the plugin handle events as the host would, and looks at what it has done."""

import unittest
from pathlib import Path
from runpy import run_path
from tempfile import TemporaryDirectory

from hydra_notify_sdk.testing import Host, StartFailed, drive

PROGRAM = Path(__file__).resolve().with_name("note_builds.py")


class PluginTest(unittest.TestCase):
    """The plugin, in this process."""

    def start(self, state: str, **settings: object) -> Host:
        """Starts it anew, with these settings."""
        plugin = run_path(str(PROGRAM))["plugin"]
        return drive(plugin, config=settings, state_dir=state)

    def test_a_build_is_noted(self) -> None:
        """What it was told stands in its list, once, however often it was told."""
        state = self.enterContext(TemporaryDirectory())
        for outcome in self.start(state).send_twice("build_finished"):
            outcome.raise_for_failure()
        received = Path(state, "received.log").read_text()
        self.assertRegex(received, r"^build_finished:4711:\S+\t4711( \d+)*\n$")

    def test_a_success_may_be_skipped(self) -> None:
        """Its setting narrows what it does."""
        state = self.enterContext(TemporaryDirectory())
        host = self.start(state, failures_only=True)
        outcome = host.send("build_finished", status=0)
        self.assertEqual(outcome.skipped, "it succeeded")

    def test_a_wrong_setting_is_named(self) -> None:
        """An operator reads which one it is."""
        state = self.enterContext(TemporaryDirectory())
        with self.assertRaisesRegex(StartFailed, "422 settings.failures_only"):
            self.start(state, failures_only="yes")


if __name__ == "__main__":
    unittest.main()
