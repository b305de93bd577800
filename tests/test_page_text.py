"""Whatever plugins, services and people write: on the page it is text only."""

from collections.abc import Callable
from html.parser import HTMLParser
from typing import Any, TypeVar

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tests.browser import samples

from hydra_notify import page
from hydra_notify.page.text import shown
from hydra_notify.status import BuildStory, HostStatus

BAD = st.text(st.sampled_from("<>&\"'=/ :-a\x00\x1b[m\u202e\n"), max_size=24).map(
    lambda text: f'"\'><zq x="{text}</script><!--{{{{ 7*7 }}}}'
)
"""Ends of everything that a text can stand in, and then an element of its own."""


class Seen(HTMLParser):
    """What elements and attributes there are."""

    def __init__(self, html: bytes) -> None:
        super().__init__(convert_charrefs=True)
        self.names: set[str] = set()
        self.comments = 0
        self.feed(html.decode())
        self.close()

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.names |= {tag, *(f"{tag}.{name}" for name, _ in attrs)}

    def handle_comment(self, data: str) -> None:
        self.comments += 1


def with_texts(value: Any, text: Callable[[str], str]) -> Any:
    """A document with every text in it replaced; what is one of a few words stays."""
    if isinstance(value, dict):
        return {
            name: each if name in KEPT else with_texts(each, text)
            for name, each in value.items()
        }
    if isinstance(value, list):
        return [with_texts(each, text) for each in value]
    return text(value) if isinstance(value, str) else value


T = TypeVar("T")

KEPT = {"state", "severity", "health", "link", "ledger", "role", "channel"}
"""One of a few words each; a channel is the beginning of the event's id."""


def replaced(value: object, type_: type[T], text: Callable[[str], str]) -> T:
    return msgspec.convert(with_texts(msgspec.to_builtins(value), text), type_)


def pages(status: HostStatus, story: BuildStory) -> list[bytes]:
    """Everything that can be had of a host."""
    name = status.plugins[0].name
    may = {"can_act": True, "may_sign_in": True}
    return [
        page.whole(status, **may),
        page.plugin(status, name, **may),
        page.build(status, 7, story, **may),
        *page.parts(status, can_act=True).values(),
        *page.parts(status, can_act=True, plugin=name).values(),
        page.message(name, name, status),
        page.refused(404, name),
        page.refused(401, name),
    ]


PLAIN = [
    each
    for make in samples.HOSTS.values()
    if make().plugins
    for each in pages(make(), samples.story())
]
KNOWN: set[str] = set().union(*(Seen(html).names for html in PLAIN))


@pytest.mark.parametrize("name", ["flapping", "dead-letters", "hostile"])
@settings(max_examples=12)
@given(bad=BAD)
def test_no_text_of_a_value_becomes_markup(name: str, bad: str) -> None:
    status = replaced(samples.HOSTS[name](), HostStatus, lambda _: bad)
    story = replaced(samples.story(), BuildStory, lambda _: bad)
    for html in pages(status, story):
        seen = Seen(html)
        assert seen.names <= KNOWN
        assert seen.comments == 0
        assert b"<zq" not in html
        assert b">49" not in html


def test_every_text_of_a_value_is_somewhere() -> None:
    """Else the test above would pass a page that shows nothing."""
    given_texts: list[str] = []

    def mark(_: str) -> str:
        given_texts.append(f"text-{len(given_texts)}-end")
        return given_texts[-1]

    status = replaced(samples.flapping(), HostStatus, mark)
    story = replaced(samples.story(), BuildStory, mark)
    everything = (
        b"".join(
            [
                *pages(status, story),
                *(
                    page.plugin(status, each.name, can_act=True, may_sign_in=False)
                    for each in status.plugins
                ),
            ]
        )
        .decode()
        .lower()
    )
    assert [text for text in given_texts if text not in everything] == []


@pytest.mark.parametrize(
    ("text", "safe"),
    [
        ("plain", "plain"),
        ("two\n\tlines", "two\n\tlines"),
        ("\x1b[1;31mred\x1b[0m", "red"),
        ("\x1b]0;a title\x07rest", "rest"),
        ("\x1b]8;;http://x\x1b\\link", "link"),
        ("half \x1b[", "half ·["),
        ("nul \x00 bell \x07 back \x08", "nul · bell · back ·"),
        ("\u202eturned\u202c", "·turned·"),
        ("\u05e9\u05dc\u05d5\u05dd", "\u05e9\u05dc\u05d5\u05dd"),
        ("joined\u200dhidden\ufeff", "joined·hidden·"),
    ],
)
def test_what_acts_or_hides_is_taken_out(text: str, safe: str) -> None:
    assert shown(text) == safe


def test_a_form_sends_back_exactly_what_it_was_made_of() -> None:
    """A letter is found by its name, whatever is in that."""
    status = samples.hostile()
    html = page.whole(status, can_act=True, may_sign_in=False).decode()
    values = [
        value
        for tag, attributes in tags(html)
        if tag == "input" and attributes.get("name") == "event"
        for value in [attributes["value"]]
    ]
    assert {letter.event for letter in status.dead} <= set(values)


def tags(html: str) -> list[tuple[str, dict[str, str | None]]]:
    found: list[tuple[str, dict[str, str | None]]] = []

    class Tags(HTMLParser):
        def handle_starttag(
            self, tag: str, attrs: list[tuple[str, str | None]]
        ) -> None:
            found.append((tag, dict(attrs)))

    Tags().feed(html)
    return found
