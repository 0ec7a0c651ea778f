"""A person's steps through the UI: open a page, press what is named, see what is written, keep a picture of it.

Only what several steps need belongs here; the walk itself is `test_walk.py`.
"""

import contextlib
import re
from pathlib import Path
from typing import Final

from playwright.sync_api import Error, Locator, Page, expect

from analytics_assets_tests.ui.dev_server import DevServer, Run

ICON: Final = r"^(?:\w+ )?"
"""The accessible name of a button begins with the name of its icon, where it has one."""
PICTURE_SECONDS: Final = 30.0


class Walk:
    """One page of a browser on the UI, and a folder for the pictures of it."""

    def __init__(self, page: Page, server: DevServer, pictures: Path) -> None:
        self.page = page
        self.server = server
        self.last_picture: Path | None = None
        self._pictures = pictures

    def open(self, path: str) -> None:
        """Open a page of the UI."""
        self.page.goto(f"{self.server.url}{path}")

    def button(self, words: str, within: Locator | None = None) -> Locator:
        """The button whose words are these; a regular expression."""
        return (within or self.page).get_by_role("button", name=re.compile(f"{ICON}{words}$"))

    def sees(self, words: str, within: Locator | None = None) -> None:
        """Wait until exactly these words can be seen."""
        expect((within or self.page).get_by_text(words, exact=True).filter(visible=True).first).to_be_visible()

    def row(self, first_cell: str) -> Locator:
        """The row of a table that begins with these words."""
        return self.page.get_by_role("row").filter(has=self.page.get_by_role("cell").first.get_by_text(first_cell, exact=True))

    def opens_green_run(self, run: Run) -> None:
        """Open a run that has ended, see that the UI calls it a success and that no step failed, and keep a picture."""
        self.open(f"/runs/{run.id}")
        self.sees("Success")
        self.sees("Errored (0)")
        expect(self.page.get_by_text("Loading run logs")).to_be_hidden()
        self.picture("green")

    def picture(self, name: str) -> None:
        """Keep what can be seen now."""
        path = self._pictures / f"{name}.png"
        self.page.screenshot(path=path, timeout=PICTURE_SECONDS * 1000)
        self.last_picture = path

    def picture_of_failure(self) -> Path | None:
        """The page as it was when the test failed, or the last picture before, where none can be taken any more."""
        with contextlib.suppress(Error):
            self.picture("failure")
        return self.last_picture
