"""Pictures of the page for the docs: `python -m tests.browser.screenshots [FOLDER]`."""

import sys
from pathlib import Path

from playwright.sync_api import Browser

from tests.browser import samples
from tests.browser.chromium import browsing
from tests.browser.server import Host, serving

FOLDER = Path(__file__).parents[2] / "docs" / "screenshots"

WIDE = {"width": 1280, "height": 900}
PHONE = {"width": 360, "height": 740}

_SHOTS = {
    "healthy": ("healthy", "/", WIDE, "light"),
    "flapping": ("flapping", "/", WIDE, "light"),
    "database-gone": ("database-gone", "/", WIDE, "light"),
    "dead-letters": ("dead-letters", "/", WIDE, "light"),
    "thousand-queued": ("thousand-queued", "/", WIDE, "light"),
    "empty": ("empty", "/", WIDE, "light"),
    "phone": ("flapping", "/", PHONE, "light"),
    "dark": ("flapping", "/", WIDE, "dark"),
    "build": ("flapping", "/builds/88123", WIDE, "light"),
    "plugin": ("flapping", "/plugins/forge", WIDE, "light"),
}


def shoot(browser: Browser, host: Host, name: str, folder: Path) -> None:
    """Take one picture."""
    sample, path, size, scheme = _SHOTS[name]
    host.status = samples.HOSTS[sample]()
    host.story = samples.story()
    context = browser.new_context(viewport=size, color_scheme=scheme, reduced_motion="reduce")
    page = context.new_page()
    page.goto(host.url + path)
    page.wait_for_load_state("load")
    page.screenshot(path=folder / f"{name}.png", full_page=True)
    context.close()


def main() -> None:
    """All of them, or those that are named."""
    folder = Path(sys.argv[1]) if len(sys.argv) > 1 else FOLDER
    folder.mkdir(parents=True, exist_ok=True)
    with serving() as host, browsing() as browser:
        for name in sys.argv[2:] or _SHOTS:
            shoot(browser, host, name, folder)


if __name__ == "__main__":
    main()
