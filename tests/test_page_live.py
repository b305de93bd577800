"""An open page gets what has changed, and nothing else."""

import msgspec
import pytest
from tests.browser import samples

from hydra_notify import page
from hydra_notify.status import HostStatus


def parts(status: HostStatus, plugin: str | None = None) -> dict[str, bytes]:
    return page.parts(status, can_act=True, plugin=plugin)


def sent(before: HostStatus, after: HostStatus) -> set[str]:
    return set(page.changed(parts(before), parts(after)))


@pytest.mark.parametrize("name", samples.HOSTS)
def test_time_alone_changes_nothing(name: str) -> None:
    status = samples.HOSTS[name]()
    for later in (1, 60, 3_600, 100_000):
        assert sent(status, samples.changed(status, now=status.now + later)) == set()


def test_a_plugin_that_changed_is_sent_alone() -> None:
    status = samples.healthy()
    first, *others = status.plugins
    busy = msgspec.structs.replace(first, queued=7)
    assert sent(status, samples.changed(status, plugins=[busy, *others])) == {
        f"plugin-{first.name}"
    }


def test_the_list_is_sent_when_it_has_others_in_it() -> None:
    status = samples.healthy()
    fewer = samples.changed(status, plugins=status.plugins[1:])
    for before, after in ((status, fewer), (fewer, status)):
        assert sent(before, after) == {"plugins", "work"}
    turned = samples.changed(status, plugins=status.plugins[::-1])
    assert sent(status, turned) == {"plugins"}


@pytest.mark.parametrize(
    ("changes", "names"),
    [
        ({"words": "All is lost."}, {"health"}),
        ({"open_events": 4}, {"work"}),
        ({"dead_count": 9}, {"dead", "work"}),
        ({"config_reload_failures": 1}, {"host"}),
        ({"in_flight": [], "in_flight_count": 0}, {"flight", "work"}),
    ],
)
def test_what_is_sent_is_what_shows_it(
    changes: dict[str, object], names: set[str]
) -> None:
    status = samples.healthy()
    assert sent(status, samples.changed(status, **changes)) == names


def test_where_there_is_no_plugin_it_is_said_why() -> None:
    assert "plugins" in sent(samples.empty(), samples.standby())
    assert "plugins" not in sent(samples.empty(), samples.empty())


def test_a_page_of_which_nothing_is_known_gets_everything_once() -> None:
    status = samples.flapping()
    all_parts = parts(status)
    new = page.changed({}, all_parts)
    assert set(new) == {name for name in all_parts if not name.startswith("plugin-")}
    shown = page.whole(status, can_act=True, may_sign_in=False)
    assert [name for name, part in new.items() if part not in shown] == []


@pytest.mark.parametrize("name", samples.HOSTS)
def test_a_part_is_one_element_that_bears_its_name(name: str) -> None:
    status = samples.HOSTS[name]()
    named = [each.name for each in status.plugins[:1]]
    for plugin in (None, *named):
        for part, html in parts(status, plugin).items():
            assert html.lstrip().partition(b">")[0].count(f'id="{part}"'.encode()) == 1


def test_a_plugins_page_follows_that_plugin() -> None:
    status = samples.healthy()
    first, second, *others = status.plugins
    busy = msgspec.structs.replace(second, queued=7)
    after = samples.changed(status, plugins=[first, busy, *others])

    def changed(name: str) -> set[str]:
        return set(page.changed(parts(status, name), parts(after, name)))

    assert changed(second.name) == {"detail"}
    assert changed(first.name) == set()
    gone = samples.changed(status, plugins=[])
    assert b"no plugin of this name" in parts(gone, first.name)["detail"]


def test_a_heartbeat_has_the_time_and_the_edition_of_the_page() -> None:
    status = samples.healthy()
    now, edition = page.heartbeat(status).decode().split(" ")
    assert float(now) == status.now
    shown = page.whole(status, can_act=False, may_sign_in=False).decode()
    assert f'data-edition="{edition}"' in shown
