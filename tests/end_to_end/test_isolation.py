"""Plugins that misbehave: survived, explained, and nobody else's trouble."""

import json
import signal
from collections.abc import Callable
from pathlib import Path

import pytest
from tests.end_to_end.stage import Stage, gone

QUICK: dict[str, object] = {"timeout_ms": 1000}
"""A manifest for plugins that are going to be late."""


async def test_a_plugin_that_hangs_is_cancelled_ended_and_tried_again(
    stage: Stage,
) -> None:
    stage.limit(CANCEL_GRACE_MS=500, RESTART_BASE=0.1)
    stage.puppet("good")
    stage.puppet("bad", manifest=QUICK)
    host = await stage.listening()
    build, (good, bad) = await stage.one_build("good", "bad")
    await good.succeed()
    cancel = await stage.frame("bad", lambda frame: frame.method == "cancel")
    assert cancel.frame["params"] == {"id": bad.frame["id"], "reason": "deadline"}
    assert "does not answer" in await host.logged("starting it again")
    again = await stage.event("bad")
    assert (again.delivery["attempt"], again.delivery["redelivered"]) == (2, True)
    await again.succeed()
    await stage.cleared(build)


async def test_a_stopped_process_counts_as_hanging(stage: Stage) -> None:
    stage.limit(CANCEL_GRACE_MS=500, RESTART_BASE=0.1)
    stage.puppet("bad", manifest=QUICK)
    await stage.listening()
    build, (bad,) = await stage.one_build("bad")
    await bad.kill(signal.SIGSTOP)
    again = await stage.event("bad")
    assert again.pid != bad.pid
    await again.succeed()
    await stage.cleared(build)


async def test_an_answer_written_just_before_a_crash_counts(stage: Stage) -> None:
    stage.puppet("bad")
    await stage.listening()
    build, (bad,) = await stage.one_build("bad")
    await bad.succeed()
    await bad.exit(1)
    await stage.cleared(build)


async def test_half_an_answer_before_a_crash_does_not_count(stage: Stage) -> None:
    stage.limit(RESTART_BASE=0.1)
    stage.puppet("bad")
    await stage.listening()
    build, (bad,) = await stage.one_build("bad")
    await bad.write(json.dumps({"id": bad.frame["id"], "result": {}}))
    await bad.exit(1)
    again = await stage.event("bad")
    assert again.delivery["redelivered"] is True
    await again.succeed()
    await stage.cleared(build)


async def test_exit_status_0_with_an_event_in_flight_is_no_answer(stage: Stage) -> None:
    stage.limit(RESTART_BASE=0.1)
    stage.puppet("bad")
    host = await stage.listening()
    build, (bad,) = await stage.one_build("bad")
    await bad.exit(0)
    assert "runs until its stdin ends" in await host.logged("starting it again")
    await (await stage.event("bad")).succeed()
    await stage.cleared(build)


@pytest.mark.parametrize("status", [77, 78])
async def test_a_plugin_that_exits_for_its_configuration_is_not_started_again(
    stage: Stage, status: int
) -> None:
    stage.puppet("good")
    stage.puppet("bad")
    host = await stage.listening()
    build, (good, bad) = await stage.one_build("good", "bad")
    await bad.exit(status)
    assert f"exit status {status}" in await host.logged("bad: disabled")
    await good.succeed()
    assert stage.flag(build) is not None


async def test_text_on_stdout_is_shown_explained_and_survived(stage: Stage) -> None:
    stage.puppet("bad")
    host = await stage.listening()
    build, (bad,) = await stage.one_build("bad")
    await bad.write("Hello from a library\n")
    assert "print to stderr" in await host.logged("Hello from a library")
    await bad.succeed()
    await stage.cleared(build)


async def test_bad_frames_and_foreign_ids_are_shown_and_survived(stage: Stage) -> None:
    stage.puppet("bad")
    host = await stage.listening()
    build, (bad,) = await stage.one_build("bad")
    await bad.write('{"id": 7}\n{"id":"e9","result":{}}\n')
    await host.logged("bad: bad frame: not a frame")
    await host.logged("bad: bad frame: answers nothing that was asked")
    await bad.succeed()
    await stage.cleared(build)


async def test_answering_twice_settles_once(stage: Stage) -> None:
    stage.puppet("bad")
    host = await stage.listening()
    build, (bad,) = await stage.one_build("bad")
    await bad.succeed()
    await bad.succeed()
    await host.logged("answers nothing that was asked")
    await stage.cleared(build)
    second, (bad,) = await stage.one_build("bad")
    await bad.succeed()
    await stage.cleared(second)


async def test_an_endless_line_is_cut_and_survived(stage: Stage) -> None:
    stage.puppet("bad")
    host = await stage.listening()
    build, (bad,) = await stage.one_build("bad")
    await bad.write("{" + "x" * 3_000_000 + "\n")
    await host.logged("a line of 3000001 bytes")
    await bad.succeed()
    await stage.cleared(build)


async def test_a_stream_of_rubbish_is_ended(stage: Stage) -> None:
    stage.limit(RESTART_BASE=0.1)
    stage.puppet("bad")
    host = await stage.listening()
    _, (bad,) = await stage.one_build("bad")
    await bad.write("{\n" * 10)
    await host.logged("too many bad frames")
    await (await stage.event("bad")).succeed()


async def test_a_plugin_that_closes_its_stdout_is_ended(
    stage: Stage, script: Callable[[str], Path]
) -> None:
    stage.plugins["bad"] = {"command": ["bash", str(script("exec 1>&-; sleep 1000"))]}
    host = await stage.start_host()
    assert "closed its stdout" in await host.logged("bad: it ")


async def test_a_flood_on_stderr_is_bounded_and_delays_nobody(
    stage: Stage, script: Callable[[str], Path]
) -> None:
    stage.puppet("good")
    stage.plugins["bad"] = {"command": ["bash", str(script("yes flood >&2"))]}
    host = await stage.start_host()
    await host.logged("good: ready")
    await host.logged("bad: flood")
    build, (good,) = await stage.one_build("good")
    await good.succeed()
    assert stage.flag(build) is not None
    assert sum("bad: flood" in line for line in host.log) < 2_500


async def test_long_lines_of_log_are_cut(
    stage: Stage, script: Callable[[str], Path]
) -> None:
    text = "head -c 100000 /dev/zero | tr '\\0' x >&2; echo end >&2; exec cat >&2"
    stage.plugins["bad"] = {"command": ["bash", str(script(text))]}
    host = await stage.start_host()
    assert 16_000 < len(await host.logged("xxx")) < 17_000


async def test_a_missing_program_is_named_and_tried_again(stage: Stage) -> None:
    stage.plugins["bad"] = {"command": ["no-such-program"]}
    host = await stage.start_host()
    line = await host.logged("starting it again")
    assert "cannot start" in line
    assert "no-such-program" in line


async def test_a_missing_interpreter_is_named(
    stage: Stage, script: Callable[[str], Path]
) -> None:
    path = script("")
    path.write_text("#!/no/such/interpreter\n")
    path.chmod(0o755)
    stage.plugins["bad"] = {"command": [str(path)]}
    host = await stage.start_host()
    assert str(path) in await host.logged("cannot start")


async def test_a_refused_configuration_disables_the_plugin_with_its_own_words(
    stage: Stage,
) -> None:
    stage.puppet("bad", manifest=False)
    host = await stage.start_host()
    hello = await stage.frame("bad")
    problem = {"path": "$.url", "message": "is required", "help": "set url"}
    await hello.answer(
        error={"code": 422, "message": "no", "data": {"errors": [problem]}}
    )
    line = await host.logged("bad: disabled")
    assert "$.url is required (set url)" in line


async def test_a_crashing_plugin_is_restarted_ever_more_slowly(
    stage: Stage, script: Callable[[str], Path]
) -> None:
    stage.plugins["bad"] = {"command": ["bash", str(script("echo why >&2; exit 3"))]}
    host = await stage.start_host()
    lines = [await host.logged("starting it again in", times) for times in (1, 2, 3)]
    assert "exit status 3" in lines[0]
    assert "stderr: why" in lines[0]
    delays = [float(line.rpartition(" in ")[2].removesuffix(" s")) for line in lines]
    # About 1, 2 and 4 s, each a fifth more or less.
    assert delays == sorted(delays)
    assert delays[2] > 2 * delays[0]


async def test_grandchildren_end_with_their_plugin(
    stage: Stage, script: Callable[[str], Path], tmp_path: Path
) -> None:
    pid = tmp_path / "pid"
    text = f"sleep 1000 & echo $! > {pid}.new; mv {pid}.new {pid}; exit 1"
    stage.plugins["bad"] = {"command": ["bash", str(script(text))]}
    host = await stage.start_host()
    await host.logged("starting it again")
    grandchild = int(pid.read_text())
    await gone(grandchild)


async def test_plugins_end_when_their_host_is_killed(stage: Stage) -> None:
    stage.puppet("one")
    host = await stage.listening()
    pid = (await stage.frame("one")).pid
    await host.kill()
    await gone(pid)


async def test_a_plugin_that_ignores_shutdown_and_sigterm_is_killed(
    stage: Stage, script: Callable[[str], Path]
) -> None:
    stage.limit(SHUTDOWN_REPLY_MS=500, EXIT_GRACE_MS=500, TERM_GRACE_MS=500)
    text = """
trap '' TERM
read -r line; id=$(jq -r .id <<< "$line")
manifest='{"protocol_version":1,"name":"x","version":"1","events":[]}'
echo '{"id":"'$id'","result":'$manifest'}'
while :; do sleep 1000; done
"""
    stage.plugins["bad"] = {"command": ["bash", str(script(text))]}
    host = await stage.start_host()
    await host.logged("bad: ready")
    assert await host.terminate() == 0


async def test_a_plugin_sees_nothing_of_the_hosts_environment(
    stage: Stage,
    script: Callable[[str], Path],
    monkeypatch: pytest.MonkeyPatch,
    tmp_path: Path,
) -> None:
    monkeypatch.setenv("PGPASSWORD", "hunter22")
    seen = tmp_path / "seen"
    text = f"{{ pwd; umask; env; }} > {seen}.new; mv {seen}.new {seen}; cat"
    stage.plugins["one"] = {
        "command": ["bash", str(script(text))],
        "environment": {"OWN": "value"},
    }
    host = await stage.start_host()
    await host.logged("plugins send no requests")
    cwd, umask, *environment = seen.read_text().splitlines()
    names = {line.partition("=")[0] for line in environment}
    state = str(stage.directory / "state" / "plugins" / "one")
    assert (cwd, umask) == (state, "0077")
    assert names <= {
        "PATH", "LANG", "TZ", "SSL_CERT_FILE", "NIX_SSL_CERT_FILE", "HOME",
        "PYTHONUNBUFFERED", "NO_COLOR", "TERM", "OWN", "HYDRA_NOTIFY_PLUGIN",
        "HYDRA_NOTIFY_INSTANCE", "HYDRA_NOTIFY_STATE_DIR", "PWD", "SHLVL", "_",
    }  # fmt: skip
    assert "OWN=value" in environment


async def test_secrets_reach_the_plugin_and_no_log(
    stage: Stage, tmp_path: Path
) -> None:
    stage.limit(SHUTDOWN_REPLY_MS=200)
    secret = tmp_path / "token"
    secret.write_text("hunter22\n")
    stage.puppet("one", secrets={"token": {"file": str(secret)}})
    host = await stage.listening()
    hello = await stage.frame("one")
    assert hello.frame["params"]["secrets"] == {"token": "hunter22"}
    await hello.write(
        'using hunter22\n{"method":"log","params":{"message":"hunter22"}}\n'
    )
    await host.logged("using ***")
    build, (event,) = await stage.one_build("one")
    await event.answer(error={"code": 500, "message": "hunter22 refused"})
    await host.logged("refused")
    await host.terminate()
    assert not any("hunter22" in line for line in host.log)
    assert stage.flag(build) is not None
