"""All or nothing under Dagster, and what a dbt that dies, or whose run dies, leaves behind."""

import os
import signal

from dagster import AssetKey

from analytics_assets.demo.faults import Fault
from analytics_assets.source.columns import RESOURCE_NAMES
from analytics_assets_tests.safety.child import DagsterOrder
from analytics_assets_tests.safety.conftest import Site
from analytics_assets_tests.safety.points import Stop
from analytics_assets_tests.safety.processes import Processes, is_alive

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
    assert sentence.endswith("answered 500 (Something went wrong., code 500), after 4 attempts.")
    assert site.contents() == before
    assert materialized(site) == set()

    site.server.faults.clear()
    assert processes.start(DagsterOrder(RAW_KEYS), site.variables()).end().result["success"]
    site.assert_equals_api()
    site.assert_clean()
    assert materialized(site) == set(RAW_KEYS)


def test_a_dbt_that_is_killed_makes_the_run_red_leaves_raw_exact_and_the_next_run_heals(site: Site, processes: Processes) -> None:
    red = processes.start(DagsterOrder(TAGS), site.variables(), stop=Stop("in dbt"))
    os.kill(red.wait_until_it_stops(), signal.SIGKILL)
    red.go_on()
    failed = red.end().result
    assert not failed["success"]
    assert "failed with exit code `-9`" in failed["sentences"][0]
    site.assert_equals_api(resources=("tags",))
    assert "raw/tags" in materialized(site)

    site.change_something()
    assert processes.start(DagsterOrder(TAGS), site.variables()).end().result["success"]
    site.assert_equals_api(resources=("tags",))
    assert site.query("SELECT count(*) FROM staging.stg_tags") == [(len(site.workspace.records("tags")),)]
    site.assert_clean()


def test_the_next_sync_waits_for_the_dbt_of_a_run_that_was_killed_which_ends_without_writing_on(
    site: Site, processes: Processes
) -> None:
    """The orphan went on building models once, while the next sync published between two of them."""
    killed = processes.start(DagsterOrder(TAGS), site.variables(), stop=Stop("in dbt"))
    dbt = killed.wait_until_it_stops()
    os.kill(dbt, signal.SIGSTOP)
    killed.kill()
    following = processes.start(site.order())
    following.wait_until_it_says(f"(process {dbt}) has it open")
    os.kill(dbt, signal.SIGCONT)
    assert following.end().result
    assert not is_alive(dbt)
    site.assert_equals_api()
    site.assert_clean()
