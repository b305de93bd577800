"""A real browser without a screen."""

import shutil
from collections.abc import Generator
from contextlib import contextmanager

from playwright.sync_api import Browser, ViewportSize, sync_playwright

WIDE: ViewportSize = {"width": 1280, "height": 900}
PHONE: ViewportSize = {"width": 360, "height": 740}

FLAGS = [
    "--headless",
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--disable-dev-shm-usage",
    "--hide-scrollbars",
]
"""It asks nobody but the page's own server, and runs as root where CI does."""


def chromium() -> str | None:
    """Where it is."""
    return shutil.which("chromium")


@contextmanager
def browsing() -> Generator[Browser]:
    """One browser, of which pages of any kind can be had."""
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=chromium(), args=FLAGS)
        try:
            yield browser
        finally:
            browser.close()
