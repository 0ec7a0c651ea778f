"""dbt fails in the middle of a run: what stands on the broken model stays as it was, and a sentence says why."""

import shutil
from pathlib import Path

import pytest
from dagster import AssetKey

from analytics_assets.orchestration import dbt_run
from analytics_assets.orchestration.dbt_nodes import PROJECT_DIR
from analytics_assets_tests.orchestration.conftest import Project, materializations

BROKEN = "dim_projects"
ON_IT = {"fct_time_entries", "billing_monthly", "project_budgets", "timesheet_daily"}


def broken_copy(folder: Path) -> Path:
    """The dbt project with one model that fails when it is built."""
    copy = folder / "dbt_project"
    shutil.copytree(PROJECT_DIR, copy)
    model = copy / "models" / "marts" / f"{BROKEN}.sql"
    model.write_text(
        f"select * replace (cast(error('the disk of {BROKEN} is gone') as varchar) as project_id) from (\n{model.read_text()}\n)"
    )
    return copy


def test_a_model_that_fails_leaves_what_is_built_on_it_as_it_was_and_the_next_run_heals(
    project: Project, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    assert project.run().success
    before = {name: project.rig.query(f"FROM marts.{name} ORDER BY ALL") for name in (BROKEN, *ON_IT)}
    gone = project.rig.workspace.records("time_entries")[0]
    project.rig.workspace.delete("time_entries", gone["id"])
    project.rig.workspace.edit("clients", project.rig.workspace.clients[0]["id"], name="Renamed")

    with monkeypatch.context() as patch:
        patch.setattr(dbt_run, "PROJECT_DIR", broken_copy(tmp_path))
        result = project.run()
    assert not result.success
    (failure,) = result.get_step_failure_events()
    assert failure.step_failure_data.user_failure_data is not None
    said = failure.step_failure_data.user_failure_data.description or ""
    assert said.startswith(f"dbt could not build all models: {BROKEN}: ") and f"the disk of {BROKEN} is gone" in said, said
    made = {materialization.asset_key for materialization in materializations(result)}
    assert AssetKey(["raw", "time_entries"]) in made and AssetKey(["marts", "dim_clients"]) in made
    assert not made & {AssetKey(["marts", name]) for name in (BROKEN, *ON_IT)}
    assert gone["id"] not in project.rig.rows("time_entries")
    assert ("Renamed",) in project.rig.query("SELECT client_name FROM marts.dim_clients")
    for name, rows in before.items():
        assert project.rig.query(f"FROM marts.{name} ORDER BY ALL") == rows, name

    assert project.run().success
    assert project.rig.query(f"SELECT count(*) FROM marts.fct_time_entries WHERE time_entry_id = '{gone['id']}'") == [(0,)]
