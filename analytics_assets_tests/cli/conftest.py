"""One small server and one warehouse that was synced from it, shared by the tests of the command line."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from analytics_assets.demo.behaviour import Behaviour
from analytics_assets.demo.build import build_workspace
from analytics_assets.demo.serving import DemoServer
from analytics_assets_tests.cli.command import KEY, Ended, run_cli, variables_for


@pytest.fixture(scope="session")
def running_server() -> Iterator[DemoServer]:
    workspace = build_workspace(users=5, projects=4, clients=2, tags=3, groups=2, entries=250, months=3)
    with DemoServer(workspace, Behaviour(api_key=KEY)) as server:
        yield server


@pytest.fixture
def server(running_server: DemoServer) -> DemoServer:
    running_server.reset()
    return running_server


@pytest.fixture(scope="session")
def dagster_home(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("dagster")


@pytest.fixture(scope="session")
def warehouse(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("warehouse") / "analytics.duckdb"


@pytest.fixture(scope="session")
def synced(running_server: DemoServer, warehouse: Path, dagster_home: Path) -> Ended:
    """How the first sync of the shared warehouse ended; all of it, models too."""
    running_server.reset()
    return run_cli("sync", variables=variables_for(running_server, warehouse, dagster_home))


@pytest.fixture(scope="session")
def other_dagster_home(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """For runs that may fail: the first run in `dagster_home` is that of `synced`, in whatever order the tests run."""
    return tmp_path_factory.mktemp("other_dagster")


@pytest.fixture
def variables(server: DemoServer, tmp_path: Path, other_dagster_home: Path) -> dict[str, str]:
    """Everything right, and a warehouse that is not there yet."""
    return variables_for(server, tmp_path / "data" / "analytics.duckdb", other_dagster_home)
