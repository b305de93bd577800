"""A page that stays open follows the host, and says when it cannot."""

import re

from playwright.sync_api import Page, expect
from tests.browser import samples
from tests.browser.server import Host

PATIENCE = 10_000
STEP = 20
"""Milliseconds, in all and between two looks."""


def test_a_change_arrives_without_a_reload(host: Host, page: Page) -> None:
    page.goto(host.url)
    expect(page).to_have_title("OK · ci-1.example.org · hydra-notify")
    page.evaluate("document.documentElement.dataset.same = 'yes'")
    host.change(samples.flapping())
    expect(page.locator("#health h1")).to_have_text("Degraded")
    expect(page.locator("#plugin-forge .state")).to_contain_text("Flapping")
    expect(page.get_by_role("heading", name="What to do")).to_be_visible()
    expect(page).to_have_title("Degraded · ci-1.example.org · hydra-notify")
    host.change(samples.healthy())
    expect(page.locator("#health h1")).to_have_text("OK")
    expect(page.get_by_role("heading", name="What to do")).to_be_hidden()
    assert page.evaluate("document.documentElement.dataset.same") == "yes"


SAME = """async () => {
  const plain = (main) => {
    const copy = main.cloneNode(true);
    for (const time of copy.querySelectorAll("time")) time.textContent = "";
    for (const form of copy.querySelectorAll("form")) {
      form.removeAttribute("data-htmx-powered");
    }
    return copy;
  };
  const text = await (await fetch("/")).text();
  const fresh = new DOMParser().parseFromString(text, "text/html");
  const [now, anew] = [document, fresh].map((each) => each.querySelector("main"));
  return plain(now).isEqualNode(plain(anew));
}"""


def test_a_page_that_followed_is_as_one_that_was_loaded_anew(
    host: Host, page: Page
) -> None:
    page.goto(host.url)
    for name in (*samples.HOSTS, "flapping", "empty", "healthy"):
        host.change(samples.HOSTS[name]())
        tries = 0
        while not page.evaluate(SAME):
            # Its parts come one by one.
            tries += 1
            assert tries < PATIENCE / STEP, name
            page.wait_for_timeout(STEP)


def test_what_comes_is_due_when_its_time_is_past(host: Host, page: Page) -> None:
    host.status = samples.flapping()
    page.goto(host.url)
    next_retry = page.locator("#retrying summary time")
    expect(next_retry).to_have_text(re.compile(r"in [0-9] s"))
    host.change(samples.changed(samples.flapping(), now=samples.NOW + 10))
    expect(next_retry).to_have_text("due")


def test_plugins_come_and_go(host: Host, page: Page) -> None:
    page.goto(host.url)
    status = samples.healthy()
    new = samples.plugin("irc")
    host.change(samples.changed(status, plugins=[*status.plugins[1:], new]))
    expect(page.locator("#plugin-irc")).to_be_visible()
    expect(page.locator("#plugin-chat")).to_have_count(0)
    expect(page.locator(".plugin")).to_have_count(4)
    host.change(samples.changed(status, plugins=[]))
    expect(page.locator("#plugins > .empty")).to_be_visible()


def test_what_one_looks_at_stays(host: Host, page: Page) -> None:
    """What is open stays open, what is typed typed, what has the focus focused."""
    host.status = samples.flapping()
    page.goto(host.url)
    page.locator("#build").fill("881")
    page.locator("#more-forge summary").click()
    stderr = page.locator("#stderr-forge")
    stderr.evaluate("(pre) => { pre.scrollTop = -120; }")
    stderr.evaluate("(pre) => getSelection().selectAllChildren(pre)")
    button = page.locator("#plugin-forge").get_by_role("button", name="Restart forge")
    button.focus()
    forge = samples.plugin(
        "forge",
        state="flapping",
        queued=7_777,
        stderr=samples.flapping().plugins[1].stderr,
    )
    status = samples.flapping()
    after = [status.plugins[0], forge, *status.plugins[2:]]
    host.change(samples.changed(status, plugins=after))
    expect(page.locator("#plugin-forge")).to_contain_text("7.8 k")
    expect(stderr).to_be_visible()
    expect(button).to_be_focused()
    expect(page.locator("#build")).to_have_value("881")
    assert stderr.evaluate("(pre) => pre.scrollTop") == -120
    assert "giving up" in page.evaluate("getSelection().toString()")


def test_lost_contact_is_said_and_mended(host: Host, page: Page) -> None:
    page.goto(host.url)
    expect(page.locator("#contact")).to_be_hidden()
    host.cut()
    expect(page.locator("#contact")).to_be_visible()
    expect(page.locator("#contact")).to_contain_text("No contact with the host since")
    expect(page).to_have_title("No contact · ci-1.example.org · hydra-notify")
    expect(page.locator("main")).to_have_css("filter", "grayscale(1)")
    # Meanwhile it went down, which nobody was told.
    host.status = samples.database_gone()
    host.streaming = True
    page.get_by_role("button", name="Try now").click()
    expect(page.locator("#contact")).to_be_hidden()
    expect(page.locator("#health h1")).to_have_text("Down")
    expect(page).to_have_title("Down · ci-1.example.org · hydra-notify")


def test_a_stream_that_was_refused_is_tried_again(host: Host, page: Page) -> None:
    """A browser gives up by itself when a proxy answers in the host's place."""
    host.streaming = False
    page.goto(host.url)
    expect(page.locator("#contact")).to_be_visible()
    host.streaming = True
    expect(page.locator("#contact")).to_be_hidden()


def test_a_plugins_page_follows_it(host: Host, page: Page) -> None:
    page.goto(f"{host.url}/plugins/forge")
    expect(page.locator("#glance")).to_contain_text("OK")
    host.change(samples.flapping())
    expect(page.locator("#glance")).to_contain_text("Degraded")
    expect(page.locator("#detail")).to_contain_text("giving up")
    host.change(samples.empty())
    expect(page.locator("#detail")).to_contain_text("There is no plugin of this name")


def test_without_script_the_page_asks_again_by_itself(
    host: Host, plain_page: Page
) -> None:
    plain_page.goto(host.url)
    assert 'http-equiv="refresh"' in plain_page.content()
    expect(plain_page.locator("#health")).to_contain_text("Started 25 h ago")
