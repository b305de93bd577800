"""What the log of a host says about one delivery."""

import json
from typing import Any

import pytest
from tests.end_to_end.stage import Stage

ALWAYS = {"time", "level", "message", "logger", "plugin", "delivery", "event"}


async def test_one_delivery_can_be_followed_by_its_fields(
    stage: Stage, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("HYDRA_NOTIFY_LOG_FORMAT", "json")
    monkeypatch.setenv("HYDRA_NOTIFY_LOG_LEVEL", "debug")
    stage.puppet("one")
    host = await stage.start_host()
    _, (event,) = await stage.one_build("one")
    first = event.frame["id"]
    words = {"id": first, "level": "warning", "message": "slow", "fields": {"s": 3}}
    frame = {"jsonrpc": "2.0", "method": "log", "params": words}
    await event.write(json.dumps(frame) + "\n")
    await event.fail(500, retry_after_ms=1)
    again = await stage.event("one")
    await again.answer(result={"note": "at last"})
    await host.logged("at last")
    _, (plain,) = await stage.one_build("one")
    await plain.succeed()
    await host.logged('"delivered"')
    lines: list[dict[str, Any]] = [json.loads(line) for line in host.log if line]
    assert all(line.keys() >= {*ALWAYS, "attempt"} for line in lines)
    about = [line for line in lines if line["event"] == event.event["id"]]
    told = [(each["level"], each["message"], each["delivery"]) for each in about]
    second = again.frame["id"]
    assert told == [
        ("debug", "sent", first),
        ("warning", "slow", first),
        ("warning", "failed, to be tried again: 500 as told", first),
        ("debug", "sent", second),
        ("debug", "delivered: at last", second),
    ]
    assert [each["attempt"] for each in about] == [1, 1, 1, 2, 2]
    assert {each["plugin"] for each in about} == {"one"}
    done = [line["delivery"] for line in lines if line["message"] == "delivered"]
    assert done == [plain.frame["id"]]
    assert about[1]["fields"] == {"s": 3}
    assert about[1]["logger"] == "hydra_notify.plugin"


async def test_of_what_a_plugin_says_its_own_level_is_kept(stage: Stage) -> None:
    stage.puppet("quiet", log_level="error")
    stage.puppet("loud", log_level="debug")
    host = await stage.start_host("--log-level", "warning")
    for name in ("quiet", "loud"):
        hello = await stage.frame(name)
        for level in ("debug", "warning", "error"):
            words = {"level": level, "message": f"{name} says {level}"}
            frame = {"jsonrpc": "2.0", "method": "log", "params": words}
            await hello.write(json.dumps(frame) + "\n")
        await host.logged(f"{name} says error")
    said = [line.partition(": ")[2] for line in host.log if " says " in line]
    assert [line for line in said if "quiet" in line] == ["quiet says error"]
    assert len([line for line in said if "loud" in line]) == 3
    assert not any("listening" in line for line in host.log)
