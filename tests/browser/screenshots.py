"""Pictures of the page for the docs: `python -m tests.browser.screenshots [FOLDER]`."""

import shutil
import subprocess
import sys
from pathlib import Path
from typing import Literal, NamedTuple

from playwright.sync_api import Browser, ViewportSize
from tests.browser import samples
from tests.browser.chromium import PHONE, WIDE, browsing
from tests.browser.server import Host, serving
from tests.pages import ROOT

FOLDER = ROOT / "docs" / "screenshots"

COLOURS = 64
"""Of a picture in the docs: a third of the size, and nobody sees it."""


class Shot(NamedTuple):
    """What a picture shows: all of a page, or what is on the screen at first."""

    host: str
    path: str = "/"
    size: ViewportSize = WIDE
    scheme: Literal["light", "dark"] = "light"
    whole: bool = True


SHOTS = {
    "healthy": Shot("healthy"),
    "flapping": Shot("flapping"),
    "database-gone": Shot("database-gone"),
    "dead-letters": Shot("dead-letters"),
    "thousand-queued": Shot("thousand-queued"),
    "empty": Shot("empty"),
    "phone": Shot("flapping", size=PHONE, whole=False),
    "dark": Shot("flapping", scheme="dark"),
    "build": Shot("flapping", "/builds/88123"),
    "plugin": Shot("flapping", "/plugins/forge"),
}


def shoot(browser: Browser, host: Host, shot: Shot, file: Path) -> None:
    """Take one picture; made small where pngquant is."""
    host.status = samples.HOSTS[shot.host]()
    host.story = samples.story()
    context = browser.new_context(
        viewport=shot.size,
        device_scale_factor=1 if shot.whole else 2,
        color_scheme=shot.scheme,
        reduced_motion="reduce",
    )
    page = context.new_page()
    page.goto(host.url + shot.path)
    page.screenshot(path=file, full_page=shot.whole)
    context.close()
    quantize = shutil.which("pngquant")
    if quantize is not None:
        into = ["--force", "--strip", "--output", str(file)]
        subprocess.run([quantize, *into, str(COLOURS), str(file)], check=True)


def main() -> None:
    """All of them."""
    folder = Path(sys.argv[1]) if len(sys.argv) > 1 else FOLDER
    folder.mkdir(parents=True, exist_ok=True)
    with serving() as host, browsing() as browser:
        for name, shot in SHOTS.items():
            shoot(browser, host, shot, folder / f"{name}.png")


if __name__ == "__main__":
    main()
