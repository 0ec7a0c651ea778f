"""Fixtures that several test modules share: the demo API on loopback, and a warehouse of one test's own."""

import contextlib
import os
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from unittest import mock

import pytest

from analytics_assets.collector import collect_seldom
from analytics_assets.demo.build import build_workspace
from analytics_assets.demo.serving import DemoServer
from analytics_assets.demo.workspace import Workspace
from analytics_assets.warehouse.connection import SETTINGS
from analytics_assets.warehouse.landing import CONFIG
from analytics_assets_tests.rig import Rig
from analytics_assets_tests.team_database import Team, team_database
from analytics_assets_tests.tiny import MONTHS, month, tiny_workspace

collect_seldom()  # as the processes do that are tested

_template: dict[str, Workspace] = {}


@pytest.fixture(scope="session", autouse=True)
def nothing_of_the_developer(tmp_path_factory: pytest.TempPathFactory) -> Iterator[None]:
    """No variable and no `.env` of the person who runs the tests is read: an empty environment, an empty folder."""
    kept = {name: value for name, value in os.environ.items() if not name.startswith(("ANALYTICS_", "DAGSTER_"))}
    with mock.patch.dict(os.environ, kept, clear=True), contextlib.chdir(tmp_path_factory.mktemp("working")):
        yield


@pytest.fixture(scope="session", autouse=True)
def one_thread_for_duckdb() -> Iterator[None]:
    """Several processes run tests on the same cores, and the tables are small; commands in processes of their own use two."""
    with mock.patch.dict(SETTINGS, {"threads": 1}), mock.patch.dict(CONFIG, {"threads": 1}):
        yield


@pytest.fixture(scope="session")
def databases() -> Iterator[Team]:
    """A Postgres that the tests of one process share."""
    with team_database() as team:
        yield team


@pytest.fixture
def team(databases: Team, request: pytest.FixtureRequest) -> Team:
    """A team's database that is empty."""
    databases.fresh(f"of_{abs(hash(request.node.nodeid))}")
    return databases


@pytest.fixture
def small_workspace() -> Workspace:
    """A few people and some 600 entries of the last 18 months; a copy that the test may change."""
    if "small" not in _template:
        _template["small"] = build_workspace(
            seed=3, today=datetime.now(UTC).date(), months=18, users=6, projects=8, clients=4, tags=6, groups=2, entries=600
        )
    return _template["small"].copy()


@pytest.fixture
def server(small_workspace: Workspace) -> Iterator[DemoServer]:
    """The demo API serving the small workspace."""
    with DemoServer(small_workspace) as running:
        yield running


@pytest.fixture
def rig(server: DemoServer, tmp_path: Path) -> Rig:
    """A warehouse that is fed from the demo API."""
    return Rig(server, tmp_path, through_dlt=True)


@pytest.fixture
def tiny(tmp_path: Path) -> Iterator[Rig]:
    """An empty warehouse that is fed from a workspace of three members over four months, for tests of many syncs.

    They load without dlt's files, see `quick_load.py`.
    """
    with DemoServer(tiny_workspace()) as server:
        yield Rig(server, tmp_path, start=month(MONTHS - 1).first_moment.date())
