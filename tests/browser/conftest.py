"""One browser for all tests of the page, and a host that each of them may change."""

from collections.abc import Iterator

import pytest
from playwright.sync_api import Browser, BrowserContext, expect
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


@pytest.fixture
def host() -> Iterator[Host]:
    with serving() as host:
        host.status = samples.healthy()
        host.story = samples.story()
        yield host


@pytest.fixture
def context(browser: Browser) -> Iterator[BrowserContext]:
    context = browser.new_context(viewport=WIDE, reduced_motion="reduce")
    context.set_default_timeout(PATIENCE)
    yield context
    context.close()
