"""The page of a host at work: that of the demo, with plugins, Postgres and all."""

import os
import re
import signal
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Error, Page, expect
from tests.temporary import short_directory

PATIENCE = 60
"""Seconds for a demo to begin, and to end when it is interrupted."""


@pytest.fixture
def demo() -> Iterator[str]:
    """Where the status page of a demo is."""
    with tempfile.TemporaryDirectory(prefix="page-", dir=short_directory()) as folder:
        # Root's Postgres is another user, and has to get in.
        Path(folder).chmod(0o755)
        process = subprocess.Popen(
            [
                sys.executable,
                "-m",
                "hydra_notify",
                "demo",
                "--seconds",
                "600",
                "--rate",
                "2",
            ],
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            env={**os.environ, "TMPDIR": folder, "NO_COLOR": "1"},
        )
        assert process.stdout is not None
        try:
            said = ""
            while not (found := re.search(r"status page: (\S+)", said)):
                line = process.stdout.readline()
                assert line, said
                said += line
            yield found[1]
        finally:
            process.send_signal(signal.SIGINT)
            process.communicate(timeout=PATIENCE)


def test_a_host_at_work_shows_itself_and_does_what_it_is_told(
    demo: str, page: Page
) -> None:
    complaints: list[str] = []
    page.on("pageerror", lambda error: complaints.append(str(error)))
    page.on("console", lambda said: complaints.append(said.text))

    # It has told its address a little before it listens there.
    while True:
        try:
            page.goto(demo)
            break
        except Error as error:
            if "ERR_CONNECTION_REFUSED" not in str(error):
                raise
            page.wait_for_timeout(100)
    webhook = page.locator("#plugin-webhook")
    expect(webhook.locator(".state")).to_contain_text("Ready", timeout=PATIENCE * 1000)
    expect(page.locator("#host")).to_contain_text("Listening")

    page.locator("#session summary").click()
    page.get_by_label("Token").fill("wrong")
    page.get_by_role("button", name="Sign in").click()
    expect(page.locator("main")).to_contain_text("This is not the token")
    page.get_by_label("Token").fill("demo")
    page.get_by_role("button", name="Sign in").click()
    expect(page.get_by_role("button", name="Sign out")).to_be_visible()

    page.locator("#more-webhook summary").click()
    page.get_by_role("button", name="Pause webhook").click()
    expect(webhook.locator(".state")).to_contain_text("Paused")
    expect(page.locator("#problems")).to_contain_text("webhook is paused")
    page.get_by_role("button", name="Resume webhook").first.click()
    expect(webhook.locator(".state")).to_contain_text("Ready")

    page.get_by_label("Build").fill("1")
    page.keyboard.press("Enter")
    expect(page.locator("main")).to_contain_text("Hydra's database has no such build")
    page.goto(f"{demo}nowhere")
    expect(page.get_by_role("heading", level=1)).to_have_text("Not Found")
    refused = [each for each in complaints if "401" not in each and "404" not in each]
    assert refused == []
