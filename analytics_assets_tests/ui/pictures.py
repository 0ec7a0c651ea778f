"""Takes the pictures of README.md anew: `make pictures`. The invented workspace is synced, and its report and the UI opened.

Needs Debian's chromium, and fonts-noto-core and fonts-noto-cjk for the names of the invented workspace.
"""

import subprocess
import sys
import tempfile
from pathlib import Path
from typing import Final

from playwright.sync_api import Browser, Page, expect

from analytics_assets_tests.ui.browsers import installed_browser
from analytics_assets_tests.ui.dev_server import PATIENCE_SECONDS, DevServer, dev_server
from analytics_assets_tests.ui.walk import Walk

IMAGES: Final = Path(__file__).parents[2] / "docs" / "images"
ABOVE_THE_ENTRIES: Final = "/assets/marts/fct_time_entries?view=lineage&lineageScope=upstream&lineageDepth=4"


def main() -> None:
    """Sync in an empty folder, take the pictures of the report, then those of the UI on the same folder."""
    with tempfile.TemporaryDirectory() as place, installed_browser() as browser:
        folder = Path(place)
        subprocess.run([str(Path(sys.executable).with_name("analytics-assets")), "run"], cwd=folder, check=True)
        report = (folder / "data" / "report" / "overview.html").as_uri()
        with browser.new_page(viewport={"width": 1280, "height": 1010}, color_scheme="light") as page:
            take(page, report, "report")
        with browser.new_page(viewport={"width": 390, "height": 844}, color_scheme="dark", device_scale_factor=2) as page:
            take(page, report, "report-phone")
        with dev_server(folder, folder / "dev.log", {}) as server:
            take_graph(browser, server)


def take(page: Page, address: str, name: str) -> None:
    """The first screen of a page."""
    page.goto(address)
    page.screenshot(path=IMAGES / f"{name}.png")


def take_graph(browser: Browser, server: DevServer) -> None:
    """What stands above the time entries, in the UI."""
    with browser.new_page(viewport={"width": 1700, "height": 950}) as page:
        page.set_default_timeout(PATIENCE_SECONDS * 1000)
        walk = Walk(page, server, IMAGES)
        walk.open(ABOVE_THE_ENTRIES)
        for name in ("workspace", "users", "time_entries", "fct_time_entries"):
            expect(page.locator("svg").get_by_text(name, exact=True).first).to_be_visible()
        page.wait_for_load_state("networkidle")  # the colours come after the graph
        walk.picture("asset-graph")


if __name__ == "__main__":
    main()
