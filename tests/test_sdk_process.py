"""SDK plugins as real processes."""

import json
import os
import signal
import sys
from collections.abc import Callable, Iterable
from pathlib import Path

import pytest
from tests.toy_host import ToyHost, event_params
from tests.transcripts import Frame

from hydra_notify_sdk.wire.limits import MAX_FRAME_BYTES

Start = Callable[[str], ToyHost]


@pytest.fixture
def start(tmp_path: Path) -> Start:
    """Starts the plugin whose source is given."""

    def start_source(source: str) -> ToyHost:
        program = tmp_path / "plugin.py"
        program.write_text(source)
        return ToyHost([sys.executable, str(program)], tmp_path / "state")

    return start_source


PRINTING = """
import os, subprocess, sys
print("before")
from hydra_notify_sdk import AnyEvent, Plugin
plugin = Plugin("noisy", "1")
@plugin.on("*")
def handle(event: AnyEvent) -> None:
    print("printed")
    print("no newline", end="")
    sys.stdout.flush()
    os.write(1, b'{"jsonrpc":"2.0","id":"forged","result":{}}\\n')
    subprocess.run(["sh", "-c", "echo child says; cat"], check=True)
    print(repr(sys.stdin.read()))
plugin.run()
"""


def test_what_handler_and_children_print_is_log_and_never_on_the_wire(
    start: Start,
) -> None:
    with start(PRINTING) as host:
        host.initialize()
        for number in range(3):
            assert "result" in host.event("build_finished"), number
        assert host.shutdown() == 0
        assert host.stray == [b"before"]
        for words in ("printed", "no newline", "forged", "child says", "''"):
            assert words in host.stderr


PARALLEL = """
import threading
from hydra_notify_sdk import AnyEvent, Plugin
plugin = Plugin("parallel", "1", max_in_flight=4, ordering="none")
together = threading.Barrier(4)
@plugin.on("*")
def handle(event: AnyEvent) -> None:
    together.wait(20)
plugin.run()
"""


def test_with_a_window_of_four_handlers_run_at_the_same_time(start: Start) -> None:
    """Each waits at a barrier that only four can pass together."""
    with start(PARALLEL) as host:
        host.initialize()
        for round_ in range(3):
            numbers = range(round_ * 4, round_ * 4 + 4)
            ids = {
                host.request("event", event_params("build_finished", number=number))
                for number in numbers
            }
            assert {host.next_frame()["id"] for _ in ids} == ids
        assert host.shutdown() == 0


SLOW_THEN_QUICK = """
import os, threading
from hydra_notify_sdk import AnyEvent, Plugin
plugin = Plugin("uneven", "1", max_in_flight=2, ordering="none")
@plugin.on("build_started")
def slow(event: AnyEvent) -> None:
    threading.Thread(target=threading.Event().wait, daemon=False).start()
    threading.Event().wait()
@plugin.on("build_finished")
def quick(event: AnyEvent) -> None:
    pass
plugin.run()
"""


def test_a_slow_handler_does_not_hold_back_the_answer_of_a_quick_one(
    start: Start,
) -> None:
    with start(SLOW_THEN_QUICK) as host:
        host.initialize()
        host.request("event", event_params("build_started"))
        for _ in range(20):
            assert "result" in host.event("build_finished")


def test_a_ping_is_answered_while_threads_work(start: Start) -> None:
    with start(SLOW_THEN_QUICK) as host:
        host.initialize()
        host.request("event", event_params("build_started"))
        assert host.ask("ping")["result"] == {}


def test_it_ends_with_status_0_although_a_thread_never_does(start: Start) -> None:
    with start(SLOW_THEN_QUICK) as host:
        host.initialize()
        host.request("event", event_params("build_started"))
        assert host.end() == 0


LOOKING = """
from hydra_notify_sdk import AnyEvent, Cancelled, Context, Plugin, Skipped
plugin = Plugin("long", "1")
@plugin.on("*")
def handle(event: AnyEvent, context: Context[dict[str, object]]) -> Skipped:
    context.progress("working")
    while not event.cancelled:
        pass
    print("saw it", flush=True)
    return Skipped("saw it")
plugin.run()
"""


def test_a_handler_in_the_main_thread_sees_its_cancellation(start: Start) -> None:
    with start(LOOKING) as host:
        host.initialize()
        name = host.request("event", event_params("build_finished"))
        assert host.next_frame()["method"] == "progress"
        host.send({"method": "cancel", "params": {"id": "other", "reason": "x"}})
        host.send({"method": "cancel", "params": {"id": name, "reason": "deadline"}})
        assert host.answer(name)["result"] == {"status": "skipped", "note": "saw it"}
        assert host.shutdown() == 0


def test_what_arrives_while_a_handler_looks_is_not_lost(start: Start) -> None:
    with start(LOOKING) as host:
        host.initialize()
        first = host.request("event", event_params("build_finished"))
        assert host.next_frame()["method"] == "progress"
        second = host.request("event", event_params("build_finished"))
        ping = host.request("ping")
        host.answer(ping)
        for name in (first, second):
            host.send({"method": "cancel", "params": {"id": name, "reason": "x"}})
        assert "result" in host.answer(first)
        assert "result" in host.answer(second)


IN_THREADS = LOOKING.replace('"1")', '"1", max_in_flight=2)')


def test_a_thread_sees_that_the_plugin_is_ended(start: Start) -> None:
    with start(IN_THREADS) as host:
        host.initialize()
        host.request("event", event_params("build_finished"))
        assert host.next_frame()["method"] == "progress"
        os.kill(host.pid, signal.SIGTERM)
        assert host.exit_status() == 0
        assert "saw it" in host.stderr


TAKING = """
import signal, threading
from hydra_notify_sdk import AnyEvent, Plugin
plugin = Plugin("taking", "1", max_in_flight=2)
@plugin.on("*")
def handle(event: AnyEvent) -> None:
    signal.pthread_kill(threading.get_ident(), signal.SIGTERM)
    while not event.cancelled:
        pass
    print("saw it", flush=True)
plugin.run()
"""


def test_a_signal_that_another_thread_is_given_ends_the_plugin(start: Start) -> None:
    with start(TAKING) as host:
        host.initialize()
        host.request("event", event_params("build_finished"))
        assert host.exit_status() == 0
        assert "saw it" in host.stderr


def test_a_handler_that_looks_sees_that_the_host_has_gone(start: Start) -> None:
    with start(LOOKING) as host:
        host.initialize()
        host.request("event", event_params("build_finished"))
        assert host.next_frame()["method"] == "progress"
        assert host.end() == 0
        assert "saw it" in host.stderr


CLEANING = """
import threading
from hydra_notify_sdk import AnyEvent, Context, Plugin
plugin = Plugin("careful", "1")
@plugin.on("*")
def handle(event: AnyEvent, context: Context[dict[str, object]]) -> None:
    try:
        context.progress()
        threading.Event().wait()
    finally:
        print("cleaned up", flush=True)
plugin.run()
"""


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_a_signal_ends_it_with_status_0_and_runs_finally_clauses(
    start: Start, number: signal.Signals
) -> None:
    with start(CLEANING) as host:
        host.initialize()
        host.request("event", event_params("build_finished"))
        assert host.next_frame()["method"] == "progress"
        os.kill(host.pid, number)
        assert host.exit_status() == 0
        assert "cleaned up" in host.stderr


LEAVING = """
import sys
from hydra_notify_sdk import AnyEvent, Plugin
plugin = Plugin("leaving", "1", max_in_flight=WINDOW)
@plugin.on("*")
def handle(event: AnyEvent) -> None:
    sys.exit(78)
plugin.run()
"""


@pytest.mark.parametrize("window", ["1", "2"])
def test_an_exit_in_a_handler_ends_the_plugin(start: Start, window: str) -> None:
    with start(LEAVING.replace("WINDOW", window)) as host:
        host.initialize()
        host.request("event", event_params("build_finished"))
        assert host.exit_status() == 78


LOGGING = """
import logging, threading
from hydra_notify_sdk import AnyEvent, Context, Plugin
plugin = Plugin("talkative", "1", max_in_flight=WINDOW, ordering="none")
together = threading.Barrier(WINDOW)
@plugin.on_start
def start(context: Context[dict[str, object]]) -> None:
    context.log.info("starting")
    logging.getLogger("urllib3").warning("two\\nlines")
    logging.debug("not kept")
@plugin.on("build_finished")
def handle(event: AnyEvent, context: Context[dict[str, object]]) -> None:
    context.log.info("took %s", event.id, extra={"number": 7, "path": together})
    together.wait(20)
    logging.getLogger("urllib3").warning("two\\nlines")
    logging.debug("not kept")
    raise ValueError("a bug")
plugin.run()
"""
ALONE = LOGGING.replace("WINDOW", "1")


def logged(frames: Iterable[Frame], name: str) -> list[tuple[object, str]]:
    """Level and text of the log notifications about request `name`."""
    params = [frame["params"] for frame in frames if frame.get("method") == "log"]
    return [
        (param.get("level", "info"), param["message"])
        for param in params
        if isinstance(param, dict) and param["id"] == name
    ]


def test_logging_outside_handlers_goes_to_stderr_and_every_line_has_a_level(
    start: Start,
) -> None:
    with start(ALONE) as host:
        host.initialize()
        assert host.shutdown() == 0
        assert host.stderr.splitlines() == [
            "<6>starting",
            "<4>urllib3: two",
            "<4>lines",
        ]
        assert not host.frames


def test_what_handlers_log_is_tied_to_their_events(start: Start) -> None:
    """Both handlers have logged before one of them goes on."""
    with start(LOGGING.replace("WINDOW", "2")) as host:
        host.initialize()
        names = [
            host.request("event", event_params("build_finished", number=number))
            for number in (1, 2)
        ]
        for name in names:
            error = host.answer(name)["error"]
            assert error == {"code": 500, "message": "ValueError: a bug"}
        for number, name in enumerate(names, 1):
            lines = logged(host.frames, name)
            assert lines[:3] == [
                ("info", f"took build_finished:{number}:1767607200"),
                ("warning", "urllib3: two"),
                ("warning", "lines"),
            ]
            assert {level for level, _ in lines[3:]} == {"error"}
            assert lines[4] == ("error", "Traceback (most recent call last):")
            assert lines[-1] == ("error", "ValueError: a bug")
        assert host.shutdown() == 0
        assert "took" not in host.stderr


def test_fields_of_a_record_are_fields_of_its_first_line(start: Start) -> None:
    with start(ALONE) as host:
        host.initialize()
        host.event("build_finished")
        fields = [
            params.get("fields")
            for frame in host.frames
            if isinstance(params := frame["params"], dict)
        ]
        first, *others = fields
        assert isinstance(first, dict)
        assert first["number"] == 7
        assert "Barrier" in first["path"]
        assert not any(others)


LEFT_BEHIND = """
import os, signal, sys
from hydra_notify_sdk import AnyEvent, Context, Plugin
plugin = Plugin("forking", "1")
@plugin.on("*")
def handle(event: AnyEvent, context: Context[dict[str, object]]) -> None:
    ready, tell = os.pipe()
    if os.fork() == 0:
        os.close(ready)
        context.log.info("child logs")
        os.write(tell, b"x")
        signal.pause()
    os.close(tell)
    os.read(ready, 1)
plugin.run()
"""


def test_a_forked_child_that_stays_has_no_hold_of_the_wire(start: Start) -> None:
    """The host sees the end of the plugin, and what the child logs is on stderr."""
    with start(LEFT_BEHIND) as host:
        host.initialize()
        assert host.event("build_finished")["result"] == {}
        try:
            assert host.shutdown() == 0
            assert host.rest() == b""
            assert not host.frames
            assert "<6>child logs" in host.stderr
        finally:
            os.killpg(host.pid, signal.SIGKILL)


RETURNING = """
import os
from hydra_notify_sdk import AnyEvent, Plugin
plugin = Plugin("forking", "1")
@plugin.on("*")
def handle(event: AnyEvent) -> None:
    for _ in range(2):
        child = os.fork()
        if child:
            os.waitpid(child, 0)
            return
        assert not event.cancelled
plugin.run()
"""


def test_a_forked_child_that_returns_into_the_handler_answers_nothing(
    start: Start,
) -> None:
    """Nor does a child of its own."""
    with start(RETURNING) as host:
        host.initialize()
        assert host.event("build_finished")["result"] == {}
        assert host.event("build_finished")["result"] == {}
        assert host.shutdown() == 0
        assert host.rest() == b""
        assert not host.frames
        assert host.stderr.count("OSError: [Errno 9] a forked child of a plugin") == 4
        assert "Exception ignored" not in host.stderr


IN_A_SIGNAL = """
import signal, threading
from hydra_notify_sdk import AnyEvent, Context, Plugin
plugin = Plugin("reloading", "1")
@plugin.on("*")
def handle(event: AnyEvent, context: Context[dict[str, object]]) -> None:
    signal.signal(signal.SIGHUP, lambda *_: context.log.info("%s", "y" * 10_000))
    for _ in range(200):
        context.log.info("%s", "x" * 10_000)
plugin.run()
"""


def test_a_signals_handler_may_log_while_a_frame_is_written(start: Start) -> None:
    """The pipe is full when the signal comes; no frame is cut in two."""
    with start(IN_A_SIGNAL) as host:
        host.initialize()
        name = host.request("event", event_params("build_finished"))
        for _ in range(5):
            assert host.next_frame()["method"] == "log"
            host.wait_until_blocked()
            os.kill(host.pid, signal.SIGHUP)
        assert host.answer(name)["result"] == {}
        assert host.shutdown() == 0
        assert not host.stray


UNUSUAL = """
import asyncio, sys
from hydra_notify_sdk import AnyEvent, Plugin
plugin = Plugin("unusual", "1", max_in_flight=WINDOW)
@plugin.on("build_finished")
def handle(event: AnyEvent) -> None:
    raise asyncio.CancelledError("from a task")
@plugin.on("build_started")
def interrupt(event: AnyEvent) -> None:
    raise KeyboardInterrupt
plugin.run()
"""


@pytest.mark.parametrize("window", ["1", "2"])
def test_an_exception_of_any_kind_is_an_answer(start: Start, window: str) -> None:
    with start(UNUSUAL.replace("WINDOW", window)) as host:
        host.initialize()
        for _ in range(3):
            assert host.event("build_finished")["error"] == {
                "code": 500,
                "message": "CancelledError: from a task",
            }
        host.request("event", event_params("build_started"))
        assert host.exit_status() in (130, -signal.SIGINT)


IN_THREADS_OF_ITS_OWN = """
import threading
from concurrent.futures import ThreadPoolExecutor
from hydra_notify_sdk import AnyEvent, Cancelled, Context, Plugin
plugin = Plugin("pooled", "1")
@plugin.on("*")
def handle(event: AnyEvent, context: Context[dict[str, object]]) -> None:
    def work(number: int) -> None:
        context.progress(f"part {number}")
        while not event.cancelled:
            pass
        raise Cancelled(f"part {number} stopped")
    with ThreadPoolExecutor(2) as pool:
        for part in [pool.submit(work, number) for number in range(2)]:
            part.result()
plugin.run()
"""


def test_threads_that_a_handler_has_started_see_its_cancellation(start: Start) -> None:
    with start(IN_THREADS_OF_ITS_OWN) as host:
        host.initialize()
        name = host.request("event", event_params("build_finished"))
        assert {host.next_frame()["method"] for _ in range(2)} == {"progress"}
        host.send({"method": "cancel", "params": {"id": name, "reason": "deadline"}})
        assert host.answer(name)["error"] == {"code": 499, "message": "part 0 stopped"}
        assert host.shutdown() == 0


BROKEN_START = """
from hydra_notify_sdk import AnyEvent, ConfigProblem, Context, Plugin
plugin = Plugin("picky", "1")
@plugin.on("*")
def handle(event: AnyEvent) -> None: ...
@plugin.on_start
def check(context: Context[dict[str, object]]) -> None:
    if "token" not in context.secrets:
        raise ConfigProblem("secrets.token", "is required", fix="make one")
    raise OSError("no route to host")
plugin.run()
"""


def test_the_start_hook_can_refuse_the_configuration(start: Start) -> None:
    with start(BROKEN_START) as host:
        assert host.initialize()["error"] == {
            "code": 422,
            "message": "secrets.token: is required",
            "data": {"help": "make one"},
        }
        assert host.end() == 0


def test_a_start_hook_that_crashes_is_a_missing_dependency(start: Start) -> None:
    with start(BROKEN_START) as host:
        assert host.initialize(secrets={"token": "x"})["error"] == {
            "code": 424,
            "message": "OSError: no route to host",
        }
        assert "Traceback" in host.stderr


BIG = """
from hydra_notify_sdk import AnyEvent, Plugin, Retry
plugin = Plugin("big", "1")
@plugin.on("*")
def handle(event: AnyEvent) -> None:
    raise Retry(("\\x01\\ud800" * 5_000_000), fix="\\u2028" * 5_000_000)
plugin.run()
"""


def test_no_reply_is_too_long_for_a_frame_or_impossible_to_encode(start: Start) -> None:
    with start(BIG) as host:
        host.initialize()
        answer = host.event("build_finished")
        assert len(json.dumps(answer)) < MAX_FRAME_BYTES / 10


def test_a_frame_of_the_largest_size_is_read(start: Start) -> None:
    with start(ALONE) as host:
        host.initialize()
        params = event_params("build_queued")
        params["padding"] = "x" * (MAX_FRAME_BYTES - 5_000)
        assert "skipped" in str(host.ask("event", params))


def test_it_ends_quietly_when_nobody_reads_its_answers(start: Start) -> None:
    with start(ALONE) as host:
        host.initialize()
        host._stdout.close()
        host.request("ping")
        assert host.exit_status() == 0
        assert "BrokenPipe" not in host.stderr
