"""Mail: keys that stand outside of all blocks, and newer Hydras' block for them."""

from typing import Final

from hydra_notify.hydra_conf import Block, HydraConfError, Place
from hydra_notify.takeover.draft import Draft, Kind
from hydra_notify.takeover.said import blocks, is_one, scalar, text
from hydra_notify.takeover.table import MAIL

_LEGACY: Final = "email_notification"
_BLOCK: Final = "email_notifications"

_EVENTS: Final = {"build": "build_finished", "eval": "eval_*"}
"""By the block's key: what is mailed of."""


def wanted_mail(top: Block) -> tuple[Place, tuple[str, ...]] | None:
    """What Hydra mails of, as events, and the place that says so; None for nothing.

    Raises:
        HydraConfError: The old and the new way are both used.
    """
    old, new = scalar(top, _LEGACY), blocks(top, _BLOCK)
    if old is not None and new:
        problem = f"{_LEGACY} stands here beside a block {_BLOCK} ({new[0].place})"
        raise HydraConfError(old.place, problem, "leave one out")
    if len(new) > 1:
        problem = f"{_BLOCK} is written more than once (first at {new[0].place})"
        raise HydraConfError(new[1].place, problem, "leave one out")
    if old is not None:
        place, on = old.place, tuple(_EVENTS.values()) if is_one(top, _LEGACY) else ()
    elif new:
        place = new[0].place
        on = tuple(event for key, event in _EVENTS.items() if is_one(new[0], key))
    else:
        return None
    return (place, on) if on else None


def add_mail(draft: Draft, top: Block) -> None:
    """A plugin for mail, if Hydra sends any."""
    wanted = wanted_mail(top)
    if wanted is None:
        return
    place, events = wanted
    name = draft.free_name(MAIL.name)
    about = f"plugins.{name}"
    sender = text(top, "notification_sender")
    draft.add(
        name,
        MAIL.command,
        {"sender": sender} if sender else {},
        perl=MAIL.perl,
        match={"events": list(events)},
    )
    if not sender:
        words = "set settings.sender: Hydra made one up, of its user and host"
        draft.say(Kind.TODO, place, about, words)
    words = (
        "mail goes to the server on localhost: if Hydra's service sets "
        "EMAIL_SENDER_TRANSPORT_host, write it as settings.host"
    )
    draft.say(Kind.TODO, place, about, words)
    if scalar(top, _LEGACY) is not None:
        words = (
            "project owners are told of evaluation errors, as by Hydras since "
            'September 2026; match.events = ["build_finished"] is what it was before'
        )
        draft.say(Kind.CHANGED, place, about, words)
    words = "an attempt that failed halfway does not mail the first half again"
    draft.say(Kind.CHANGED, place, about, words)
