"""Whole pages: what a browser gets when it asks for one."""

from typing import NamedTuple

from hydra_notify.page.live import of_plugin
from hydra_notify.page.templates import render
from hydra_notify.page.wording import Said
from hydra_notify.status import Answer, BuildStory, EventStory, HostStatus


def whole(status: HostStatus, *, can_act: bool, may_sign_in: bool) -> bytes:
    """The page of the host.

    Args:
        status: How it is.
        can_act: Whether whoever looks may do something: there are buttons then.
        may_sign_in: Whether there is a token to sign in with.
    """
    return _page("whole", status, can_act, may_sign_in, live="/live")


def plugin(status: HostStatus, name: str, *, can_act: bool, may_sign_in: bool) -> bytes:
    """The page of one plugin; of one that there is not, it says so."""
    values = of_plugin(status, name)
    # Only what there is has a name that is plain in an address.
    live = f"/live?plugin={name}" if values["plugin"] is not None else ""
    return _page("plugin", status, can_act, may_sign_in, live=live, **values)


def build(
    status: HostStatus,
    number: int,
    story: BuildStory | None,
    *,
    can_act: bool,
    may_sign_in: bool,
) -> bytes:
    """The page of one build: what became of its events, plugin by plugin.

    Args:
        status: How the host is.
        number: The build's id.
        story: None if nobody can say now.
        can_act: As for `whole`.
        may_sign_in: As for `whole`.
    """
    return _page(
        "build",
        status,
        can_act,
        may_sign_in,
        number=number,
        story=story,
        lanes=lanes,
        summary=summary,
    )


def message(
    title: str,
    words: str,
    status: HostStatus | None = None,
    *,
    may_sign_in: bool = False,
) -> bytes:
    """A page that says why something cannot be had or done, and what helps."""
    values = {"title": title, "words": words}
    return _page("message", status, can_act=False, may_sign_in=may_sign_in, **values)


def not_found(path: str, status: HostStatus | None = None) -> bytes:
    """There is no such page."""
    return message("Not found", f"There is nothing at {path}.", status)


def sign_in(words: str, status: HostStatus | None = None) -> bytes:
    """The page that asks for the token.

    Args:
        words: Why, such as that the last one was wrong.
        status: How the host is, if that may be seen.
    """
    return _page("sign_in", status, can_act=False, may_sign_in=False, words=words)


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
    can_act: bool,
    may_sign_in: bool,
    live: str = "",
    **values: object,
) -> bytes:
    now = 0.0 if status is None else status.now
    return render(
        f"{template}.html",
        status=status,
        can_act=can_act,
        may_sign_in=may_sign_in,
        live=live,
        now=now,
        **values,
    ).encode()
