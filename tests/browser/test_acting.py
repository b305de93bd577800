"""What can be done from the page: by whom, with what, and what is sent."""

from playwright.sync_api import Page, expect
from tests.browser import samples
from tests.browser.server import Host

from hydra_notify import page as page_of

HTML = "text/html; charset=utf-8"

WAIT = 10.0
"""Seconds for a post to come."""


FIRST = {"event": samples.finished(87_000), "plugin": "chat"}

BUTTONS: dict[str, dict[str, tuple[str, dict[str, str]]]] = {
    "flapping": {
        "Restart forge": ("/plugins/forge/restart", {}),
        "Pause mail": ("/plugins/mail/pause", {}),
        "Resume metrics": ("/plugins/metrics/resume", {}),
    },
    "dead-letters": {
        f"Retry {FIRST['event']} for chat": ("/dead/retry", FIRST),
        "Retry all of chat": ("/dead/retry", {"event": "", "plugin": "chat"}),
        "Drop all of irc": ("/dead/drop", {"event": "", "plugin": "irc"}),
    },
}


def test_a_button_posts_its_form(host: Host, page: Page) -> None:
    page.goto(host.url)
    page.on("dialog", lambda dialog: dialog.accept())
    for name, buttons in BUTTONS.items():
        host.change(samples.HOSTS[name]())
        for button, posted in buttons.items():
            page.get_by_role("button", name=button, exact=True).last.click()
            assert host.posts.get(timeout=WAIT) == posted
            expect(page.locator("#notice")).to_have_text(f"Done: {button}.")
            assert page.url == f"{host.url}/"


def test_what_was_done_shows_even_without_a_stream(host: Host, page: Page) -> None:
    host.streaming = False
    page.goto(host.url)
    host.status = samples.flapping()
    page.locator("#more-chat summary").click()
    page.get_by_role("button", name="Restart chat").click()
    expect(page.locator("#health h1")).to_have_text("Degraded")
    expect(page.locator("#more-chat")).to_have_attribute("open", "")


def test_nothing_is_dropped_unless_one_says_so_twice(host: Host, page: Page) -> None:
    host.status = samples.dead_letters()
    page.goto(host.url)
    asked: list[str] = []
    answers = iter([False, True])

    def answer(dialog: object) -> None:
        asked.append(getattr(dialog, "message"))  # noqa: B009
        getattr(dialog, "accept" if next(answers) else "dismiss")()

    page.on("dialog", answer)
    event = samples.finished(87_001)
    drop = page.get_by_role("button", name=f"Drop {event} for chat")
    drop.click()
    drop.click()
    assert host.posts.get(timeout=WAIT) == (
        "/dead/drop",
        {"event": event, "plugin": "chat"},
    )
    assert host.posts.empty()
    words = f"Drop {event} for chat? It will never be told of it."
    assert asked == [words, words]


def test_a_name_of_any_kind_is_posted_as_it_is(host: Host, page: Page) -> None:
    host.status = samples.hostile()
    page.goto(host.url)
    letter = host.status.dead[0]
    page.locator("#dead tbody").first.get_by_role("button").first.click()
    _, fields = host.posts.get(timeout=WAIT)
    # What HTML itself has no way to say: a browser turns U+0000 into U+FFFD.
    assert fields["event"] == letter.event.replace("\x00", "\ufffd")


def test_without_script_the_same_forms_work(host: Host, plain_page: Page) -> None:
    host.status = samples.dead_letters()
    page = plain_page
    page.goto(host.url)
    page.get_by_role("button", name="Retry all of chat").click()
    assert host.posts.get(timeout=WAIT)[0] == "/dead/retry"
    expect(page.locator("#health h1")).to_have_text("Degraded")
    assert page.url == f"{host.url}/"
    page.goto(f"{host.url}/plugins/chat")
    page.get_by_role("button", name="Pause chat").first.click()
    assert host.posts.get(timeout=WAIT) == ("/plugins/chat/pause", {"from": "plugin"})
    assert page.url == f"{host.url}/plugins/chat"


def test_what_was_refused_is_said(host: Host, page: Page) -> None:
    host.status = samples.flapping()
    page.goto(host.url)
    for answer, words in (
        ((401, HTML, page_of.refused(401, "sign in first")), "Sign in first."),
        ((404, "text/plain", b"there is no forge\n"), "there is no forge"),
        ((502, HTML, b"<h1>Bad gateway</h1>"), "the host answered 502"),
    ):
        host.refusing = answer
        page.locator("#plugins").get_by_role("button", name="Restart forge").click()
        notice = page.locator("#notice")
        expect(notice).to_have_text(f"Not done (Restart forge): {words}")


def test_one_signs_in_with_the_token_and_out_again(host: Host, page: Page) -> None:
    host.can_act, host.may_sign_in = False, True
    host.status = samples.flapping()
    page.goto(f"{host.url}/plugins/forge")
    expect(page.locator("form.action")).to_have_count(0)
    page.locator("#session summary").click()
    page.get_by_label("Token").fill("wrong")
    page.get_by_role("button", name="Sign in").click()
    expect(page.locator("main")).to_contain_text("This is not the token.")
    page.get_by_label("Token").fill("right")
    page.get_by_role("button", name="Sign in").click()
    expect(page.get_by_role("button", name="Sign out")).to_be_visible()
    assert page.locator("form.action").count() > 0
    page.get_by_role("button", name="Sign out").click()
    posts = [host.posts.get(timeout=WAIT) for _ in range(3)]
    assert posts == [
        ("/session", {"token": "wrong", "next": "/plugins/forge"}),
        ("/session", {"token": "right", "next": "/"}),
        ("/session/end", {"next": "/"}),
    ]


def test_a_build_is_found_by_its_number(host: Host, page: Page) -> None:
    page.goto(host.url)
    page.get_by_label("Build").fill("88123")
    page.keyboard.press("Enter")
    expect(page.get_by_role("heading", level=1)).to_have_text("Build 88123")
    expect(page.locator(".story")).to_have_count(2)
    assert page.url == f"{host.url}/builds/88123"


CAN_BE_PRESSED = """[...document.querySelectorAll(
  "a[href], button, input:not([type=hidden]), summary, [tabindex='0']")]
  .filter((each) => each.checkVisibility())"""


def test_the_keyboard_alone_reaches_and_does_everything(host: Host, page: Page) -> None:
    host.status = samples.dead_letters()
    host.may_sign_in = True
    page.goto(host.url)
    count = page.evaluate(f"{CAN_BE_PRESSED}.length")
    assert count > 30
    for number in range(count):
        page.keyboard.press("Tab")
        focused = page.evaluate(f"{CAN_BE_PRESSED}.indexOf(document.activeElement)")
        assert focused == number
        outline = page.evaluate("getComputedStyle(document.activeElement).outlineStyle")
        assert outline == "solid"

    page.locator(".skip").focus()
    page.keyboard.press("Enter")
    expect(page.locator("main")).to_be_focused()
    page.locator("#more-chat summary").focus()
    page.keyboard.press("Enter")
    expect(page.locator("#more-chat .inside")).to_be_visible()
    page.get_by_role("button", name="Retry all of chat").focus()
    page.keyboard.press("Space")
    assert host.posts.get(timeout=WAIT)[0] == "/dead/retry"
