"""Tests of a plugin, in memory: no process, no host, no Hydra.

    from hydra_notify_sdk.testing import drive, sample_event

    def test_a_failed_build_is_told(tmp_path):
        host = drive(plugin, config={"room": "builds"}, state_dir=tmp_path)
        sample = sample_event("build_finished", status=1)
        sample.data.job = "tests.x86_64-linux"
        host.send(sample).raise_for_failure()
        assert chat.messages == ["tests.x86_64-linux failed"]

What is sent and answered are the bytes that a host and the plugin would exchange, so
what passes here is understood there. Needs no test framework.

* `drive`: starts a plugin, as a host does, and gives the `Host` that sends it events.
* `sample_event`: an event to change and to send.
* `Outcome`: what came of it.
"""

from hydra_notify_sdk.testing.host import Host, StartFailed, drive
from hydra_notify_sdk.testing.outcome import DeliveryFailed, LogLine, Outcome, Progress
from hydra_notify_sdk.testing.sample import Sample, sample_event

__all__ = [
    "DeliveryFailed",
    "Host",
    "LogLine",
    "Outcome",
    "Progress",
    "Sample",
    "StartFailed",
    "drive",
    "sample_event",
]
