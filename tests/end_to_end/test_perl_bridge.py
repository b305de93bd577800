"""Plugins of Hydra's own behind the real host."""

import os
from pathlib import Path

from psycopg.conninfo import conninfo_to_dict
from tests.end_to_end.stage import Stage
from tests.languages import need, need_perl

from hydra_notify.demo.simulation.evaluator import queue_builds
from hydra_notify.demo.simulation.queue_runner import finish_build

BRIDGE = Path(__file__).parents[2] / "example_plugins/perl_bridge/perl_bridge.pl"
STUBS = Path(__file__).parents[1] / "perl" / "lib"
WITH_DATABASE = Path(__file__).parents[1] / "perl" / "dbic"

PATH = "update buildoutputs set path = %s where build = %s"

JOBSETS = "select name, enabled, hidden from jobsets where project = 'tools' order by 1"

END_OF_CONNECTION = """
select pg_terminate_backend(pid) from pg_stat_activity where application_name = 'bridge'
"""


async def test_exit_crash_and_hang_in_a_plugin_of_hydra_are_survived(
    stage: Stage,
) -> None:
    need("perl")
    stage.limit(CANCEL_GRACE_MS=200, EXIT_GRACE_MS=200, RESTART_BASE=0.1)
    config = stage.directory / "hydra.conf"
    config.write_text("does hangs exits is_killed works\n")
    stage.puppet("good")
    stage.plugins["bridge"] = {
        "command": ["perl", str(BRIDGE)],
        "timeout_ms": 1000,
        "settings": {
            "class": "Misbehaves",
            "hydra_config": str(config),
            "lib": str(STUBS),
        },
    }
    host = await stage.listening()
    await host.logged("bridge: ready")
    build, (good,) = await stage.one_build("good")
    await good.succeed()
    await host.logged("called exit(78) in buildFinished")
    await host.logged("SIGSEGV")
    await host.logged("does not answer")
    await host.logged("bridge: ready", 4)
    await stage.cleared(build)


def declare(stage: Stage, text: str) -> int:
    """A build that declares these jobsets finishes; its id."""
    (build,) = queue_builds(stage.hydra, jobset="tools:.jobsets")
    path = stage.directory / f"{build}.json"
    path.write_text(text)
    stage.watcher.execute(PATH, (str(path), build))
    finish_build(stage.hydra, build)
    return build


async def test_a_plugin_of_hydra_writes_through_its_own_handle(stage: Stage) -> None:
    need_perl("DBIx::Class", "DBD::Pg")
    parts = conninfo_to_dict(stage.url, application_name="bridge")
    dsn = ";".join(f"{key}={value}" for key, value in parts.items())
    stage.plugins["bridge"] = {
        "command": ["perl", str(BRIDGE)],
        "match": {"jobs": ["*:.jobsets"]},
        "settings": {"class": "Declares", "lib": [str(WITH_DATABASE), str(STUBS)]},
        "environment": {
            "HYDRA_DBI": f"dbi:Pg:{dsn}",
            "PERL5LIB": os.environ.get("PERL5LIB", ""),
        },
    }
    host = await stage.start_host()
    await host.logged("bridge: ready")
    await host.logged("listening")
    spec = '{"x": {"type": 1, "flake": "github:a/b", "inputs": {"src": "git"}}}'
    await stage.cleared(declare(stage, spec))
    assert jobsets(stage) == [(".jobsets", 1, 0), ("main", 0, 1), ("x", 1, 0)]
    stage.watcher.execute(END_OF_CONNECTION)
    await stage.cleared(declare(stage, spec.replace("x", "y")))
    assert jobsets(stage)[2:] == [("x", 0, 1), ("y", 1, 0)]
    # All or nothing: a jobset needs a flake or an expression.
    refused = declare(stage, '{"y": {"inputs": {}}, "z": {"inputs": {}}}')
    await host.logged("jobsets_check")
    assert stage.flag(refused) is not None
    assert jobsets(stage)[2:] == [("x", 0, 1), ("y", 1, 0)]
    assert not any("starting it again" in line for line in host.log)


def jobsets(stage: Stage) -> list[tuple[str, int, int]]:
    """Of the declarative project: name, whether enabled, whether hidden."""
    return stage.watcher.execute(JOBSETS).fetchall()
