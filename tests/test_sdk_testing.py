"""What authors test their plugins with."""

import logging
import sys
import threading
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass
from itertools import combinations
from pathlib import Path

import msgspec
import pytest

from hydra_notify.outcomes import Dead, Delivered, outcome_of
from hydra_notify.outcomes import Outcome as OutcomeOfHost
from hydra_notify.outcomes import Retry as RetryOfHost
from hydra_notify_sdk import (
    AnyEvent,
    BuildEvent,
    Cancelled,
    ConfigProblem,
    Context,
    EvalEvent,
    Failure,
    Permanent,
    Plugin,
    Retry,
    Skipped,
    Unauthorized,
)
from hydra_notify_sdk.replies import failure_line
from hydra_notify_sdk.testing import (
    DeliveryFailed,
    LogLine,
    Outcome,
    Progress,
    StartFailed,
    drive,
    sample_event,
)
from hydra_notify_sdk.wire import (
    CHANNELS,
    BuildEventData,
    Channel,
    EvalEventData,
    PluginFrame,
    Verdict,
)
from hydra_notify_sdk.wire.samples import PARTS, sample_data, sample_params

Plain = Context[dict[str, object]]
Handler = Callable[[AnyEvent, Plain], Skipped | None]


@dataclass
class Settings:
    """What a plugin is told."""

    room: str
    port: int = 80


def plugin_with(
    handler: Handler, max_in_flight: int = 1, timeout: float | None = None
) -> Plugin[dict[str, object]]:
    plugin = Plugin(
        "tested", "1", max_in_flight=max_in_flight, ordering="none", timeout=timeout
    )
    plugin.on("*")(handler)
    return plugin


def outcome_when(error: BaseException, max_in_flight: int = 1) -> Outcome:
    def handler(_event: AnyEvent, _context: Plain) -> None:
        raise error

    return drive(plugin_with(handler, max_in_flight)).send("build_finished")


def test_a_plugin_gets_what_a_host_would_give_it(tmp_path: Path) -> None:
    plugin = Plugin("chat", "1", config=Settings, timeout=7)
    seen: list[str] = []

    @plugin.on("build_finished")
    def tell(event: BuildEvent, context: Context[Settings]) -> None:
        assert (event.attempt, event.redelivered, event.timeout) == (3, True, 7.0)
        assert (context.instance, context.hydra_data) == ("test", "")
        assert context.state_dir == tmp_path
        seen.append(f"{context.config.room} {context.secrets['token']}")
        seen.append(f"{event.data.build} {event.data.build_status} {event.subject}")

    host = drive(
        plugin, config={"room": "x"}, secrets={"token": "t"}, state_dir=tmp_path
    )
    outcome = host.send(
        "build_finished", build=5, status=0, attempt=3, redelivered=True
    )
    assert outcome.delivered
    assert seen == ["x t", "5 0 build/5"]
    assert host.manifest.timeout_ms == 7000


def test_a_configuration_that_is_refused_is_refused_in_the_plugins_words() -> None:
    plugin = Plugin("chat", "1", config=Settings)
    plugin.on("*")(lambda _event: None)
    with pytest.raises(StartFailed) as caught:
        drive(plugin, config={"room": "x", "port": "80"})
    assert str(caught.value) == (
        "422 settings.port: expected `int`, got `str` (correct it in "
        "[plugins.test.settings])"
    )
    assert caught.value.code == 422
    assert isinstance(caught.value.__cause__, ConfigProblem)


def test_a_start_hook_that_fails_shows_its_own_exception() -> None:
    plugin = plugin_with(lambda _event, _context: None)

    @plugin.on_start
    def connect(_context: Plain) -> None:
        raise OSError("no route to host")

    with pytest.raises(StartFailed, match="424 OSError: no route to host") as caught:
        drive(plugin)
    assert isinstance(caught.value.__cause__, OSError)


def test_a_sample_is_sent_as_it_was_changed() -> None:
    plugin = Plugin("chat", "1")
    seen: list[object] = []

    @plugin.on("build_*")
    def build(event: BuildEvent) -> None:
        seen.append((event.id, event.data.job, event.time))

    @plugin.on("eval_failed")
    def evaluation(event: EvalEvent) -> None:
        seen.append(event.data.error_changed)

    sample = sample_event("build_finished", build=7, status=0)
    sample.data.job = "tests"
    sample.id, sample.time = "mine", "2026-02-03T04:05:06Z"
    failed = sample_event("eval_failed")
    failed.data.error_changed = None
    host = drive(plugin)
    host.send(sample).raise_for_failure()
    host.send(failed).raise_for_failure()
    assert seen == [("mine", "tests", "2026-02-03T04:05:06Z"), None]


@pytest.mark.parametrize("channel", CHANNELS)
def test_a_sample_has_of_the_heavy_parts_those_that_are_included(
    channel: Channel,
) -> None:
    for number in range(len(PARTS) + 1):
        for parts in combinations(PARTS, number):
            event = sample_event(channel).cloud_event(parts)
            kind = EvalEventData if channel.startswith("eval_") else BuildEventData
            data = msgspec.json.decode(event.data, type=kind)
            assert data == sample_data(channel, parts=parts), parts
            assert event == sample_params(channel, parts=parts).event


def test_an_event_that_the_plugin_has_no_handler_for_is_not_sent() -> None:
    plugin = Plugin("chat", "1")
    plugin.on("build_*", "eval_added")(lambda _event: None)
    host = drive(plugin)
    words = "no host would send step_finished: .* for build_\\*, eval_added"
    with pytest.raises(LookupError, match=words):
        host.send("step_finished")


def test_a_misspelt_sample_is_refused_with_the_one_that_is_meant() -> None:
    with pytest.raises(ValueError, match="did you mean 'build_finished'"):
        sample_event("build_finish")  # type: ignore[call-overload]


FAILURES = [
    Retry("later", after=30),
    Retry("slow down", after=60, code=429),
    Retry("down", code=503),
    Retry("missing", code=404),
    Permanent("never", fix="delete it"),
    Permanent("archived", code=500),
    Unauthorized("bad token", fix="make a new one"),
    Failure("there already", code=409),
    Failure("gone", code=410, after=1.5),
]


@pytest.mark.parametrize("error", FAILURES, ids=repr)
def test_an_outcome_is_what_the_real_host_makes_of_the_answer(error: Failure) -> None:
    outcome = outcome_when(error)
    assert (outcome.code, outcome.message) == (error.code, error.message)
    assert (outcome.fix, outcome.retry_after) == (error.fix, error.after)
    assert outcome.exception is error
    reply = msgspec.json.decode(failure_line("e1", error), type=PluginFrame)
    assert reply.error is not None
    expected: OutcomeOfHost = outcome_of(reply.error, pause_default=1.0)
    match outcome.verdict:
        case Verdict.DELIVERED:
            assert isinstance(expected, Delivered)
            assert outcome.delivered
        case Verdict.DEAD:
            assert isinstance(expected, Dead)
        case held:
            assert isinstance(expected, RetryOfHost)
            assert (held is Verdict.PAUSE) == (expected.pause is not None)
            assert (held is Verdict.BLOCK) == expected.block


def test_a_skipped_event_is_no_failure_and_not_delivered() -> None:
    outcome = drive(plugin_with(lambda _event, _context: Skipped("no input"))).send(
        "eval_added"
    )
    assert outcome.skipped == "no input"
    assert not outcome.delivered
    assert repr(outcome).endswith(": skipped, no input>")
    outcome.raise_for_failure()


@pytest.mark.parametrize("window", [1, 2])
def test_a_failure_shows_what_the_handler_raised_and_where(window: int) -> None:
    outcome = outcome_when(ZeroDivisionError("a bug"), max_in_flight=window)
    assert not outcome.delivered
    with pytest.raises(DeliveryFailed) as caught:
        outcome.raise_for_failure()
    assert str(caught.value) == (
        "<Outcome of build_finished:4711:1767607100-1767607200:1: retry, "
        "500 ZeroDivisionError: a bug>"
    )
    cause = caught.value.__cause__
    assert isinstance(cause, ZeroDivisionError)
    traceback = cause.__traceback__
    while traceback is not None and traceback.tb_next is not None:
        traceback = traceback.tb_next
    assert traceback is not None
    assert traceback.tb_frame.f_code.co_name == "handler"
    assert outcome.log[-1] == LogLine("error", "ZeroDivisionError: a bug")


def test_an_answer_that_means_nothing_fails() -> None:
    def handler(_event: AnyEvent, _context: Plain) -> None:
        return False  # type: ignore[return-value]

    outcome = drive(plugin_with(handler)).send("build_queued")
    assert outcome.message == (
        "TypeError: the handler returned False, not None or Skipped"
    )


@pytest.mark.parametrize("window", [1, 2])
def test_progress_and_logs_are_those_of_the_event(window: int) -> None:
    def handler(event: AnyEvent, context: Plain) -> None:
        context.progress("half", 50)
        context.log.info("about %s", event.subject, extra={"n": 1})
        logging.getLogger("library").warning("slow")
        context.log.debug("not kept")

    host = drive(plugin_with(handler, max_in_flight=window))
    first, second = host.send_all(
        [sample_event("build_finished", build=n) for n in (1, 2)]
    )
    for number, outcome in enumerate((first, second), 1):
        assert outcome.progress == [Progress("half", 50)]
        assert outcome.log == [
            LogLine("info", f"about build/{number}", {"n": 1}),
            LogLine("warning", "library: slow"),
        ]


def test_logging_is_afterwards_as_it_was() -> None:
    root = logging.getLogger()
    before = (root.level, list(root.handlers))
    drive(plugin_with(lambda _event, _context: None)).send("build_queued")
    assert (root.level, root.handlers) == before


@pytest.mark.parametrize("window", [1, 2])
def test_a_host_stops_waiting_when_it_is_told_to(window: int) -> None:
    """Before the handler begins, in the midst of its work, and not at all."""

    def handler(event: AnyEvent, context: Plain) -> None:
        for part in range(4):
            if event.cancelled:
                raise Cancelled(f"stopped after {part} of 4")
            context.progress(f"part {part}")

    host = drive(plugin_with(handler, max_in_flight=window))
    for after, words in {0: "stopped after 0 of 4", 3: "stopped after 3 of 4"}.items():
        outcome = host.send("build_finished", cancel_after=after)
        assert (outcome.code, outcome.message) == (499, words)
        assert len(outcome.progress) == after
    assert host.send("build_finished").delivered


def test_an_event_sent_twice_is_marked_the_second_time(tmp_path: Path) -> None:
    effects: Counter[str] = Counter()
    marks: list[tuple[int, bool]] = []

    def handler(event: AnyEvent, context: Plain) -> None:
        marks.append((event.attempt, event.redelivered))
        seen = context.state_dir / event.id.replace("/", "-")
        if seen.exists():
            return
        effects[event.id] += 1
        seen.touch()

    host = drive(plugin_with(handler), state_dir=tmp_path)
    outcomes = host.send_twice("build_finished")
    assert all(outcome.delivered for outcome in outcomes)
    assert marks == [(1, False), (2, True)]
    assert list(effects.values()) == [1]


def test_without_a_state_directory_a_plugin_that_needs_one_is_told_so() -> None:
    def handler(_event: AnyEvent, context: Plain) -> None:
        (context.state_dir / "seen").mkdir(parents=True)

    outcome = drive(plugin_with(handler)).send("build_finished")
    assert "pass state_dir to drive()" in outcome.message


def test_many_events_are_in_work_at_a_time_and_no_more_than_the_window() -> None:
    together = threading.Barrier(3)

    def handler(_event: AnyEvent, _context: Plain) -> None:
        together.wait(20)

    host = drive(plugin_with(handler, max_in_flight=3))
    samples = [sample_event("build_finished", build=n) for n in range(6)]
    outcomes = host.send_all(samples)
    assert [outcome.event_id for outcome in outcomes] == [s.id for s in samples]
    assert all(outcome.delivered for outcome in outcomes)


def test_events_of_one_build_come_one_after_the_other() -> None:
    """Those of another build overtake them."""
    plugin = Plugin("ordered", "1", max_in_flight=4)
    other = threading.Event()
    seen: list[str] = []

    @plugin.on("*")
    def handle(event: AnyEvent) -> None:
        if event.subject == "build/2":
            other.set()
        else:
            assert other.wait(20)
            seen.append(event.name)

    names: list[Channel] = [
        "build_queued",
        "build_started",
        "step_finished",
        "build_finished",
    ]
    outcomes = drive(plugin).send_all([*names, sample_event("build_queued", build=2)])
    assert all(outcome.delivered for outcome in outcomes)
    assert seen == names


@pytest.mark.parametrize("window", [1, 2])
def test_a_handler_that_ends_the_plugin_ends_the_test(window: int) -> None:
    def handler(_event: AnyEvent, _context: Plain) -> None:
        sys.exit(78)

    host = drive(plugin_with(handler, max_in_flight=window))
    with pytest.raises(SystemExit) as caught:
        host.send("build_finished")
    assert caught.value.code == 78


def test_a_handler_in_a_thread_that_hangs_is_not_waited_for_for_ever(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr("hydra_notify_sdk.testing.exchange.CANCEL_GRACE_MS", -990)
    monkeypatch.setattr("hydra_notify_sdk.testing.exchange.LEAVE_SECONDS", 0.0)
    release = threading.Event()

    def handler(_event: AnyEvent, _context: Plain) -> None:
        release.wait(20)

    host = drive(plugin_with(handler, max_in_flight=2, timeout=1))
    with pytest.raises(TimeoutError, match=r"no answer to build_finished:4711:.* what"):
        host.send("build_finished")
    release.set()


def test_handlers_run_where_they_run_in_production() -> None:
    """A connection that on_start has made may belong to the main thread."""
    threads: list[bool] = []

    def handler(_event: AnyEvent, _context: Plain) -> None:
        threads.append(threading.current_thread() is threading.main_thread())

    for window in (1, 2):
        drive(plugin_with(handler, max_in_flight=window)).send("build_queued")
    assert threads == [True, False]


def test_a_sample_that_no_host_could_send_is_refused() -> None:
    sample = sample_event("build_finished")
    sample.data.description = "x" * 2_000_000
    host = drive(plugin_with(lambda _event, _context: None))
    with pytest.raises(ValueError, match="a host sends at most 1048576"):
        host.send(sample)
