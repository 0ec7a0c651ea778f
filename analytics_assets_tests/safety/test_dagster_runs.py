"""All or nothing under Dagster, and what a run that dies while models are built leaves behind."""

import pytest
from dagster import AssetKey, DagsterRunStatus

from analytics_assets.cli.orphaned_runs import end_orphaned_runs
from analytics_assets.demo.faults import Fault
from analytics_assets.source.columns import RESOURCE_NAMES
from analytics_assets.warehouse.connection import connection
from analytics_assets.warehouse.errors import WarehouseError
from analytics_assets_tests.safety.child import DagsterOrder
from analytics_assets_tests.safety.conftest import Site
from analytics_assets_tests.safety.points import Stop
from analytics_assets_tests.safety.processes import Processes

RAW_KEYS = tuple(f"raw/{name}" for name in RESOURCE_NAMES)
TAGS = ("raw/tags", "staging/stg_tags")


def materialized(site: Site) -> set[str]:
    """The assets that any run has materialized."""
    with site.instance() as instance:
        return {
            key.to_user_string()
            for key in map(AssetKey.from_user_string, (*RAW_KEYS, *TAGS))
            if instance.get_latest_materialization_event(key)
        }


def test_a_run_whose_last_list_fails_changes_no_table_and_materializes_nothing(site: Site, processes: Processes) -> None:
    before = site.contents()
    last = site.workspace.users[-1]["id"]
    site.server.faults.add(Fault("status", resource="time_entries", parent_id=last, status=500, times=None))
    failed = processes.start(DagsterOrder(RAW_KEYS), site.variables()).end().result
    assert not failed["success"]
    (sentence,) = failed["sentences"]
    assert sentence.startswith(f"GET {site.api_url}/v1/workspaces/{site.workspace_id}/user/{last}/time-entries")
    attempts = "after 4 attempts each with pages of 5000, 500 and 50 rows."
    assert sentence.endswith(f"answered 500 (Something went wrong., code 500), {attempts}")
    assert site.contents() == before
    assert materialized(site) == set()

    site.server.faults.clear()
    assert processes.start(DagsterOrder(RAW_KEYS), site.variables()).end().result["success"]
    site.assert_equals_api()
    site.assert_clean()
    assert materialized(site) == set(RAW_KEYS)


def test_a_run_that_is_killed_while_models_are_built_leaves_raw_exact_and_the_next_run_heals(
    site: Site, processes: Processes
) -> None:
    killed = processes.start(DagsterOrder(TAGS), site.variables(), stop=Stop("building"))
    killed.wait_until_it_stops()
    killed.kill()
    site.assert_equals_api(resources=("tags",))
    assert "raw/tags" in materialized(site)

    site.change_something()
    assert processes.start(DagsterOrder(TAGS), site.variables()).end().result["success"]
    site.assert_equals_api(resources=("tags",))
    assert site.query("SELECT count(*) FROM staging.stg_tags") == [(len(site.workspace.records("tags")),)]
    site.assert_clean()


def test_a_sync_waits_while_models_are_built_and_reads_in_no_gap_between_two_of_them(site: Site, processes: Processes) -> None:
    """dbt let go of the file between its models; a reader or a writer that got in would break the next one."""
    building = processes.start(DagsterOrder(TAGS), site.variables(), stop=Stop("building"))
    building.wait_until_it_stops()
    following = processes.start(site.order())
    following.wait_until_it_says("Waiting for the warehouse: dbt run ")
    with pytest.raises(WarehouseError, match="has been open in"), connection(site.path, read_only=True, patience_seconds=0):
        pass
    building.go_on()
    assert building.end().result["success"]
    assert following.end().result
    site.assert_equals_api()
    site.assert_clean()


def test_a_run_whose_process_was_killed_is_ended_by_the_next_start_and_one_that_lives_is_not(
    site: Site, processes: Processes
) -> None:
    """Such runs stayed "started" for a day, in their slots; with four of them the queue stood still."""
    killed = processes.start(DagsterOrder(TAGS), site.variables(), stop=Stop("loading"))
    killed.wait_until_it_stops()
    alive = processes.start(DagsterOrder(TAGS), site.variables())
    alive.wait_until_it_says("Waiting for the warehouse: ")
    with site.instance() as instance:
        assert end_orphaned_runs(instance) == []
        killed.kill()
        (ended,) = end_orphaned_runs(instance)
        assert alive.end().result["run_id"] != ended
        run = instance.get_run_by_id(ended)
        assert run is not None
        assert run.status is DagsterRunStatus.FAILURE
