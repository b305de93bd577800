"""Whole pages: what a browser gets when it asks for one."""

from collections.abc import Mapping
from http import HTTPStatus
from types import MappingProxyType
from typing import Final, NamedTuple
from urllib.parse import quote

from hydra_notify.page.live import of_plugin, rows
from hydra_notify.page.templates import render
from hydra_notify.page.wording import Said
from hydra_notify.status import Answer, BuildStory, EventStory, HostStatus

_NONE: Final[Mapping[str, object]] = MappingProxyType({})


class Viewer(NamedTuple):
    """Who looks: whether they may act, could sign in, and have done so."""

    can_act: bool = False
    may_sign_in: bool = False
    signed_in: bool = False


_ANYBODY: Final = Viewer()


def whole(
    status: HostStatus, *, can_act: bool, may_sign_in: bool, signed_in: bool = False
) -> bytes:
    """The page of the host.

    Args:
        status: How it is.
        can_act: Whether whoever looks may do something: there are buttons then.
        may_sign_in: Whether there is a token to sign in with.
        signed_in: Whether they have, and may want to sign out.
    """
    viewer = Viewer(can_act, may_sign_in, signed_in)
    values = {"rows": rows(status, can_act=can_act)}
    return _page("whole", status, viewer, live="/live", values=values)


def plugin(
    status: HostStatus,
    name: str,
    *,
    can_act: bool,
    may_sign_in: bool,
    signed_in: bool = False,
) -> bytes:
    """The page of one plugin; of one that there is not, it says so."""
    values = of_plugin(status, name)
    # Only what there is has a name that is plain in an address.
    live = f"/live?plugin={name}" if values["plugin"] is not None else ""
    viewer = Viewer(can_act, may_sign_in, signed_in)
    here = f"/plugins/{quote(name, safe='')}"
    return _page("plugin", status, viewer, here=here, live=live, values=values)


def build(
    status: HostStatus,
    number: int,
    story: BuildStory | None,
    *,
    can_act: bool,
    may_sign_in: bool,
    signed_in: bool = False,
) -> bytes:
    """The page of one build: what became of its events, plugin by plugin.

    Args:
        status: How the host is.
        number: The build's id.
        story: None if nobody can say now.
        can_act: As for `whole`.
        may_sign_in: As for `whole`.
        signed_in: As for `whole`.
    """
    viewer = Viewer(can_act, may_sign_in, signed_in)
    values = {"number": number, "story": story, "lanes": lanes, "summary": summary}
    return _page("build", status, viewer, here=f"/builds/{number}", values=values)


def message(title: str, words: str, status: HostStatus | None = None) -> bytes:
    """A page that says why something cannot be had or done, and what helps.

    Args:
        title: In a word or two.
        words: In a sentence.
        status: How the host is, if that may be seen.
    """
    return _page("message", status, values={"title": title, "words": words})


def refused(code: int, words: str) -> bytes:
    """The page that says why a request is refused; it asks for the token if that helps.

    Args:
        code: Of HTTP.
        words: What is wrong, and the fix.
    """
    sentence = f"{words[:1].upper()}{words[1:]}."
    if code == HTTPStatus.UNAUTHORIZED:
        return _page("sign_in", None, values={"words": sentence})
    return message(HTTPStatus(code).phrase, sentence)


class Lane(NamedTuple):
    """What one plugin, or the host ("") itself, did with an event."""

    plugin: str
    answers: list[Answer]
    owing: bool
    dead: bool


def lanes(event: EventStory) -> list[Lane]:
    """An event's story by plugin: the host's own doing first, then by name."""
    named = {each.plugin for each in event.answers} | {*event.owing, *event.dead}
    return [
        Lane(
            name,
            [each for each in event.answers if each.plugin == name],
            name in event.owing,
            name in event.dead,
        )
        for name in sorted(named)
    ]


def summary(event: EventStory) -> Said:
    """An event's story in a sentence."""
    told = sorted({a.plugin for a in event.answers if a.what == "delivered"})
    lists = (
        ("Delivered to", told),
        ("owed to", event.owing),
        ("given up for", event.dead),
    )
    words = "; ".join(f"{what} {', '.join(names)}" for what, names in lists if names)
    tone = "bad" if event.dead else "busy" if event.owing else "ok" if told else "idle"
    return Said(
        tone, f"{words[:1].upper()}{words[1:]}." if words else "Nobody was told."
    )


def _page(
    template: str,
    status: HostStatus | None,
    viewer: Viewer = _ANYBODY,
    *,
    here: str = "/",
    live: str = "",
    values: Mapping[str, object] = _NONE,
) -> bytes:
    """A template, filled in with what every page shows and what is its own.

    Args:
        template: Its name.
        status: How the host is, if that may be seen.
        viewer: Who looks.
        here: Where it is, to come back to.
        live: Where its changes come from; "" if it stays as it is.
        values: Its own.
    """
    return render(
        f"{template}.html",
        status=status,
        now=0.0 if status is None else status.now,
        **viewer._asdict(),
        here=here,
        live=live,
        **values,
    ).encode()
