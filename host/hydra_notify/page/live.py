"""A page that stays open: its parts, and which of them have changed.

A part is an element with an id; it is sent anew when it looks different, and takes the
place of the old one. Ages go on by themselves: they are no change.
"""

import re
from collections.abc import Mapping
from typing import TYPE_CHECKING, Final

from hydra_notify.page.static import edition
from hydra_notify.page.templates import render
from hydra_notify.status import HostStatus

if TYPE_CHECKING:
    from markupsafe import Markup

LIVE_PART: Final = "part"
"""The name of a message with a part: HTML of one element."""

LIVE_NOW: Final = "now"
"""The name of a message that says that the host lives: `heartbeat`."""

_WHOLE: Final = (
    *("health", "problems", "work", "plugins", "dead", "retrying", "flight", "host"),
)

_PLUGIN: Final = "plugin-"
"""Before the name of a plugin: the id of its part, which is inside that of all."""

_AGE: Final = re.compile(rb"(<time [^>]*>)[^<]*")


def parts(
    status: HostStatus, *, can_act: bool, plugin: str | None = None
) -> dict[str, bytes]:
    """All parts of a page, by id.

    Args:
        status: How the host is.
        can_act: Whether whoever looks may do something.
        plugin: Whose page; None is the page of the host.
    """
    values = {"status": status, "now": status.now, "can_act": can_act}
    if plugin is not None:
        return {
            "glance": _part("glance", values),
            "detail": _part("detail", {**values, **of_plugin(status, plugin)}),
        }
    items = rows(status, can_act=can_act)
    made = {name: _part(name, {**values, "rows": items}) for name in _WHOLE}
    for each, item in zip(status.plugins, items, strict=True):
        made[_PLUGIN + each.name] = item.encode()
    return made


def rows(status: HostStatus, *, can_act: bool) -> "list[Markup]":
    """The part of each plugin, in order."""
    return [
        render(
            "parts/plugin.html",
            status=status,
            now=status.now,
            can_act=can_act,
            plugin=each,
        )
        for each in status.plugins
    ]


def of_plugin(status: HostStatus, name: str) -> dict[str, object]:
    """What the page of one plugin shows: it may be gone."""
    return {
        "name": name,
        "plugin": next((each for each in status.plugins if each.name == name), None),
        "flying": [each for each in status.in_flight if each.plugin == name],
        "retrying": [each for each in status.retrying if each.plugin == name],
    }


def changed(
    before: Mapping[str, bytes], after: Mapping[str, bytes]
) -> dict[str, bytes]:
    """What has to be sent to a page that shows `before`, by id.

    Args:
        before: Empty for a page of which nothing is known: all is sent.
        after: How it is now.
    """
    differing = {
        name: part
        for name, part in after.items()
        if _look(part) != _look_of(before, name)
    }
    # The list of plugins is sent when it has others in it, or none and says why; else
    # each goes by itself.
    if _plugins(before) == _plugins(after) != []:
        differing.pop("plugins", None)
    else:
        differing = {k: v for k, v in differing.items() if not k.startswith(_PLUGIN)}
    return differing


def heartbeat(status: HostStatus) -> bytes:
    """The host's time and the edition of the page's files, for LIVE_NOW."""
    return f"{status.now} {edition()}".encode()


def _part(name: str, values: Mapping[str, object]) -> bytes:
    return render(f"parts/{name}.html", **values).encode()


def _plugins(parts: Mapping[str, bytes]) -> list[str]:
    return [name for name in parts if name.startswith(_PLUGIN)]


def _look_of(parts: Mapping[str, bytes], name: str) -> bytes | None:
    part = parts.get(name)
    return None if part is None else _look(part)


def _look(part: bytes) -> bytes:
    """A part without what passing time alone changes in it."""
    return _AGE.sub(rb"\1", part)
