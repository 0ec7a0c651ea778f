"""A browser that is installed on this machine; none is downloaded."""

import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Final

from playwright.sync_api import Browser, expect, sync_playwright

from analytics_assets_tests.ui.dev_server import PATIENCE_SECONDS

BROWSERS: Final = ("chromium", "chromium-browser", "google-chrome")


@contextmanager
def installed_browser() -> Iterator[Browser]:
    """The first of the browsers that there is, without a window.

    Raises:
        FileNotFoundError: there is none.
    """
    program = next(filter(None, map(shutil.which, BROWSERS)), None)
    if program is None:
        raise FileNotFoundError(f"none of {', '.join(BROWSERS)} is installed; on Debian: apt-get install chromium")
    expect.set_options(timeout=PATIENCE_SECONDS * 1000)
    with (
        sync_playwright() as playwright,
        # Chromium has no sandbox for root, and CI is often root
        playwright.chromium.launch(executable_path=program, args=["--no-sandbox"]) as running,
    ):
        yield running
