"""What is wrong with a host, how bad it is, and what the sentence for it is."""

import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.statuses import plugin_status

from hydra_notify.metrics import Counts, LedgerState, PluginState, Role
from hydra_notify.problems import NOT_READY, health, problems
from hydra_notify.status import Health, PluginStatus


def at_work() -> Counts:
    return Counts(role=Role.ACTIVE, listening=True, ledger=LedgerState.ACTIVE)


def seen(counts: Counts, *plugins: PluginStatus, **more: object) -> tuple[str, ...]:
    found = problems(counts, plugins, **more)  # type: ignore[arg-type]
    return tuple(each.name for each in found)


def is_ready(counts: Counts, stuck: str = "") -> bool:
    return NOT_READY.isdisjoint(seen(counts, stuck=stuck))


def judged(counts: Counts, *plugins: PluginStatus) -> tuple[Health, str]:
    return health(counts, problems(counts, plugins))


def test_a_host_at_work_has_no_problem() -> None:
    counts = at_work()
    assert seen(counts, plugin_status("chat")) == ()
    assert judged(counts) == (Health.OK, "Everything is delivered.")
    assert is_ready(counts)


def test_without_a_database_the_host_is_down_and_not_ready() -> None:
    counts = at_work()
    counts.listening, counts.link_error = False, "connection refused"
    (found,) = problems(counts)
    assert (found.name, found.severity) == ("database-lost", "critical")
    assert "connection refused" in found.summary
    assert judged(counts)[0] is Health.DOWN
    assert not is_ready(counts)


def test_a_host_that_starts_says_what_it_waits_for() -> None:
    counts = Counts()
    assert seen(counts) == ("starting",)
    how, words = judged(counts)
    assert how is Health.DOWN
    assert "Waiting for Hydra's database" in words


@pytest.mark.parametrize("listening", [True, False])
def test_a_standby_is_fine_while_it_could_take_over(*, listening: bool) -> None:
    counts = Counts(role=Role.STANDBY, listening=listening)
    assert (judged(counts)[0] is Health.OK) == listening
    assert not is_ready(counts)


def test_a_host_that_polls_delivers_and_says_that_it_is_slow() -> None:
    counts = at_work()
    counts.listening, counts.polling = False, True
    assert seen(counts) == ("listen-does-not-work",)
    assert judged(counts)[0] is Health.DEGRADED
    assert is_ready(counts)


@pytest.mark.parametrize(
    ("state", "name"),
    [
        (LedgerState.ABSENT, "ledger-missing"),
        (LedgerState.OLD, "ledger-not-usable"),
        (LedgerState.NEWER, "ledger-not-usable"),
        (LedgerState.DENIED, "ledger-not-usable"),
    ],
)
def test_a_ledger_that_cannot_be_used_is_named_with_its_fix(
    state: LedgerState, name: str
) -> None:
    counts = at_work()
    counts.ledger = state
    (found,) = problems(counts)
    assert found.name == name
    assert found.fix
    assert is_ready(counts)


@pytest.mark.parametrize(
    ("state", "name"),
    [
        (PluginState.FLAPPING, "plugin-flapping"),
        (PluginState.DISABLED, "plugin-disabled"),
        (PluginState.BLOCKED, "plugin-blocked"),
    ],
)
def test_a_plugin_in_trouble_is_critical_if_flags_wait_for_it(
    state: PluginState, name: str
) -> None:
    for required, severity in ((True, "critical"), (False, "warning")):
        plugin = plugin_status(
            "chat", state=state, required=required, last_error="exit status 3"
        )
        (found,) = problems(at_work(), [plugin])
        assert (found.name, found.severity, found.plugin) == (name, severity, "chat")
        assert "exit status 3" in found.summary
    how, words = judged(at_work(), plugin_status("chat", state=state))
    assert how is Health.DEGRADED
    assert words.startswith("chat gets nothing")


def test_all_that_get_nothing_are_named_at_a_glance() -> None:
    state = PluginState.FLAPPING
    plugins = [plugin_status(name, state=state) for name in ("chat", "mail")]
    _, words = judged(at_work(), *plugins)
    assert words.startswith("chat, mail get nothing")


def test_a_paused_plugin_is_not_forgotten() -> None:
    assert seen(at_work(), plugin_status("chat", paused=True)) == ("plugin-paused",)


def test_what_stands_still_comes_first() -> None:
    counts = at_work()
    counts.ledger = LedgerState.ABSENT
    names = seen(counts, stuck="clearing flags", dead=2)
    assert names == ("stuck", "ledger-missing", "dead-letters")
    assert not is_ready(counts, "clearing flags")


def test_a_configuration_that_could_not_be_taken_is_said_until_one_is() -> None:
    counts = at_work()
    counts.config_reload_failed = True
    assert seen(counts) == ("config-reload-failed",)


def test_the_ledger_of_the_active_host_is_not_a_standbys_to_know() -> None:
    counts = Counts(role=Role.STANDBY, listening=True, ledger=LedgerState.ABSENT)
    assert seen(counts) == ("standby",)


def test_what_is_for_everybody_quotes_nobody() -> None:
    counts = at_work()
    counts.listening, counts.link_error = False, "no route to db1"
    plugin = plugin_status(
        "chat", state=PluginState.FLAPPING, last_error="cannot tell secrets"
    )
    found = problems(counts, [plugin], with_errors=False)
    assert {each.name for each in found} == {"database-lost", "plugin-flapping"}
    assert not any("secrets" in each.summary or "db1" in each.summary for each in found)


@given(
    st.builds(
        Counts,
        role=st.sampled_from(Role),
        listening=st.booleans(),
        polling=st.booleans(),
        ledger=st.sampled_from(LedgerState),
        config_reload_failed=st.booleans(),
    ),
    st.sampled_from(PluginState),
    st.booleans(),
)
def test_every_problem_is_two_lines_with_a_way_out(
    counts: Counts, state: PluginState, stopping: bool
) -> None:
    plugin = plugin_status("one", state=state, paused=stopping)
    found = problems(counts, [plugin], stuck="x", stopping=stopping)
    for problem in found:
        assert problem.summary
        assert problem.fix
        assert "\n" not in problem.summary + problem.fix
        assert "{" not in problem.fix
    severities = [problem.severity for problem in found]
    assert severities == sorted(severities)
    assert len({(each.name, each.plugin) for each in found}) == len(found)
    how, words = health(counts, found)
    assert words.endswith(".")
    assert (how is Health.OK) == (not found or words.startswith("Standby: "))
