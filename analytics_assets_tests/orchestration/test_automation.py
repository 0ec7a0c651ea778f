"""Marts follow the raw assets: once per change, whoever made it, also while a month of history is missing."""

import pytest
from dagster import (
    AssetKey,
    AssetMaterialization,
    DagsterInstance,
    DefaultSensorStatus,
    evaluate_automation_conditions,
)

from analytics_assets.orchestration.partitions import partition_key, range_tags
from analytics_assets.pipeline.months import current_month
from analytics_assets.source.columns import RESOURCE_NAMES
from analytics_assets_tests.orchestration.conftest import Project

ENTRIES_READ = AssetKey(["raw", "time_entries"])
REPORT = AssetKey(["report", "overview"])
ENTRIES = AssetKey(["marts", "fct_time_entries"])
TAGS = AssetKey(["marts", "dim_tags"])


class Automated:
    """A project whose conditions are evaluated tick by tick; nothing is launched."""

    def __init__(self, project: Project) -> None:
        self.project = project
        self.first = evaluate_automation_conditions(defs=project.definitions, instance=project.instance)
        self.cursor = self.first.cursor

    def tick(self) -> set[AssetKey]:
        """The assets that are asked for."""
        result = evaluate_automation_conditions(defs=self.project.definitions, instance=self.project.instance, cursor=self.cursor)
        self.cursor = result.cursor
        return {each.key for each in result.results if each.true_subset.size and isinstance(each.key, AssetKey)}

    def materialize(self, key: AssetKey, partition: str | None = None) -> None:
        """Somebody materializes an asset by hand."""
        self.project.instance.report_runless_asset_event(AssetMaterialization(key, partition=partition))


@pytest.fixture
def automated(project: Project, instance_on_disk: DagsterInstance) -> Automated:
    """The conditions after their first evaluation, before anything was loaded."""
    project.instance = instance_on_disk
    automated = Automated(project)
    assert automated.first.total_requested == 0
    return automated


@pytest.fixture
def built(automated: Automated) -> Automated:
    """All models and the report were built once, and of the raw assets a month is missing."""
    graph = automated.project.definitions.resolve_asset_graph()
    for key in sorted(graph.materializable_asset_keys - {ENTRIES_READ}):
        automated.materialize(key)
    for back in (0, 1, 3):
        automated.materialize(ENTRIES_READ, partition_key(current_month().plus(-back)))
    automated.tick()
    return automated


def test_marts_follow_a_month_that_was_read_by_hand_once_although_another_is_missing(built: Automated) -> None:
    """`eager()` stood still until every month of history had been materialized, and again on each first of a month."""
    built.materialize(ENTRIES_READ, partition_key(current_month()))
    asked = built.tick()
    assert {ENTRIES, REPORT, AssetKey(["staging", "stg_time_entries"])} <= asked
    assert TAGS not in asked, "what does not stand on the entries stays as it is"
    assert built.tick() == set()


def test_a_raw_asset_that_changes_right_after_its_models_were_built_is_followed(built: Automated) -> None:
    """Both were seen in one tick, in which the build took the change with it, and the marts stayed old for ever."""
    for key in (AssetKey(["staging", "stg_tags"]), TAGS, AssetKey(["raw", "tags"])):
        built.materialize(key)
    assert {AssetKey(["staging", "stg_tags"]), TAGS} <= built.tick()
    assert built.tick() == set()


def test_a_backfill_of_many_months_asks_once_and_not_once_per_month(built: Automated) -> None:
    for back in range(12):
        built.materialize(ENTRIES_READ, partition_key(current_month().plus(-back)))
    assert ENTRIES in built.tick()
    assert [built.tick() for _ in range(3)] == [set()] * 3


def test_a_sync_leaves_nothing_due_and_a_range_of_months_after_it_asks_once(automated: Automated) -> None:
    assert automated.project.run().success
    assert [automated.tick() for _ in range(2)] == [set()] * 2
    gone = automated.project.rig.workspace.records("time_entries")[0]
    automated.project.rig.workspace.delete("time_entries", gone["id"])
    everything = range_tags(automated.project.rig.span())
    assert automated.project.run("raw/time_entries", tags=everything).success
    asked = automated.tick()
    assert ENTRIES in asked
    assert automated.project.run(*(key.to_user_string() for key in asked)).success
    assert automated.tick() == set(), "they were built"
    found = automated.project.rig.query(f"SELECT count(*) FROM marts.fct_time_entries WHERE time_entry_id = '{gone['id']}'")
    assert found == [(0,)]


def test_marts_wait_until_the_models_below_them_were_built_once(automated: Automated) -> None:
    """On a warehouse that was never synced, a month that was read by hand asked for marts that dbt could not build."""
    automated.materialize(ENTRIES_READ, partition_key(current_month()))
    asked = automated.tick()
    assert AssetKey(["staging", "stg_time_entries"]) in asked
    assert not {ENTRIES, REPORT} & asked
    for key in sorted(asked):
        automated.materialize(key)
    for name in sorted(set(RESOURCE_NAMES) - {"time_entries"}):
        automated.materialize(AssetKey(["raw", name]))
    assert {ENTRIES, TAGS, REPORT} <= automated.tick()


def test_every_asset_with_the_condition_is_evaluated_by_the_one_sensor_which_is_on(project: Project) -> None:
    sensor = project.definitions.resolve_sensor_def("marts_follow_raw")
    assert sensor.default_status is DefaultSensorStatus.RUNNING
    assert "It is on because it asks the API for nothing" in str(sensor.description)
    graph = project.definitions.resolve_asset_graph()
    with_condition = {node.key for node in graph.asset_nodes if node.automation_condition is not None}
    assert sensor.asset_selection is not None
    assert with_condition == sensor.asset_selection.resolve(graph)
    assert with_condition == {key for key in graph.materializable_asset_keys if key.path[0] != "raw"}
    names = {each.name for each in project.definitions.get_repository_def().sensor_defs}
    assert "default_automation_condition_sensor" not in names
