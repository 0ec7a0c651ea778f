"""What the walk through the UI stands on: a browser of this machine, the UI on a small demo API, a page per test."""

from collections.abc import Generator, Iterator
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Browser

from analytics_assets.demo.serving import DemoServer
from analytics_assets_tests.tiny import MONTHS, month, tiny_workspace
from analytics_assets_tests.ui.browsers import installed_browser
from analytics_assets_tests.ui.dev_server import PATIENCE_SECONDS, DevServer, dev_server
from analytics_assets_tests.ui.walk import Walk


@pytest.hookimpl(wrapper=True)
def pytest_runtest_call(item: pytest.Item) -> Generator[None, Any, Any]:
    """Say in the message of a failure where the picture of it lies."""
    try:
        return (yield)
    except BaseException as error:
        walk = getattr(item, "funcargs", {}).get("walk")
        if isinstance(walk, Walk):
            error.add_note(f"The last picture of the page: {walk.picture_of_failure()}")
        raise


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    """A browser of this machine; without one the walk fails."""
    with installed_browser() as running:
        yield running


@pytest.fixture(scope="module")
def demo() -> Iterator[DemoServer]:
    """The API: three members over four months."""
    with DemoServer(tiny_workspace()) as server:
        yield server


@pytest.fixture(scope="module")
def ui(browser: Browser, demo: DemoServer, tmp_path_factory: pytest.TempPathFactory) -> Iterator[DevServer]:
    """`analytics-assets dev` in an empty folder; after the browser, so that nothing is started where there is none."""
    variables = {
        "ANALYTICS_API_KEY": demo.api_key,
        "ANALYTICS_API_URL": demo.url,
        "ANALYTICS_WORKSPACE_ID": demo.workspace.id,
        "ANALYTICS_START_DATE": month(MONTHS - 1).first_moment.date().isoformat(),
    }
    with dev_server(tmp_path_factory.mktemp("ui"), tmp_path_factory.mktemp("said") / "dev.log", variables) as server:
        yield server


@pytest.fixture
def walk(browser: Browser, ui: DevServer, tmp_path: Path) -> Iterator[Walk]:
    """A new page, high enough for the UI to draw every row of its lists."""
    with browser.new_context(viewport={"width": 1400, "height": 1600}) as context:
        context.set_default_timeout(PATIENCE_SECONDS * 1000)
        yield Walk(context.new_page(), ui, tmp_path)
