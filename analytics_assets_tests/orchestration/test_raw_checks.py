"""The checks of the raw tables: each is green after a sync, and finds what it is for."""

from typing import cast

import pytest
from dagster import (
    AssetCheckEvaluation,
    AssetCheckSeverity,
    AssetKey,
    AssetSelection,
    Definitions,
    ExecuteInProcessResult,
    TableMetadataValue,
    define_asset_job,
)

from analytics_assets.orchestration.dbt_events import FAILED_ROWS, QUERY, SAMPLE
from analytics_assets.orchestration.keys import Keys
from analytics_assets.orchestration.partitions import range_tags
from analytics_assets.orchestration.raw_checks import COLUMNS_CHECK, DROP_ROWS, raw_checks
from analytics_assets.source.columns import RESOURCE_NAMES
from analytics_assets.warehouse.connection import connection
from analytics_assets_tests.orchestration.conftest import Project

RAW_KEYS = [f"raw/{name}" for name in RESOURCE_NAMES]


def evaluations(result: ExecuteInProcessResult) -> dict[tuple[str, str], AssetCheckEvaluation]:
    """The results of the checks, by table and name."""
    return {(each.asset_key.path[-1], each.check_name): each for each in result.get_asset_check_evaluations()}


def failed(result: ExecuteInProcessResult) -> set[tuple[str, str]]:
    return {key for key, each in evaluations(result).items() if not each.passed}


def checks_alone(project: Project) -> ExecuteInProcessResult:
    """The checks of the raw tables without a load before them, as their button in the UI runs them."""
    selection = AssetSelection.checks(*(check.key(Keys()) for check in raw_checks()))
    definitions = Definitions.merge(project.definitions, Definitions(jobs=[define_asset_job("checks", selection)]))
    return definitions.resolve_job_def("checks").execute_in_process(instance=project.instance, raise_on_error=False)


@pytest.fixture
def loaded(project: Project) -> Project:
    """The project after a load of the raw tables, all of whose checks passed."""
    result = project.run(*RAW_KEYS)
    assert result.success
    assert {name for name, _ in evaluations(result)} == set(RESOURCE_NAMES), "every raw asset carries checks"
    assert failed(result) == set()
    return project


def test_a_load_that_loses_a_large_part_of_a_table_is_told_with_the_figures(loaded: Project) -> None:
    entries = loaded.rig.workspace.records("time_entries")
    gone = entries[: len(entries) // 2]
    for entry in gone:
        loaded.rig.workspace.delete("time_entries", entry["id"])
    result = loaded.run(*RAW_KEYS, tags=range_tags(loaded.rig.span()))
    assert result.success, "somebody may have deleted them on purpose"
    assert failed(result) == {("time_entries", "rows_did_not_drop")}
    told = evaluations(result)["time_entries", "rows_did_not_drop"]
    assert told.severity is AssetCheckSeverity.WARN
    (row,) = cast(TableMetadataValue, told.metadata[SAMPLE]).records
    assert row.data["rows_deleted"] == str(len(gone)) and len(gone) >= DROP_ROWS
    assert failed(loaded.run(*RAW_KEYS)) == set(), "the next load deletes nothing more"


def test_rows_that_somebody_wrote_with_sql_are_found_and_keep_back_the_models(loaded: Project) -> None:
    with connection(loaded.rig.path) as con:
        con.execute("INSERT INTO raw.tags SELECT * FROM raw.tags LIMIT 1")
        con.execute("UPDATE raw.tasks SET _projects_id = 'nobody' WHERE id = (SELECT min(id) FROM raw.tasks)")
    result = checks_alone(loaded)
    assert failed(result) == {("tags", "ids_are_unique"), ("tasks", "parents_are_known")}
    found = evaluations(result)["tags", "ids_are_unique"]
    assert (found.severity, found.metadata[FAILED_ROWS].value) == (AssetCheckSeverity.ERROR, 1)
    query = str(found.metadata[QUERY].value).removeprefix("```sql").removesuffix("```")
    assert len(loaded.rig.query(query)) == 1
    graph = loaded.definitions.resolve_asset_graph()
    assert all(
        graph.get_check_spec(check.key(Keys())).blocking == (check.severity is AssetCheckSeverity.ERROR) for check in raw_checks()
    )


def test_a_field_that_the_api_begins_to_send_is_named_once(loaded: Project) -> None:
    tag = loaded.rig.workspace.tags[0]
    loaded.rig.workspace.edit("tags", tag["id"], shade="dark")
    entry = loaded.rig.workspace.records("time_entries")[0]
    loaded.rig.workspace.edit("time_entries", entry["id"], mood="fine")
    result = loaded.run(*RAW_KEYS)
    told = {key: str(each.description) for key, each in evaluations(result).items() if not each.passed}
    assert set(told) == {("tags", COLUMNS_CHECK), ("time_entries", COLUMNS_CHECK)}
    assert "shade" in told["tags", COLUMNS_CHECK] and "mood" in told["time_entries", COLUMNS_CHECK]
    assert failed(loaded.run(*RAW_KEYS)) == set()


def test_the_checks_of_one_table_run_with_it_and_no_others(project: Project) -> None:
    result = project.run("raw/tags")
    assert {name for name, _ in evaluations(result)} == {"tags"}
    assert AssetKey(["marts", "dim_tags"]) not in {event.asset_key for event in result.get_asset_materialization_events()}
