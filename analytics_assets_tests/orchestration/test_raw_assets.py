"""The raw assets as the UI runs them: any subset, a partition, a range, and what each materialization shows."""

import re
from dataclasses import replace
from datetime import UTC, datetime
from typing import Any, cast

import pytest
from dagster import (
    AssetCheckEvaluation,
    AssetKey,
    AssetSelection,
    Definitions,
    ExecuteInProcessResult,
    TableSchema,
    define_asset_job,
)

from analytics_assets.demo.records import Record
from analytics_assets.orchestration.keys import Keys
from analytics_assets.orchestration.partitions import RANGE_END_TAG, RANGE_START_TAG, partition_key, range_tags
from analytics_assets.pipeline.months import Month, Span
from analytics_assets.pipeline.progress import ResourceProgress, so_far
from analytics_assets.settings import load_settings
from analytics_assets.source.columns import RESOURCE_NAMES, TABLES
from analytics_assets_tests.orchestration.conftest import Project, materializations, sentence
from analytics_assets_tests.rig import served_records

RAW_KEYS = [f"raw/{name}" for name in RESOURCE_NAMES]
THIS_MONTH = Month.of(datetime.now(UTC))


def test_children_depend_on_their_own_parents_and_on_no_phantom(project: Project) -> None:
    graph = project.definitions.resolve_asset_graph()
    parents = {key: {parent.to_user_string() for parent in graph.get(AssetKey(key.split("/"))).parent_keys} for key in RAW_KEYS}
    assert parents["raw/time_entries"] == {"raw/users"}
    assert parents["raw/tasks"] == {"raw/projects"}
    assert {key for key, above in parents.items() if above == {"api/workspace"}} == set(RAW_KEYS) - {
        "raw/time_entries",
        "raw/tasks",
    }


def test_each_raw_asset_says_what_it_is(project: Project) -> None:
    graph = project.definitions.resolve_asset_graph()
    for name in RESOURCE_NAMES:
        node = graph.get(AssetKey(["raw", name]))
        assert node.description == TABLES[name].description
        assert (node.group_name, node.kinds, node.owners) == ("raw", {"dlt", "duckdb"}, [])
        assert node.tags["write_disposition"] == "merge"
        assert (node.partitions_def is not None) == (name == "time_entries")


def test_a_run_without_partitions_loads_all_history_first_and_the_lookback_later(project: Project) -> None:
    assert project.run(*RAW_KEYS).success
    project.rig.assert_equals_api()
    project.rig.server.reset()
    assert project.run(*RAW_KEYS).success
    asked = {request.query["start"] for request in project.rig.server.requests if request.resource == "time_entries"}
    first_month = THIS_MONTH.plus(-1).first_moment
    assert len(asked) == 1
    assert 1 <= (first_month - datetime.fromisoformat(asked.pop())).days <= 2
    project.rig.assert_equals_api()


@pytest.mark.parametrize(("child", "parent"), [("time_entries", "users"), ("tasks", "projects")])
def test_a_child_alone_reads_its_parents_and_loads_only_itself(project: Project, child: str, parent: str) -> None:
    result = project.run(f"raw/{child}")
    assert result.success
    assert {m.asset_key.to_user_string() for m in materializations(result)} == {f"raw/{child}"}
    assert {request.resource for request in project.rig.server.requests} == {child, parent}
    project.rig.assert_equals_api(resources=[child])  # type: ignore[list-item]
    assert project.rig.rows(parent) == {}  # type: ignore[arg-type]


def test_one_partition_holds_just_its_month(project: Project) -> None:
    month = THIS_MONTH.plus(-2)
    result = project.run("raw/time_entries", partition=partition_key(month))
    assert [m.partition for m in materializations(result)] == [partition_key(month)]
    project.rig.assert_equals_api(str(month), str(month), resources=["time_entries"])
    starts = [row["time_interval__start"] for row in project.rig.rows("time_entries").values()]
    assert starts
    assert {Month.of(start) for start in starts} == {month}


def test_a_range_of_months_is_one_run_that_marks_each_of_them(project: Project) -> None:
    span = Span(THIS_MONTH.plus(-4), THIS_MONTH.plus(-2))
    result = project.run("raw/time_entries", tags=range_tags(span))
    assert result.success
    assert [m.partition for m in materializations(result)] == [partition_key(THIS_MONTH.plus(-n)) for n in (4, 3, 2)]
    lists = [r for r in project.rig.server.requests if r.resource == "time_entries" and r.page == 1]
    assert len(lists) == len({r.parent_id for r in lists}), "a range asks once for all its months"
    project.rig.assert_equals_api(str(span.first), str(span.last), resources=["time_entries"])


def test_a_run_of_months_that_history_has_no_longer_ends_with_one_sentence(project: Project) -> None:
    """A run that was executed again after ANALYTICS_START_DATE had moved ended in a traceback about a window."""
    history, future = Month.of(project.rig.start), THIS_MONTH.plus(3)
    gone, after_it = history.plus(-2), history.plus(1)
    before = f"This run is of {gone}, which lies before the start of history, {history} (ANALYTICS_START_DATE): start a new run"
    assert sentence(project.run("raw/time_entries", tags=range_tags(Span(gone, gone)))).startswith(before)
    assert sentence(project.run("raw/time_entries", tags=range_tags(Span(gone, after_it)))).startswith(before)
    ahead = sentence(project.run("raw/time_entries", tags=range_tags(Span(after_it, future))))
    assert ahead == f"This run is of {future}, which lies in the future; the current month is {THIS_MONTH} (UTC)."
    turned = {RANGE_START_TAG: partition_key(after_it), RANGE_END_TAG: partition_key(history)}
    assert f"This run is of {after_it} to {history}" in sentence(project.run("raw/time_entries", tags=turned))
    assert project.rig.server.requests == []


def test_a_run_whose_tag_names_a_day_says_how_a_month_is_written(project: Project) -> None:
    """The sentence asked for YYYY-MM, which Dagster takes in no tag, and did not say what it was about."""
    month = THIS_MONTH.plus(-1)
    tags = {RANGE_START_TAG: f"{month}-15", RANGE_END_TAG: partition_key(month)}
    assert sentence(project.run("raw/time_entries", tags=tags)) == (
        f"A tag of this run names '{month}-15', which is not a partition: start a new run with the first day of a month, written "
        "YYYY-MM-01."
    )


def test_each_month_shows_what_became_of_its_own_rows(project: Project) -> None:
    """Each of 37 months used to repeat the numbers of the whole run."""
    workspace = project.rig.workspace
    routine = of_months(project.run(*RAW_KEYS))
    assert {month: figures["rows new"] for month, figures in routine.items()} == {
        month: figures["dagster/partition_row_count"] for month, figures in routine.items()
    }
    assert sum(figures["rows new"] for figures in routine.values()) == len(workspace.records("time_entries"))
    first, second = (THIS_MONTH.plus(-n) for n in (3, 2))
    gone, edited, *_ = (each for each in workspace.records("time_entries") if starts_in(each, first))
    workspace.delete("time_entries", gone["id"])
    workspace.edit("time_entries", edited["id"], description="edited")
    workspace.new_time_entry(workspace.users[0]["id"], second.first_moment, None)
    shown = of_months(project.run("raw/time_entries", tags=range_tags(Span(first, second))))
    before = {partition_key(month): routine[partition_key(month)]["dagster/partition_row_count"] for month in (first, second)}
    assert shown == {
        partition_key(first): {
            "dagster/partition_row_count": before[partition_key(first)] - 1,
            "rows new": 0,
            "rows changed": 1,
            "rows deleted": 1,
        },
        partition_key(second): {
            "dagster/partition_row_count": before[partition_key(second)] + 1,
            "rows new": 1,
            "rows changed": 0,
            "rows deleted": 0,
        },
    }


def starts_in(entry: Record, month: Month) -> bool:
    return Month.of(datetime.fromisoformat(entry["timeInterval"]["start"])) == month


def of_months(result: ExecuteInProcessResult) -> dict[str, dict[str, int]]:
    """What each partition shows of its rows."""
    names = ("dagster/partition_row_count", "rows new", "rows changed", "rows deleted")
    return {
        each.partition: {name: cast(int, each.metadata[name].value) for name in names}
        for event in result.get_asset_materialization_events()
        if (each := event.step_materialization_data.materialization).partition
    }


def test_a_materialization_shows_rows_cost_columns_and_place(project: Project) -> None:
    result = project.run(*RAW_KEYS)
    for materialization in materializations(result):
        name = materialization.asset_key.path[-1]
        shown: dict[str, Any] = {key: value.value for key, value in materialization.metadata.items()}
        rows = project.rig.rows(name)  # type: ignore[arg-type]
        assert shown["dagster/row_count"] == shown["rows loaded"] == shown["rows new"] == len(rows)
        assert shown["requests"] == sum(request.resource == name for request in project.rig.server.requests)
        assert shown["bytes"] > 0
        assert shown["seconds waiting for the API"] >= 0
        assert shown["dagster/table_name"] == f"analytics.raw.{name}"
        assert shown["warehouse"] == str(project.rig.path)
        schema = shown["dagster/column_schema"]
        assert isinstance(schema, TableSchema)
        assert [column.name for column in schema.columns] == list(next(iter(rows.values())))
        assert all(column.description for column in schema.columns)


def test_a_refused_member_is_named_in_the_metadata_of_time_entries(project: Project) -> None:
    member = project.rig.workspace.users[0]["id"]
    project.rig.server.behaviour.refused_parents[member] = (400, 501)
    result = project.run("raw/time_entries")
    (shown,) = {m.asset_key.path[-1]: m.metadata for m in materializations(result)}.values()
    assert result.success
    assert shown["lists refused"].value == 1
    assert member in str(shown["refused users"].value)


def test_a_missing_key_ends_the_run_with_one_sentence(project: Project, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("ANALYTICS_API_KEY", "")
    monkeypatch.setenv("ANALYTICS_WORKSPACE_ID", "")
    result = Project(project.rig, load_settings(), project.instance).run("raw/tags")
    told = sentence(result)
    assert told.startswith("ANALYTICS_API_KEY is not set")
    assert "ANALYTICS_WORKSPACE_ID is not set" in told


def test_raw_matches_api_is_green_after_a_sync_and_red_after_a_change(project: Project) -> None:
    project.run(*RAW_KEYS)
    entry = project.rig.workspace.records("time_entries")[0]
    before = project.rig.contents()
    assert evaluation_of_raw_matches_api(project).passed
    project.rig.workspace.edit("time_entries", entry["id"], description="changed behind the warehouse's back")
    changed = evaluation_of_raw_matches_api(project)
    assert not changed.passed
    assert changed.metadata["rows that differ"].value == 1
    assert changed.metadata["rows of the API"].value == sum(
        len(served_records(project.rig.server, name)) for name in RESOURCE_NAMES
    )
    assert project.rig.contents() == before


def evaluation_of_raw_matches_api(project: Project) -> AssetCheckEvaluation:
    """Run the check alone, as its button in the UI does."""
    selection = AssetSelection.checks(Keys().proof)
    definitions = Definitions.merge(project.definitions, Definitions(jobs=[define_asset_job("check", selection)]))
    result = definitions.resolve_job_def("check").execute_in_process(instance=project.instance, raise_on_error=False)
    (evaluation,) = result.get_asset_check_evaluations()
    return evaluation


def test_the_log_of_a_run_shows_how_far_the_reading_is(project: Project) -> None:
    """Ten minutes of reading looked like a run that hangs: the log ended with the months that it was about to read."""
    result = project.run(*RAW_KEYS)
    said = [entry.user_message for entry in project.instance.all_logs(result.run_id) if entry.dagster_event is None]
    members = len(served_records(project.rig.server, "users"))
    assert [line for line in said if re.fullmatch(rf"users: {members} rows, 1 request in [0-9.]+ s", line)]
    entries = rf"time_entries: [0-9,]+ rows, {members} of {members} lists, [0-9]+ requests in [0-9.]+ s"
    assert [line for line in said if re.fullmatch(entries, line)]


def test_a_reading_that_goes_on_says_how_long_it_takes_once_it_can_tell() -> None:
    def reading(done: int) -> ResourceProgress:
        return ResourceProgress("time_entries", "reading", 1_200, 4, 0, lists_done=done, lists_expected=60, seconds=9.0)

    assert so_far([reading(3)]) == "time_entries: 1,200 rows, 3 of 60 lists, 4 requests so far, about 171 s left"
    assert so_far([reading(2)]) == "time_entries: 1,200 rows, 2 of 60 lists, 4 requests so far"
    assert so_far([reading(60)]) == "time_entries: 1,200 rows, 60 of 60 lists, 4 requests so far"


def test_what_was_read_is_counted_in_words_of_one_and_of_many() -> None:
    """A small workspace read `1 rows, 1 request`."""
    one = ResourceProgress("users", "read", 1, 1, 0, lists_done=1, lists_expected=1, seconds=0.1)
    assert one.text == "1 row, 1 request"
    assert replace(one, rows=2, requests=2).text == "2 rows, 2 requests"
