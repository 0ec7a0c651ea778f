"""A model fails in the middle of a run: what stands on the broken model stays as it was, and a sentence says why."""

import json
import os
from pathlib import Path

import duckdb
import pytest
from dagster import AssetKey

from analytics_assets.orchestration import dbt_assets, dbt_queries
from analytics_assets.orchestration.dbt_assets import only_logged
from analytics_assets.orchestration.dbt_nodes import PARSED, QUERIES, changed_since_parsed
from analytics_assets_tests.orchestration.conftest import Project, materializations

BROKEN = "dim_projects"
OF_ANOTHER_TYPE = "dim_tags"
ON_IT = {"fct_time_entries", "billing_monthly", "project_budgets", "timesheet_daily"}


def broken_queries(folder: Path) -> Path:
    """What dbt compiled, with one model that fails when it is built, and one that is not as its contract says."""
    queries = json.loads(QUERIES.read_text())
    model, other = (f"model.analytics_assets.{name}" for name in (BROKEN, OF_ANOTHER_TYPE))
    queries[model] = (
        f"select * replace (cast(error('the disk of {BROKEN} is gone') as varchar) as project_id) from (\n{queries[model]}\n)"
    )
    queries[other] = f"select * replace (length(tag_id) as tag_id) from (\n{queries[other]}\n)"
    (folder / QUERIES.name).write_text(json.dumps(queries))
    return folder / QUERIES.name


def test_a_model_that_fails_leaves_what_is_built_on_it_as_it_was_and_the_next_run_heals(
    project: Project, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    assert project.run().success
    before = {name: project.rig.query(f"FROM marts.{name} ORDER BY ALL") for name in (BROKEN, OF_ANOTHER_TYPE, *ON_IT)}
    gone = project.rig.workspace.records("time_entries")[0]
    project.rig.workspace.delete("time_entries", gone["id"])
    project.rig.workspace.edit("tags", project.rig.workspace.records("tags")[0]["id"], name="Renamed too")
    project.rig.workspace.edit("clients", project.rig.workspace.clients[0]["id"], name="Renamed")

    with monkeypatch.context() as patch:
        patch.setattr(dbt_queries, "QUERIES", broken_queries(tmp_path))
        result = project.run()
    assert not result.success
    (failure,) = result.get_step_failure_events()
    assert failure.step_failure_data.user_failure_data is not None
    said = failure.step_failure_data.user_failure_data.description or ""
    assert said.startswith("Not all models could be built: "), said
    assert f"{BROKEN}: " in said and f"the disk of {BROKEN} is gone" in said, said
    contract = "its columns are not as its contract says: tag_id is BIGINT and should be VARCHAR"
    assert f"{OF_ANOTHER_TYPE}: {contract}" in said, said
    made = {materialization.asset_key for materialization in materializations(result)}
    assert AssetKey(["raw", "time_entries"]) in made and AssetKey(["marts", "dim_clients"]) in made
    assert not made & {AssetKey(["marts", name]) for name in (BROKEN, OF_ANOTHER_TYPE, *ON_IT)}
    assert gone["id"] not in project.rig.rows("time_entries")
    assert ("Renamed",) in project.rig.query("SELECT client_name FROM marts.dim_clients")
    for name, rows in before.items():
        assert project.rig.query(f"FROM marts.{name} ORDER BY ALL") == rows, name

    assert project.run().success
    assert project.rig.query(f"SELECT count(*) FROM marts.fct_time_entries WHERE time_entry_id = '{gone['id']}'") == [(0,)]


def test_a_model_that_was_edited_after_the_project_was_parsed_is_named_and_not_silently_left_out(tmp_path: Path) -> None:
    """`analytics-assets sync` right after an edit built the models as they had been, and was green."""
    project = tmp_path / "analytics_assets" / "dbt_project"
    model = project / "models" / "dim_x.sql"
    for file in (model, project / "target" / PARSED.name):
        file.parent.mkdir(parents=True)
        file.touch()
    for path in (model, model.parent):
        os.utime(path, (1, 1))
    assert changed_since_parsed(project) is None
    os.utime(model)
    os.utime(project / "target" / PARSED.name, (2, 2))
    assert changed_since_parsed(project) is None, "the times of an installed wheel say nothing"
    (tmp_path / "build_backend").mkdir()
    assert changed_since_parsed(project) == model


def test_a_run_says_that_the_project_has_to_be_parsed_again(project: Project, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(dbt_assets, "changed_since_parsed", lambda: Path("models/dim_x.sql"))
    (failure,) = project.run("marts/dim_tags").get_step_failure_events()
    assert failure.step_failure_data.user_failure_data is not None
    said = failure.step_failure_data.user_failure_data.description
    assert said == "models/dim_x.sql was changed after the dbt project was parsed; run `make setup`."


def test_a_variable_that_dbt_does_not_take_fails_in_a_sentence_and_leaves_what_was_there(
    project: Project, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert project.run().success
    before = project.rig.query("FROM marts.project_budgets ORDER BY ALL")
    monkeypatch.setattr(dbt_assets, "dbt_variables", lambda _: {"burn_rate_days": 0})
    (failure,) = project.run("marts/project_budgets").get_step_failure_events()
    assert failure.step_failure_data.user_failure_data is not None
    said = failure.step_failure_data.user_failure_data.description or ""
    assert said.startswith("dbt could not compile the models: "), said
    assert "The dbt variable burn_rate_days is '0', but it must be a whole number of days from 1 to 3650" in said, said
    assert project.rig.query("FROM marts.project_budgets ORDER BY ALL") == before


def test_what_is_only_shown_of_a_check_fails_no_run(caplog: pytest.LogCaptureFixture) -> None:
    """A query for the rows of a warning that ran out of memory made the run red after all models had been built."""
    with duckdb.connect() as con, only_logged("time_entries_have_known_users"):
        con.execute("SELECT error('out of memory')")
    (record,) = caplog.records
    assert "time_entries_have_known_users: what the UI shows besides its result could not be read: " in record.getMessage()
    assert "out of memory" in record.getMessage()
