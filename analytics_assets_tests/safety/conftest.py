"""What the tests of safety share: a small warehouse that is loaded already, its API, and processes to run on it."""

import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from unittest import mock

import pytest
from dagster import DagsterInstance

from analytics_assets.demo.behaviour import Behaviour
from analytics_assets.demo.serving import DemoServer
from analytics_assets.source.columns import ResourceName
from analytics_assets.warehouse.places import answers_folder, compiled_file, ledger_file
from analytics_assets_tests.rig import Rig
from analytics_assets_tests.safety.child import SyncOrder
from analytics_assets_tests.safety.processes import Processes, processes_in
from analytics_assets_tests.tiny import MONTHS, month, tiny_workspace

KEY = "K3y/that+must&not=be%41shown?"
"""Looks different in each encoding."""


class Site(Rig):
    """A rig whose syncs can be run by other processes."""

    def order(
        self, first: str | None = None, last: str | None = None, *, resources: tuple[ResourceName, ...] = (), name: str = "test"
    ) -> SyncOrder:
        """A sync for a process of its own."""
        order = SyncOrder(self.api_url, self.api_key, self.workspace_id, self.path, self.start, first, last, name=name)
        return SyncOrder(**{**order.__dict__, "resources": resources}) if resources else order

    def variables(self, **others: str) -> dict[str, str]:
        """The variables that make a command or Dagster read this API into this warehouse."""
        return {
            "ANALYTICS_API_KEY": self.api_key,
            "ANALYTICS_API_URL": self.api_url,
            "ANALYTICS_WORKSPACE_ID": self.workspace_id,
            "ANALYTICS_DUCKDB_PATH": str(self.path),
            "ANALYTICS_REQUESTS_PER_SECOND": "10000",
            "ANALYTICS_RETRY_BACKOFF_FACTOR": "0",
            "ANALYTICS_START_DATE": self.start.isoformat(),
            "ANALYTICS_LOOKBACK_MONTHS": str(MONTHS),
            "DAGSTER_HOME": str(self.dagster_home),
            **others,
        }

    @property
    def dagster_home(self) -> Path:
        """The folder of the Dagster instance."""
        return self.path.parent / "dagster"

    @contextmanager
    def instance(self) -> Iterator[DagsterInstance]:
        """The Dagster instance that the runs of `variables` are kept on."""
        with (
            mock.patch.dict(os.environ, {"DAGSTER_HOME": str(self.dagster_home)}),
            DagsterInstance.from_config(str(self.dagster_home)) as instance,
        ):
            yield instance

    def change_something(self) -> None:
        """Edit, delete and add in the API, so that the next sync has something to write in several tables."""
        entries = self.workspace.records("time_entries")
        self.workspace.edit("time_entries", entries[0]["id"], description=f"edited after {len(self.server.requests)} requests")
        self.workspace.delete("time_entries", entries[-1]["id"])
        self.workspace.new("tags", name=f"tag {len(self.workspace.records('tags'))}")
        self.workspace.edit("clients", self.workspace.clients[0]["id"], note=f"tags: {len(self.workspace.records('tags'))}")

    def assert_clean(self) -> None:
        """Nothing lies around that a person would have to clean up, or that a later sync could take for its own."""
        left = {path.name for path in self.path.parent.iterdir()}
        kept = {
            self.path.name,
            f"{self.path.name}.lock",
            f"{self.path.name}.holder",
            "dagster",
            compiled_file(self.path).name,
            ledger_file(self.path).name,
            answers_folder(self.path).name,
        }
        assert left <= kept, f"left behind: {left - kept}"

    def assert_next_sync_heals(self) -> None:
        """The law holds after the next sync, which needs no help."""
        self.sync()
        self.assert_equals_api()
        self.assert_clean()


_loaded: dict[str, bytes] = {}


@pytest.fixture
def site(tmp_path: Path) -> Iterator[Site]:
    """A loaded warehouse of the tiny workspace, and changes in the API that it does not have yet."""
    with DemoServer(tiny_workspace(), Behaviour(api_key=KEY)) as server:
        site = Site(server, tmp_path / "data", start=month(MONTHS - 1).first_moment.date())
        site.path.parent.mkdir()
        if "warehouse" in _loaded:
            site.path.write_bytes(_loaded["warehouse"])
        else:
            site.sync()
            _loaded["warehouse"] = site.path.read_bytes()
        site.dagster_home.mkdir()
        server.log.clear()
        site.change_something()
        yield site


@pytest.fixture
def processes(tmp_path: Path) -> Iterator[Processes]:
    """Processes far from the checkout, so that no `.env` of whoever runs the tests is read."""
    folder = tmp_path / "working"
    folder.mkdir()
    with processes_in(folder) as running:
        yield running
