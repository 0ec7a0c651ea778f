"""The whole Dagster project against the demo API, on an instance of one test's own."""

import shutil
from collections.abc import Iterator, Mapping
from pathlib import Path

import pytest
from dagster import AssetKey, AssetMaterialization, DagsterEventType, DagsterInstance, Definitions, ExecuteInProcessResult

from analytics_assets.definitions import build_definitions
from analytics_assets.orchestration.event_storage import EventStorage
from analytics_assets.settings import Settings, load_settings
from analytics_assets.warehouse.connection import connection
from analytics_assets_tests.rig import Rig


class Project:
    """The definitions, as Dagster runs them."""

    def __init__(self, rig: Rig, settings: Settings, instance: DagsterInstance) -> None:
        self.rig = rig
        self.settings = settings
        self.instance = instance
        self.definitions: Definitions = build_definitions(settings)

    def run(self, *keys: str, tags: Mapping[str, str] | None = None, partition: str | None = None) -> ExecuteInProcessResult:
        """A run of the job `sync`, of all its assets or of some, as the UI launches it."""
        return self.definitions.resolve_job_def("sync").execute_in_process(
            instance=self.instance,
            asset_selection=[AssetKey.from_user_string(key) for key in keys] or None,
            tags=dict(tags or {}),
            partition_key=partition,
            raise_on_error=False,
        )

    def make_empty_marts(self) -> None:
        """Tables in the place of all marts, for tests of what comes after them."""
        keys = self.definitions.resolve_asset_graph().materializable_asset_keys
        with connection(self.rig.path) as con:
            con.execute("CREATE SCHEMA IF NOT EXISTS marts")
            for key in sorted(key for key in keys if key.path[0] == "marts"):
                con.execute(f"CREATE TABLE marts.{key.path[1]} (id VARCHAR)")


def materializations(result: ExecuteInProcessResult) -> list[AssetMaterialization]:
    """What a run materialized, in order; the notes of months beside the figures of the whole run are left out."""
    made = [event.step_materialization_data.materialization for event in result.get_asset_materialization_events()]
    return [each for each in made if "dagster/row_count" in each.metadata]


def sentence(result: ExecuteInProcessResult) -> str:
    """What the step that failed says."""
    (event,) = [e for e in result.all_events if e.event_type == DagsterEventType.STEP_FAILURE]
    failure = event.step_failure_data.user_failure_data
    assert failure is not None
    return str(failure.description)


_empty_instance: list[Path] = []


@pytest.fixture
def instance_on_disk(tmp_path: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[DagsterInstance]:
    """An instance in files, as the daemon and the schedules look at it; its empty files are made once per process."""
    if not _empty_instance:
        empty = tmp_path_factory.mktemp("empty_instance")
        instance_in(empty).dispose()
        _empty_instance.append(empty)
    home = tmp_path / "instance"
    shutil.copytree(_empty_instance[0], home)
    with instance_in(home) as instance:
        yield instance


def instance_in(home: Path) -> DagsterInstance:
    """An instance that keeps its events as the project's own configuration says."""
    storage = {"module": EventStorage.__module__, "class": EventStorage.__name__, "config": {"home": str(home)}}
    return DagsterInstance.local_temp(str(home), overrides={"event_log_storage": storage})


@pytest.fixture
def project(rig: Rig, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Iterator[Project]:
    """The project with its variables set for the rig's server and warehouse."""
    values = {
        "API_KEY": rig.api_key,
        "API_URL": rig.api_url,
        "WORKSPACE_ID": rig.workspace_id,
        "PAGE_SIZE": "500",
        "START_DATE": rig.start.isoformat(),
        "REQUESTS_PER_SECOND": "10000",
        "RETRY_BACKOFF_FACTOR": "0",
        "DUCKDB_PATH": str(rig.path),
    }
    for name, value in values.items():
        monkeypatch.setenv(f"ANALYTICS_{name}", value)
    with DagsterInstance.ephemeral(tempdir=str(tmp_path)) as instance:
        yield Project(rig, load_settings(), instance)
