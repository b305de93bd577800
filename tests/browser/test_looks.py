"""In every state and at every width the page is whole, quiet and can be read."""

from itertools import pairwise
from typing import Literal

from playwright.sync_api import Page, Request, expect
from tests.browser import samples
from tests.browser.chromium import PHONE, WIDE
from tests.browser.server import Host

from hydra_notify.page import figures

OVERFLOWING = """() => {
  const wide = document.documentElement.clientWidth;
  const out = (each) => each.getBoundingClientRect().right > wide + 1;
  const scrolls = document.documentElement.scrollWidth > wide;
  return scrolls ? [...document.querySelectorAll("*")].filter(out).slice(0, 5)
    .map((each) => `${each.tagName}#${each.id}.${each.className}`) : [];
}"""

TOO_SMALL = """(least) => [...document.querySelectorAll("button, input, summary")]
  .filter((each) => each.type !== "hidden" && each.checkVisibility())
  .filter((each) => each.getBoundingClientRect().height < least)
  .map((each) => each.outerHTML)"""

FAINT = """(least) => {
  const numbers = (colour) => colour.match(/[\\d.]+/g).map(Number);
  const over = (top, below) => {
    const alpha = top[3] ?? 1;
    return below.map((value, i) => top[i] * alpha + value * (1 - alpha));
  };
  const ground = (element) => {
    if (!element) return [255, 255, 255];
    return over(numbers(getComputedStyle(element).backgroundColor),
                ground(element.parentElement));
  };
  const light = (colour) => colour.map((value) => {
    const part = value / 255;
    return part <= 0.04045 ? part / 12.92 : ((part + 0.055) / 1.055) ** 2.4;
  }).reduce((sum, part, i) => sum + part * [0.2126, 0.7152, 0.0722][i], 0);
  const contrast = (a, b) => {
    const [more, less] = [light(a), light(b)].sort((x, y) => y - x);
    return (more + 0.05) / (less + 0.05);
  };
  const found = [];
  let seen = 0;
  const texts = document.createTreeWalker(document.body, NodeFilter.SHOW_TEXT);
  while (texts.nextNode()) {
    const element = texts.currentNode.parentElement;
    if (!texts.currentNode.data.trim() || !element.checkVisibility()) continue;
    seen += 1;
    const below = ground(element);
    const text = over(numbers(getComputedStyle(element).color), below);
    if (contrast(text, below) < least) {
      found.push(`${contrast(text, below).toFixed(2)} ${element.outerHTML}`);
    }
  }
  return { found, seen };
}"""


class Heard:
    """What a page complained of."""

    def __init__(self, page: Page) -> None:
        self.words: list[str] = []
        page.on("console", lambda said: self.words.append(said.text))
        page.on("pageerror", lambda error: self.words.append(str(error)))
        page.on("requestfailed", self._failed)

    def _failed(self, request: Request) -> None:
        # Leaving a page ends its stream, and whatever else is under way.
        if request.failure != "net::ERR_ABORTED":
            self.words.append(f"{request.url}: {request.failure}")


def open_everything(page: Page) -> None:
    """All that can be opened, except what lies over the rest."""
    page.evaluate(
        "document.querySelectorAll('main details').forEach((d) => (d.open = 1))"
    )


def become(page: Page, host: Host, name: str) -> None:
    """Have an open page show another host."""
    host.change(samples.changed(samples.HOSTS[name](), version=f"like {name}"))
    expect(page.locator("#host")).to_contain_text(f"like {name}")


def fits(page: Page) -> None:
    open_everything(page)
    for size in (WIDE, PHONE):
        page.set_viewport_size(size)
        assert page.evaluate(OVERFLOWING) == []
    assert page.evaluate(TOO_SMALL, 44) == []


def test_nothing_is_refused_and_nothing_overflows(host: Host, page: Page) -> None:
    heard = Heard(page)
    page.goto(host.url)
    for name in samples.HOSTS:
        become(page, host, name)
        fits(page)
    for name in ("flapping", "hostile"):
        host.status = samples.HOSTS[name]()
        for path in (f"/plugins/{host.status.plugins[0].name}", "/builds/88123"):
            page.goto(host.url + path)
            fits(page)
    assert heard.words == []


def test_a_violation_of_the_policy_would_be_heard(host: Host, page: Page) -> None:
    heard = Heard(page)
    page.goto(host.url)
    page.evaluate("document.body.setAttribute('onclick', 'alert(1)')")
    page.locator("#host").click()
    assert any("Content Security Policy" in words for words in heard.words)


def can_be_read(page: Page) -> None:
    open_everything(page)
    for scheme in SCHEMES:
        page.emulate_media(color_scheme=scheme)
        result = page.evaluate(FAINT, 4.5)
        assert result["found"] == []
        assert result["seen"] > 30


SCHEMES: tuple[Literal["light", "dark"], ...] = ("light", "dark")


def test_every_text_stands_out_from_its_ground(host: Host, page: Page) -> None:
    host.may_sign_in = True
    page.goto(host.url)
    grounds = set()
    for name in ("flapping", "dead-letters", "stopping", "polling"):
        become(page, host, name)
        can_be_read(page)
        grounds.add(page.evaluate("getComputedStyle(document.body).backgroundColor"))
    for path in ("/plugins/chat", "/builds/88123"):
        page.goto(host.url + path)
        can_be_read(page)
    page.emulate_media(color_scheme="light")
    grounds.add(page.evaluate("getComputedStyle(document.body).backgroundColor"))
    assert len(grounds) == len(SCHEMES)


ICONS = """[...document.querySelectorAll("main svg.icon")].map((icon) => [
  icon.getAttribute("class").replace("icon ", ""),
  [...icon.children].map((each) => each.tagName + each.getAttribute("d")).join(),
  icon.parentElement.innerText.trim()])"""


def test_it_is_not_the_colour_alone_that_tells(host: Host, page: Page) -> None:
    """Each tone has a shape of its own, beside a word."""
    shapes: dict[str, set[str]] = {}
    page.goto(host.url)
    for name in ("flapping", "stopping", "database-gone"):
        become(page, host, name)
        for tone, shape, word in page.evaluate(ICONS):
            shapes.setdefault(tone, set()).add(shape)
            assert word
    assert set(shapes) == {"ok", "warn", "bad", "busy", "idle"}
    assert all(len(each) == 1 for each in shapes.values())
    assert len(set.union(*shapes.values())) == len(shapes)


def test_landmarks_and_headings_lead_through_the_page(host: Host, page: Page) -> None:
    host.status = samples.flapping()
    page.goto(host.url)
    for role in ("banner", "main", "contentinfo", "search"):
        expect(page.get_by_role(role)).to_have_count(1)
    expect(page.get_by_role("heading", level=1)).to_have_text("Degraded")
    levels = page.evaluate(
        "[...document.querySelectorAll('h1,h2,h3,h4')].map((h) => Number(h.tagName[1]))"
    )
    assert levels[0] == 1
    assert all(b <= a + 1 for a, b in pairwise(levels))
    plots = page.get_by_role("img").all()
    assert len(plots) > 5
    assert all(plot.get_attribute("aria-label") for plot in plots)


def test_ages_are_said_in_the_same_words_with_script(host: Host, page: Page) -> None:
    """Of ages that a few seconds do not change."""
    page.goto(host.url)
    ages = (95, 1_815, 3_725, 9_930, 36_030, 100_000, 180_000, 9_000_000, -130, -9_030)
    for seconds in ages:
        page.evaluate(
            "(at) => { const time = document.createElement('time'); time.id = `t${at}`;"
            " time.dataset.at = at; document.querySelector('footer').append(time); }",
            samples.NOW - seconds,
        )
    for seconds in ages:
        time = page.locator(f"time[data-at='{samples.NOW - seconds:.0f}']")
        expect(time).to_have_text(figures.age(seconds))
