"""A sync builds what would come out differently, and tells the last results of the rest once more."""

from collections.abc import Mapping
from typing import Any

import pytest
from dagster import AssetCheckEvaluation, AssetKey, AssetSelection, ExecuteInProcessResult

from analytics_assets.orchestration.dbt_events import FAILED_ROWS, SECONDS, UNCHANGED_SINCE
from analytics_assets.orchestration.dbt_nodes import DbtNodes
from analytics_assets.orchestration.unchanged import BuildPlan
from analytics_assets.settings import load_settings
from analytics_assets.warehouse.built import forget_built
from analytics_assets.warehouse.connection import connection
from analytics_assets_tests.orchestration.conftest import Project, materializations
from analytics_assets_tests.tiny import moment

pytestmark = pytest.mark.timeout(600)
OF_TAGS = {"stg_tags", "dim_tags"}
OF_THE_USERS = {"dim_users", "fct_time_entries", "timesheet_daily", "billing_monthly", "utilization_weekly", "time_entry_changes"}


def built(result: ExecuteInProcessResult) -> set[str]:
    """The models that a run has built."""
    assert result.success
    models = [each for each in materializations(result) if each.asset_key.path[0] in ("staging", "marts")]
    return {each.asset_key.path[-1] for each in models if UNCHANGED_SINCE not in each.metadata}


def told_checks(result: ExecuteInProcessResult) -> dict[str, tuple[bool, Any]]:
    return {each.check_name: (each.passed, each.severity) for each in of_models(result)}


def of_models(result: ExecuteInProcessResult) -> list[AssetCheckEvaluation]:
    """The results of the checks of models; those of the raw tables, the report and the copy come with each load."""
    return [each for each in result.get_asset_check_evaluations() if each.asset_key.path[0] in ("staging", "marts")]


def marts(project: Project) -> dict[str, list[Any]]:
    """All rows of all marts."""
    names = project.rig.query("SELECT table_name FROM information_schema.tables WHERE table_schema = 'marts'")
    return {name: project.rig.query(f"FROM marts.{name} ORDER BY ALL") for (name,) in names}


def test_a_sync_builds_only_what_stands_on_something_that_has_changed(project: Project) -> None:
    first = project.run()
    everything = built(first)
    assert len(everything) == 31

    again = project.run()
    assert built(again) == set()
    assert told_checks(again) == told_checks(first) and len(told_checks(first)) == 75
    assert all(UNCHANGED_SINCE in each.metadata and SECONDS not in each.metadata for each in of_models(again))
    made = {event.asset_key for event in again.get_asset_materialization_events()}
    assert {AssetKey(["report", "overview"]), AssetKey(["report", "reader_copy"]), AssetKey(["marts", "dim_users"])} <= made

    project.rig.workspace.edit("tags", project.rig.workspace.tags[0]["id"], name="Renamed")
    assert built(project.run()) == OF_TAGS
    assert ("Renamed",) in project.rig.query("SELECT tag_name FROM marts.dim_tags")

    with connection(project.rig.path) as con:
        con.execute("DROP TABLE marts.dim_users")
        con.execute("DELETE FROM marts.dim_clients")
    mended = built(project.run())
    assert mended >= OF_THE_USERS | {"dim_clients"} and not mended & (OF_TAGS | {"stg_users"})

    left = marts(project)
    assert built(project.run("marts/dim_tags")) == {"dim_tags"}, "asked for by name, it is built whether it changed or not"
    assert built(project.run(*sorted(f"marts/{name}" for name in left))) == set(left)
    assert marts(project) == left, "what was left unbuilt is what a build of everything gives"
    assert built(project.run()) == set()


def test_another_variable_builds_everything_and_so_does_a_build_that_failed(
    project: Project, monkeypatch: pytest.MonkeyPatch
) -> None:
    for _ in range(2):
        project.rig.workspace.new_time_entry(project.rig.workspace.users[0]["id"], moment(1), moment(1, day=9))
    first = project.run()
    everything = built(first)
    (warned,) = [
        each for each in first.get_asset_check_evaluations() if each.check_name == "days_have_no_more_tracked_time_than_hours"
    ]
    assert not warned.passed and warned.description and warned.metadata[FAILED_ROWS].value
    assert warned.metadata["some of the rows"].value
    query = str(warned.metadata["query for all of them"].value).removeprefix("```sql").removesuffix("```")
    assert len(project.rig.query(query)) == warned.metadata[FAILED_ROWS].value

    monkeypatch.setenv("ANALYTICS_WEEKLY_CAPACITY_HOURS", "20")
    other = Project(project.rig, load_settings(), project.instance)
    assert built(other.run()) == everything
    with connection(project.rig.path) as con:
        forget_built(con, ["model.analytics_assets.dim_tags", "test.analytics_assets.every_tag_stands_once_in_dim_tags"])
    assert built(other.run()) >= {"dim_tags"}


def plan(current: set[str], parents: Mapping[str, list[str]]) -> BuildPlan:
    nodes = {node: {"resource_type": "model", "depends_on": {"nodes": above}} for node, above in parents.items()}
    manifest = {"nodes": nodes, "sources": {"source.raw.users": {"name": "users"}}}
    return BuildPlan(DbtNodes(manifest), list(nodes), {}, {node: f"now {node}" for node in nodes}, current)


def test_what_was_built_on_an_older_model_is_not_noted_as_built_from_what_there_is_now() -> None:
    """The run built a child without its parent, which had changed: the next sync must build both."""
    parents = {"parent": ["source.raw.users"], "child": ["parent"], "grandchild": ["child"]}
    report: dict[str, Any] = {"data": {}}
    assert set(plan(set(), parents).notes({"child": report}, {})) == set()
    assert set(plan({"parent"}, parents).notes({"child": report, "grandchild": report}, {"child": 3})) == {"child", "grandchild"}
    assert set(plan(set(), parents).notes({"parent": report, "child": report}, {})) == {"parent", "child"}
    note = plan({"parent"}, parents).notes({"child": report}, {"child": 3})["child"]
    assert (note.built_from, note.rows, note.report) == ("now child", 3, report)


def test_in_a_new_warehouse_a_mart_and_all_that_it_stands_on_can_be_built_without_the_rest(project: Project) -> None:
    """The run was red, for checks compare it with marts that nobody had asked for, and so was the one that followed it."""
    keys = project.definitions.resolve_asset_graph()
    (mart,) = AssetSelection.assets("marts/billing_monthly").resolve(keys)
    upstream = AssetSelection.assets(mart).upstream().resolve(keys) & keys.materializable_asset_keys
    result = project.run(*(key.to_user_string() for key in upstream))
    assert built(result) == {key.path[-1] for key in upstream if key.path[0] in ("staging", "marts")}
    told = {each.check_name for each in of_models(result)}
    assert "time_entries_have_known_projects" in told and "time_entries_have_known_tasks" not in told
    assert told_checks(project.run()).keys() > told
