"""A plugin of a forge behind the real host: what a commit is told, and when."""

import json
import sys

import trio
from tests.end_to_end.stage import PATIENCE, Stage

from hydra_notify.demo.simulation.evaluator import queue_builds
from hydra_notify.demo.simulation.queue_runner import FAILED, fail_builds
from hydra_notify.kit.sink import Reply, serving


async def test_a_commit_is_told_once_of_builds_that_fail_together(stage: Stage) -> None:
    token = stage.directory / "token"
    token.write_text("t0ken\n")
    token.chmod(0o600)
    with serving() as sink:
        settings = {"api_url": sink.url, "hosts": ["github.com"], "inputs": ["nixpkgs"]}
        stage.plugins["github"] = {
            "command": [sys.executable, "-m", "hydra_notify_plugins.github"],
            "settings": settings,
            "secrets": {"token": {"file": str(token)}},
        }
        sink.first.append(Reply(502))
        host = await stage.start_host()
        await host.logged("github: ready")
        await host.logged("listening")
        head, dependent = queue_builds(stage.hydra, 2)
        with trio.fail_after(PATIENCE):
            # An event that is read after its build has failed says that it has.
            while len(sink.calls) < 2:  # noqa: ASYNC110 -- nothing tells of a call
                await trio.sleep(0.01)
        fail_builds(stage.hydra, head, [dependent], FAILED)
        await stage.cleared(head, dependent)
        assert await host.terminate() == 0
        bodies = [json.loads(call.body) for call in sink.calls]
    assert {call.headers["authorization"] for call in sink.calls} == {"Bearer t0ken"}
    for build in (head, dependent):
        url = f"https://hydra.test/build/{build}"
        *before, last = [b["state"] for b in bodies if b["target_url"] == url]
        assert (set(before), last) == ({"pending"}, "failure")
