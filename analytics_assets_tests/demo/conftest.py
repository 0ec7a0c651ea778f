"""A small invented workspace and a server of it, fresh for each test; and one way to ask it."""

import datetime as dt
from collections.abc import Iterator
from typing import Any

import pytest
import requests

from analytics_assets.demo.build import build_workspace
from analytics_assets.demo.records import PATHS, ResourceName
from analytics_assets.demo.serving import DemoServer
from analytics_assets.demo.workspace import Workspace

TODAY = dt.date(2026, 5, 20)


class Asker:
    """Asks a demo server for lists, with its key unless told otherwise."""

    def __init__(self, server: DemoServer) -> None:
        self.server = server
        self.session = requests.Session()
        self.session.headers["X-Api-Key"] = server.api_key

    def get(self, resource: ResourceName, parent_id: str = "", **options: Any) -> requests.Response:
        """Ask for one page; query parameters with underscores for hyphens, requests' own as they are."""
        passed = {name: options.pop(name) for name in ("headers", "timeout", "allow_redirects", "verify") if name in options}
        path = PATHS[resource].format(workspace_id=self.server.workspace.id, parent_id=parent_id)
        query = {name.replace("_", "-"): value for name, value in options.items()}
        return self.session.get(self.server.url + path, params=query, **{"timeout": 10, **passed})

    def rows(self, resource: ResourceName, parent_id: str = "", **options: Any) -> list[dict[str, Any]]:
        """The rows of one page."""
        response = self.get(resource, parent_id, **options)
        assert response.status_code == 200, response.text
        body = response.json()
        rows: list[dict[str, Any]] = body["data"] if isinstance(body, dict) else body
        return rows


@pytest.fixture(scope="session")
def built() -> Workspace:
    """The workspace that the tests copy."""
    return build_workspace(today=TODAY, months=6, users=12, projects=12, clients=8, tags=8, entries=1500)


@pytest.fixture
def workspace(built: Workspace) -> Workspace:
    """A workspace that the test may change."""
    return built.copy()


@pytest.fixture
def server(workspace: Workspace) -> Iterator[DemoServer]:
    """A running server of the workspace."""
    with DemoServer(workspace) as running:
        yield running


@pytest.fixture
def api(server: DemoServer) -> Iterator[Asker]:
    """The server, ready to be asked."""
    asker = Asker(server)
    with asker.session:
        yield asker


@pytest.fixture
def user_id(workspace: Workspace) -> str:
    """The member with the most entries."""
    return max(workspace.time_entries, key=lambda user: len(workspace.time_entries[user]))
