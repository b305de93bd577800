"""One browser for all tests of the page, and a host that each of them may change."""

from collections.abc import Iterator

import pytest
from playwright.sync_api import Browser, BrowserContext, Page, expect
from tests.browser import samples
from tests.browser.chromium import WIDE, browsing, chromium
from tests.browser.server import Host, serving

PATIENCE = 20_000
"""Milliseconds that a machine with much else to do may take for anything."""

expect.set_options(timeout=PATIENCE)


@pytest.fixture(scope="package")
def browser() -> Iterator[Browser]:
    if chromium() is None:
        pytest.skip("no chromium in PATH: apt-get install chromium")
    with browsing() as browser:
        yield browser


@pytest.fixture(scope="package")
def server() -> Iterator[Host]:
    with serving() as host:
        yield host


@pytest.fixture
def host(server: Host) -> Host:
    server.begin(samples.healthy(), samples.story())
    return server


@pytest.fixture(scope="package")
def context(browser: Browser) -> Iterator[BrowserContext]:
    """What a profile is to a person: it costs as much as a page or two."""
    context = browser.new_context(viewport=WIDE, reduced_motion="reduce")
    context.set_default_timeout(PATIENCE)
    yield context
    context.close()


@pytest.fixture
def page(context: BrowserContext) -> Iterator[Page]:
    page = context.new_page()
    yield page
    page.close()


@pytest.fixture
def plain_page(browser: Browser) -> Iterator[Page]:
    """One without script."""
    context = browser.new_context(viewport=WIDE, java_script_enabled=False)
    context.set_default_timeout(PATIENCE)
    yield context.new_page()
    context.close()
