"""The tests of exactness run on the tiny workspace, but for those that ask for a larger one."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from analytics_assets.demo.serving import DemoServer
from analytics_assets.demo.workspace import Workspace
from analytics_assets_tests.exactness.tiny import MONTHS, month, tiny_workspace
from analytics_assets_tests.rig import Rig


@pytest.fixture
def workspace() -> Workspace:
    """The tiny workspace, fresh."""
    return tiny_workspace()


@pytest.fixture
def tiny(workspace: Workspace, tmp_path: Path) -> Iterator[Rig]:
    """An empty warehouse that is fed from the tiny workspace."""
    with DemoServer(workspace) as server:
        yield Rig(server, tmp_path, start=month(MONTHS - 1).first_moment.date())
