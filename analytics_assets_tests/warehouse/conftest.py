"""What the tests of the warehouse share."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from analytics_assets.demo.serving import DemoServer
from analytics_assets_tests.tiny import tiny_workspace
from analytics_assets_tests.warehouse.two_workspaces import Both, second_workspace


@pytest.fixture
def both(tmp_path: Path) -> Iterator[Both]:
    """Two workspaces that have been loaded, and no file of both yet."""
    with DemoServer(tiny_workspace()) as server:
        server.neighbours.append(second_workspace())
        made = Both(server, tmp_path)
        made.first.sync()
        made.second.sync()
        yield made
