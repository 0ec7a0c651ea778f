"""A warehouse of an earlier version is opened by this one, goes on being exact, and loses nothing of its history."""

import os
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from unittest import mock

import pytest
from dagster import DagsterInstance

from analytics_assets.definitions import build_definitions
from analytics_assets.demo.serving import DemoServer
from analytics_assets.settings import load_settings
from analytics_assets.source.columns import RESOURCE_NAMES
from analytics_assets_tests.rig import Rig
from analytics_assets_tests.upgrades.earlier import START, all_history, change, kept_versions, unpack, variables, workspace_before

pytestmark = pytest.mark.timeout(300)


@pytest.fixture
def rig(tmp_path: Path) -> Iterator[Rig]:
    """The workspace as the kept warehouses have seen it last."""
    workspace = workspace_before()
    change(workspace)
    with DemoServer(workspace) as server, mock.patch.dict(os.environ, variables(server, tmp_path / "analytics.duckdb")):
        yield Rig(server, tmp_path, start=START)


def history(rig: Rig) -> dict[str, list[Any]]:
    """All earlier versions of rows, of each raw table."""
    return {name: rig.query(f"FROM raw_history.{name} ORDER BY ALL") for name in RESOURCE_NAMES}


def late_changes(rig: Rig) -> set[Any]:
    rows = rig.query("SELECT time_entry_id, change_type, first_seen_at, seconds_difference FROM marts.time_entry_changes")
    return set(rows)


def test_a_warehouse_is_kept_of_some_version() -> None:
    assert kept_versions()


@pytest.mark.parametrize("earlier", kept_versions())
def test_a_warehouse_of_an_earlier_version_goes_on_with_this_one(rig: Rig, earlier: str, tmp_path: Path) -> None:
    unpack(earlier, rig.path)
    before, changes_before, entries_before = history(rig), late_changes(rig), rig.rows("time_entries")
    assert any(before.values()) and changes_before

    with DagsterInstance.ephemeral(str(tmp_path)) as instance:
        job = build_definitions(load_settings()).resolve_job_def("sync")
        assert job.execute_in_process(instance=instance, raise_on_error=False, tags=all_history()).success
        assert rig.rows("time_entries") == entries_before and history(rig) == before, "nothing has changed in the API"
        assert late_changes(rig) == changes_before
        rig.assert_equals_api()

        edited = min(rig.workspace.records("time_entries"), key=lambda entry: str(entry["timeInterval"]["start"]))["id"]
        rig.workspace.edit("time_entries", edited, description="edited after the upgrade")
        rig.workspace.edit("tags", rig.workspace.tags[0]["id"], colour="blue")
        assert job.execute_in_process(instance=instance, raise_on_error=False, tags=all_history()).success
    rig.assert_equals_api()
    assert rig.changes("time_entries")[edited] == ["edited"]
    assert rig.query(f"SELECT description FROM marts.fct_time_entries WHERE time_entry_id = '{edited}'") == [
        ("edited after the upgrade",)
    ]
    assert all(row in history(rig)["time_entries"] for row in before["time_entries"])
