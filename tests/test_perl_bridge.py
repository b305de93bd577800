"""Plugins written for Hydra, in Perl, behind this host. Hydra's modules are stubs."""

import json
import re
import signal
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import Any, cast

import pytest
from tests.languages import need
from tests.toy_host import ToyHost, event_params
from tests.transcripts import Frame

from hydra_notify.config import parse_config
from hydra_notify.kit.check.candidate import Candidate, Patience
from hydra_notify.kit.check.formats import as_text
from hydra_notify.kit.check.report import Level
from hydra_notify.kit.check.run import check

BRIDGE = Path(__file__).parents[1] / "example_plugins/perl_bridge/perl_bridge.pl"
DOCUMENTATION = Path(__file__).parents[1] / "docs/plugins/bridge.md"
MODULES = Path(__file__).parent / "perl" / "lib"

GONE = 2_000_000_000
"""The stub has no rows of this id and beyond."""

Start = Callable[[], ToyHost]


@pytest.fixture
def start(tmp_path: Path) -> Iterator[Start]:
    """Starts the bridge, in the same directory each time."""
    need("perl")
    with ExitStack() as stack:
        yield lambda: stack.enter_context(ToyHost([str(BRIDGE)], tmp_path / "state"))


def settings(plugin: str, **others: object) -> Frame:
    return {"class": plugin, "lib": str(MODULES), **others}


def configured(directory: Path, *lines: str) -> str:
    """The path of a hydra.conf of these lines."""
    path = directory / "hydra.conf"
    path.write_text("".join(f"{line}\n" for line in lines))
    return str(path)


def misbehaving(bridge: ToyHost, does: str, **secrets: str) -> ToyHost:
    """The bridge with a plugin that does this with the builds it is told."""
    path = configured(bridge.state_dir.parent, f"does {does}", "base_uri http://h.test")
    answer = bridge.initialize(settings("Misbehaves", hydra_config=path), secrets)
    assert result(answer)["events"] == ["build_finished"]
    return bridge


def result(answer: Frame) -> dict[str, Any]:
    found: dict[str, Any] = cast("dict[str, Any]", answer["result"])
    return found


def error(answer: Frame) -> tuple[int, str]:
    found = cast("dict[str, Any]", answer["error"])
    return found["code"], found["message"]


def event_with(name: str, **changes: object) -> dict[str, Any]:
    """The parameters of an event whose data are changed."""
    params = cast("dict[str, Any]", event_params(name))
    params["event"]["data"].update(changes)
    return params


def received(bridge: ToyHost) -> list[object]:
    lines = (bridge.state_dir / "received.log").read_text().splitlines()
    return [json.loads(line) for line in lines]


ARGUMENTS: dict[str, list[object]] = {
    "build_queued": ["buildQueued", "Builds: the key 4711"],
    "build_started": ["buildStarted", "Builds: the key 4711"],
    "build_finished": [
        "buildFinished",
        "Builds: the key 4711",
        ["Builds: the key 4712", "Builds: the key 4713"],
    ],
    "cached_build_queued": [
        "cachedBuildQueued",
        "JobsetEvals: the key 1042",
        "Builds: the key 4711",
    ],
    "cached_build_finished": [
        "cachedBuildFinished",
        "JobsetEvals: the key 1042",
        "Builds: the key 4711",
    ],
    "step_finished": [
        "stepFinished",
        "step of build 4711: stepnr 3",
        "/var/lib/hydra/build-logs/44/zlib.drv",
    ],
    "eval_started": ["evalStarted", "TRACE", "Jobsets: id 7"],
    "eval_cached": [
        "evalCached",
        "TRACE",
        "Jobsets: id 7",
        "JobsetEvals: the key 1042",
    ],
    "eval_added": [
        "evalAdded",
        "TRACE",
        "Jobsets: id 7",
        "JobsetEvals: the key 1042",
        0,
    ],
    "eval_failed": ["evalFailed", "TRACE", "Jobsets: id 7", 1],
}
"""What each hook is called with; the flag of the last two is of Hydra since 2026-08."""


def test_every_hook_is_called_with_the_rows_that_hydra_gives_it(start: Start) -> None:
    bridge = start()
    manifest = result(bridge.initialize(settings("Records")))
    assert manifest["events"] == sorted(ARGUMENTS)
    for name, wanted in ARGUMENTS.items():
        params = event_with(name)
        data = params["event"]["data"]
        wanted = [data.get("traceId") if each == "TRACE" else each for each in wanted]
        assert bridge.ask("event", params)["result"] == {}
        assert received(bridge)[-1] == wanted
    assert bridge.shutdown() == 0


def test_what_the_event_does_not_know_is_not_made_up(start: Start) -> None:
    bridge = start()
    bridge.initialize(settings("Hydra::Plugin::Records"))
    step = event_with("step_finished")
    step["event"]["data"]["step"]["logPath"] = None
    alone = event_with("build_finished")
    del alone["event"]["data"]["dependentIds"]
    old = event_with("eval_added", errorChanged=None)
    for params in (step, alone, old):
        assert bridge.ask("event", params)["result"] == {}
    without_path, without_dependents, without_flag = received(bridge)
    assert without_path == ["stepFinished", "step of build 4711: stepnr 3", None]
    assert without_dependents == ["buildFinished", "Builds: the key 4711", []]
    trace = old["event"]["data"]["traceId"]
    jobset, evaluation = "Jobsets: id 7", "JobsetEvals: the key 1042"
    assert without_flag == ["evalAdded", trace, jobset, evaluation]


def test_rows_that_were_deleted_can_never_be_given_to_a_hook(start: Start) -> None:
    bridge = start()
    bridge.initialize(settings("Records"))
    gone: dict[str, dict[str, Any]] = {
        f"build {GONE} does not exist": event_with("build_started", build=GONE),
        "evaluation is not named": event_with("cached_build_queued", eval=None),
        f"jobset {GONE} does not exist": event_with(
            "eval_started", jobsetInfo={"id": GONE}
        ),
        f"of build 4711, step {GONE} does not exist": event_with(
            "step_finished", step={"stepnr": GONE}
        ),
    }
    for reason, params in gone.items():
        assert error(bridge.ask("event", params)) == (410, reason)
    assert not (bridge.state_dir / "received.log").exists()


def test_a_deleted_dependent_does_not_take_the_build_with_it(start: Start) -> None:
    bridge = start()
    bridge.initialize(settings("Records"))
    params = event_with("build_finished", dependentIds=[5, GONE, 6])
    assert bridge.ask("event", params)["result"] == {}
    (call,) = received(bridge)
    expected = ["Builds: the key 5", "Builds: the key 6"]
    assert call == ["buildFinished", "Builds: the key 4711", expected]
    assert f"<4>build 4711: its dependent {GONE} is gone" in bridge.log


def test_what_a_plugin_dies_of_is_tried_again(start: Start) -> None:
    bridge = misbehaving(start(), "dies dies_of_an_object works")
    message = "Hydra::Plugin::Misbehaves: buildFinished: no luck with build 4711 at all"
    assert error(bridge.event("build_finished")) == (500, message)
    code, message = error(bridge.event("build_finished"))
    assert code == 500
    assert "HASH" in message
    assert bridge.event("build_finished")["result"] == {}


def test_what_hydra_records_of_an_error_does_not_speak_of_the_wire(
    start: Start,
) -> None:
    bridge = misbehaving(start(), "dies_somewhere")
    _, message = error(bridge.event("build_finished"))
    assert re.search(r"no luck at \S+Misbehaves\.pm line \d+\.$", message)


def test_rows_do_not_outlive_their_event(start: Start) -> None:
    bridge = misbehaving(start(), "counts_rows dies counts_rows")
    for _ in range(3):
        bridge.event("build_finished")
    assert bridge.stderr.splitlines()[-2:] == ["rows: 3", "rows: 3"]


def test_exit_and_signals_in_a_plugin_are_crashes_like_any(start: Start) -> None:
    bridge = misbehaving(start(), "exits is_killed has_a_child_that_exits")
    bridge.request("event", event_params("build_finished"))
    assert bridge.exit_status() == 1
    wanted = "<3>Hydra::Plugin::Misbehaves called exit(78) in buildFinished"
    assert wanted in bridge.stderr
    bridge = misbehaving(start(), "exits is_killed has_a_child_that_exits")
    bridge.request("event", event_params("build_finished"))
    assert bridge.exit_status() == -signal.SIGSEGV
    bridge = misbehaving(start(), "exits is_killed has_a_child_that_exits")
    assert bridge.event("build_finished")["result"] == {}
    assert "called exit" not in bridge.stderr


def test_a_child_that_a_plugin_forgot_to_end_does_not_answer(start: Start) -> None:
    bridge = misbehaving(start(), "has_a_child_that_dies works")
    for _ in range(2):
        assert bridge.event("build_finished")["result"] == {}
    assert {frame.get("method") for frame in bridge.frames} == {"progress"}
    assert bridge.shutdown() == 0


def test_plugins_may_print_and_read_and_leave_their_litter(start: Start) -> None:
    bridge = misbehaving(start(), "prints reads litters works")
    for _ in range(4):
        assert bridge.event("build_finished")["result"] == {}
    assert bridge.stray == []
    log = bridge.stderr.splitlines()
    assert "Hydra::Model::DB is loaded" in log
    assert [line for line in log if line in {"printed", "echoed", "<4>warned"}] == [
        "printed",
        "echoed",
        "<4>warned",
    ]
    assert bridge.shutdown() == 0


def test_what_a_plugin_writes_is_all_or_nothing(start: Start) -> None:
    bridge = start()
    bridge.initialize(settings("Declares"))
    assert error(bridge.event("build_finished"))[0] == 500
    alone = event_with("build_finished", build=8, dependentIds=[])
    assert bridge.ask("event", alone)["result"] == {}
    assert (bridge.state_dir / "written").read_text() == "jobset of build 8\n"


def test_a_transaction_left_open_is_no_success(start: Start) -> None:
    bridge = misbehaving(start(), "leaves_a_transaction works")
    code, message = error(bridge.event("build_finished"))
    assert code == 500
    assert "left a transaction open" in message
    assert bridge.event("build_finished")["result"] == {}


def test_a_database_that_is_away_stops_everything_until_it_is_back(
    start: Start,
) -> None:
    bridge = misbehaving(start(), "loses_the_database works")
    lost = bridge.event("build_finished")
    assert error(lost)[0] == 503
    assert "closed the connection" in error(lost)[1]
    code, message = error(bridge.event("build_finished"))
    assert code == 503
    assert "it is away" in message
    assert "hunter2" not in message
    (bridge.state_dir / "database-is-away").unlink()
    assert bridge.event("build_finished")["result"] == {}
    (bridge.state_dir / "database-is-away").touch()
    assert error(start().initialize(settings("Records")))[0] == 503


def test_hydras_other_plugins_are_there_when_one_asks_for_them(start: Start) -> None:
    bridge = misbehaving(start(), "works asks_for_commits")
    bridge.event("build_finished")
    assert "all plugins are loaded" not in bridge.stderr
    for _ in range(2):
        assert bridge.event("build_finished")["result"] == {}
    assert bridge.stderr.count("all plugins are loaded") == 1
    assert bridge.stderr.count("by Ada") == 2


def test_a_plugin_finds_what_hydras_service_has_loaded_and_set(start: Start) -> None:
    params: dict[str, object] = {
        "protocol_versions": [1],
        "host": {"name": "toy", "version": "1", "hydra_data": "/srv/hydra"},
        "instance": "test",
        "secrets": {"dbi": "dbi:Pg:dbname=h;password=hunter2"},
    }
    bridge = start()
    path = configured(
        bridge.state_dir.parent, "does says_what_it_knows", "base_uri http://h.test"
    )
    params["config"] = settings("Misbehaves", hydra_config=path)
    assert "result" in bridge.ask("initialize", params)
    assert bridge.event("build_finished")["result"] == {}
    wanted = (
        "address: dbi:Pg:dbname=h;password=hunter2",
        "HYDRA_DBI: none",
        "HYDRA_DATA: /srv/hydra",
        f"umask: {0o022}",
        "base: http://h.test",
    )
    assert "\n".join(wanted) in bridge.stderr


def test_a_plugin_that_is_not_enabled_is_not_run(start: Start, tmp_path: Path) -> None:
    path = configured(tmp_path, "base_uri http://h.test")
    answer = start().initialize(settings("Misbehaves", hydra_config=path))
    assert error(answer) == (422, "Hydra::Plugin::Misbehaves is not enabled")
    assert "settings.hydra_config" in str(answer["error"])


WRONG: dict[str, tuple[Frame, tuple[int, str]]] = {
    "nothing": ({}, (422, "settings.class: is not the name of a class")),
    "no name": ({"class": "../x"}, (422, "settings.class: is not the name")),
    "unknown": ({"clas": "X"}, (422, "settings.clas: is unknown")),
    "no file": (
        settings("Records", hydra_config="/none"),
        (422, "settings.hydra_config: is not the path of a file"),
    ),
    "no folder": ({"class": "Records", "lib": ["/none"]}, (422, "settings.lib: ")),
    "no Hydra": (
        {"class": "Records"},
        (422, "Hydra::Model::DB: there is no Hydra/Model/DB.pm in Perl's search path"),
    ),
    "no such class": (
        settings("Absent"),
        (422, "Hydra::Plugin::Absent: there is no Hydra/Plugin/Absent.pm in"),
    ),
    "a module is missing": (
        settings("Needy"),
        (422, "Hydra::Plugin::Needy: there is no Module/That/Nobody/Has.pm in"),
    ),
    "no Perl": (
        settings("Torn"),
        (500, "Hydra::Plugin::Torn cannot be loaded: "),
    ),
    "no hook": (
        settings("GitInput"),
        (422, "Hydra::Plugin::GitInput has none of the hooks"),
    ),
}


@pytest.mark.parametrize("name", WRONG)
def test_what_is_wrong_with_a_configuration_is_named(name: str, start: Start) -> None:
    config, (code, message) = WRONG[name]
    answer = start().initialize(config)
    assert error(answer)[0] == code
    assert message in error(answer)[1]


@pytest.mark.parametrize(
    ("line", "reason"),
    [("nonsense", "is no key and value"), ("does harm", "there is no way to harm")],
)
def test_what_hydras_configuration_is_refused_for_is_passed_on(
    line: str, reason: str, start: Start, tmp_path: Path
) -> None:
    config = settings("Misbehaves", hydra_config=configured(tmp_path, line))
    code, message = error(start().initialize(config))
    assert code == 422
    assert reason in message


def test_the_documented_configuration_is_one(start: Start, tmp_path: Path) -> None:
    (block,) = re.findall(r"```toml\n(.*?)```", DOCUMENTATION.read_text(), re.DOTALL)
    whole = re.sub(r"^# (?=\w+ = |\[)", "", block, flags=re.MULTILINE)
    config = parse_config(whole, directory=tmp_path, environ={})
    (plugin,) = config.plugins.values()
    answer = start().initialize({**plugin.settings, "class": 1})
    assert "settings.class" in str(answer["error"])
    assert "is unknown" not in str(answer["error"])


async def test_the_bridge_keeps_every_rule() -> None:
    need("perl")
    candidate = Candidate((str(BRIDGE),), settings("Records"))
    report = await check(candidate, Level.SHOULD, Patience(quick=10))
    assert report.passed, as_text(report)
