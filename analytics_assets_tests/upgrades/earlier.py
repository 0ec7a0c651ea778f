"""The workspace that the kept warehouses were loaded from, and how one is made.

`python -m analytics_assets_tests.upgrades.earlier` keeps a warehouse of the version that it is run with. It is run once
for each version that is released, and the file is committed; a file that is there is never made again.
"""

import gzip
import shutil
import tempfile
from datetime import date
from importlib.metadata import version
from pathlib import Path
from typing import Final
from unittest import mock

from dagster import DagsterInstance

from analytics_assets.definitions import build_definitions
from analytics_assets.demo.build import build_workspace
from analytics_assets.demo.serving import DemoServer
from analytics_assets.demo.workspace import Workspace
from analytics_assets.orchestration.partitions import range_tags
from analytics_assets.pipeline.months import Month, Span, current_month
from analytics_assets.settings import load_settings

KEPT: Final = Path(__file__).parent
START: Final = date(2025, 6, 1)
UNTIL: Final = date(2026, 11, 1)


def kept_versions() -> list[str]:
    """The versions of which a warehouse is kept."""
    return sorted(file.name.removesuffix(".duckdb.gz") for file in KEPT.glob("*.duckdb.gz"))


def unpack(of_version: str, warehouse: Path) -> None:
    """Put the kept warehouse of a version at a path."""
    with gzip.open(KEPT / f"{of_version}.duckdb.gz") as packed, warehouse.open("wb") as file:
        shutil.copyfileobj(packed, file)


def workspace_before() -> Workspace:
    """The workspace as it was first loaded; of a fixed day, so that it is the same at any time."""
    return build_workspace(seed=3, today=UNTIL, months=17, users=5, projects=6, clients=3, tags=5, groups=2, entries=300)


def change(workspace: Workspace) -> None:
    """What happened before it was loaded a second time: an edit, a deletion, a new field, a group that is gone."""
    edited, gone, *_ = workspace.records("time_entries")
    workspace.edit("time_entries", edited["id"], description="edited before the second sync")
    workspace.delete("time_entries", gone["id"])
    workspace.edit("tags", workspace.tags[0]["id"], colour="red")
    workspace.delete("user_groups", workspace.user_groups[-1]["id"])


def variables(server: DemoServer, warehouse: Path) -> dict[str, str]:
    """The settings of a project that loads from a server."""
    values = {
        "API_KEY": server.api_key,
        "API_URL": server.url,
        "WORKSPACE_ID": server.workspace.id,
        "START_DATE": START.isoformat(),
        "REQUESTS_PER_SECOND": "10000",
        "DUCKDB_PATH": str(warehouse),
    }
    return {f"ANALYTICS_{name}": value for name, value in values.items()}


def all_history() -> dict[str, str]:
    """The tags of a run that reads all months."""
    return range_tags(Span(Month.of(START), current_month()))


def make() -> Path:
    """Load the workspace twice, with its marts, and keep the warehouse."""
    target = KEPT / f"{version('analytics-assets')}.duckdb.gz"
    if target.exists():
        raise SystemExit(f"{target.name} is there already; a warehouse of a released version is never made again")
    with tempfile.TemporaryDirectory() as folder, DemoServer(workspace_before()) as server:
        warehouse = Path(folder) / "analytics.duckdb"
        with mock.patch.dict("os.environ", variables(server, warehouse)), DagsterInstance.ephemeral(folder) as instance:
            sync = build_definitions(load_settings()).resolve_job_def("sync")
            sync.execute_in_process(instance=instance)
            change(server.workspace)
            sync.execute_in_process(instance=instance, tags=all_history())
        with warehouse.open("rb") as file, gzip.GzipFile(target, "wb", mtime=0) as packed:
            shutil.copyfileobj(file, packed)
    return target


if __name__ == "__main__":
    make()
