"""The job `sync` from the API to the marts, on the real dbt project."""

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from analytics_assets.demo.build import empty_workspace
from analytics_assets.demo.serving import DemoServer
from analytics_assets.orchestration.dbt_events import PREVIEW
from analytics_assets.settings import load_settings
from analytics_assets.source.columns import RESOURCE_NAMES, TABLES
from analytics_assets_tests.orchestration.conftest import Project, materializations
from analytics_assets_tests.tiny import moment

pytestmark = pytest.mark.timeout(600)
MARTS = ["dim_users", "dim_projects", "dim_clients", "dim_tasks", "dim_tags", "dim_user_groups", "fct_time_entries"]


def test_a_whole_run_ends_with_marts_that_hold_what_the_api_has(project: Project) -> None:
    result = project.run()
    assert result.success
    project.rig.assert_equals_api()
    (seconds, entries), *_ = project.rig.query("SELECT sum(duration_seconds), count(*) FROM marts.fct_time_entries")
    (expected,) = project.rig.query(
        "SELECT sum(date_diff('second', time_interval__start, time_interval__end)), count(*) FROM raw.time_entries"
    )
    assert (seconds, entries) == expected
    shown = {each.asset_key.path[-1]: each.metadata for each in materializations(result) if each.asset_key.path[0] == "marts"}
    assert shown["fct_time_entries"]["tracked hours"].value == pytest.approx(seconds / 3600, abs=0.01)
    amounts = project.rig.query("SELECT currency, sum(amount) FROM marts.billing_monthly GROUP BY currency")
    told = {name: value.value for name, value in shown["billing_monthly"].items() if name.startswith("amount, ")}
    assert told == {f"amount, {currency}": pytest.approx(float(amount), abs=0.01) for currency, amount in amounts if currency}
    preview: Any = shown["billing_monthly"][PREVIEW].value
    rows = [row.data for row in preview.records]
    assert 0 < len(rows) <= 5
    raw = {each.asset_key.path[-1]: each.metadata for each in materializations(result) if each.asset_key.path[0] == "raw"}
    of_users: Any = raw["users"][PREVIEW].value
    named = {(record.data["id"], record.data["email"]) for record in of_users.records}
    assert 0 < len(named) <= 5 and named <= set(project.rig.query("SELECT id, email FROM raw.users"))
    assert all(PREVIEW in each.metadata for each in materializations(result) if each.metadata["dagster/row_count"].value)
    names = {row["project_name"] for row in rows}
    assert names <= {name or "" for (name,) in project.rig.query("SELECT DISTINCT project_name FROM marts.billing_monthly")}
    assert told and shown["dim_users"]["members now"].value == len(project.rig.rows("users"))
    results = {check.check_name: check for check in result.get_asset_check_evaluations()}
    assert [name for name, check in results.items() if not check.passed] == []
    assert {"marts_of_the_page_are_up_to_date", "copy_has_the_rows_of_the_warehouse"} <= results.keys()

    member = project.rig.workspace.users[0]["id"]
    project.rig.workspace.delete("users", member)
    gone = project.rig.workspace.records("time_entries")[-1]["id"]
    project.rig.workspace.delete("time_entries", gone)
    assert project.run("raw/users").success
    (stale,) = project.run("report/overview").get_asset_check_evaluations()
    assert not stale.passed, "the page told of a sync whose rows its marts had not seen"
    assert "dim_users" in str(stale.metadata["which"].value)
    assert project.run().success
    assert project.rig.query(f"SELECT is_deleted FROM marts.dim_users WHERE user_id = '{member}'") == [(True,)]
    assert project.rig.query(f"SELECT count(*) FROM marts.fct_time_entries WHERE user_id = '{member}'") != [(0,)]


class TestAnEmptyWorkspace:
    """A workspace with nothing in it is a workspace too."""

    @pytest.fixture
    def server(self) -> Iterator[DemoServer]:
        """The demo API serving nothing."""
        with DemoServer(empty_workspace()) as running:
            yield running

    def test_an_empty_workspace_syncs_green_with_all_tables_and_columns(self, project: Project) -> None:
        result = project.run()
        assert result.success
        # the one whose key it is should be a member; an API that counts pages from 0 shows nobody either
        assert [each.check_name for each in result.get_asset_check_evaluations() if not each.passed] == ["members_are_there"]
        for name in RESOURCE_NAMES:
            columns = {column for (column, *_) in project.rig.query(f"DESCRIBE raw.{name}")}
            assert {column.name for column in TABLES[name].columns} <= columns
            assert project.rig.query(f"SELECT count(*) FROM raw.{name}") == [(0,)]
        assert [project.rig.query(f"SELECT count(*) FROM marts.{mart}") for mart in MARTS] == [[(0,)]] * len(MARTS)


def test_the_zone_of_the_settings_is_the_one_that_days_are_counted_in(project: Project, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("ANALYTICS_REPORTING_TIME_ZONE", "Pacific/Kiritimati")
    zoned = Project(project.rig, load_settings(), project.instance)
    assert zoned.run().success
    rows = zoned.rig.query("SELECT work_date, entry_date, started_at FROM marts.fct_time_entries")
    assert all(work == (start + timedelta(hours=14)).date() for work, _, start in rows)
    assert any(work != entry for work, entry, _ in rows)


def test_the_settings_that_marts_count_by_are_those_that_they_were_built_with(
    project: Project, monkeypatch: pytest.MonkeyPatch
) -> None:
    """All but the reporting zone could be set by nobody who did not edit a file inside the package."""
    as_of = (datetime.now(UTC) - timedelta(days=3)).date()
    values = {
        "DEFAULT_TIME_ZONE": "Asia/Kathmandu",
        "DEFAULT_WEEK_START": "saturday",
        "DEFAULT_CURRENCY": "SEK",
        "WEEKLY_CAPACITY_HOURS": "37.5",
        "BURN_RATE_DAYS": "5",
        "MONTH_CLOSE_DAYS": "4",
        "AS_OF_DATE": as_of.isoformat(),
        "PREVIEW_ROWS": "0",
    }
    for name, value in values.items():
        monkeypatch.setenv(f"ANALYTICS_{name}", value)
    for user in project.rig.workspace.users:
        project.rig.workspace.edit("users", user["id"], settings=None)
    project.rig.workspace.new_time_entry(
        project.rig.workspace.users[0]["id"], moment(1), moment(1, hour=10), description="No rate"
    )
    counted = Project(project.rig, load_settings(), project.instance)
    result = counted.run()
    assert result.success
    assert not any(PREVIEW in each.metadata for each in materializations(result))
    query = counted.rig.query
    assert query("SELECT DISTINCT time_zone, week_start_iso_day FROM marts.dim_users") == [("Asia/Kathmandu", 6)]
    assert query("SELECT currency FROM marts.fct_time_entries WHERE description = 'No rate'") == [("SEK",)]
    assert query("SELECT DISTINCT capacity_seconds FROM marts.utilization_weekly") == [(135_000,)]
    assert query("SELECT DISTINCT as_of_date FROM marts.project_budgets") == [(as_of,)]
    assert query("SELECT max(burn_days) FROM marts.project_budgets") == [(5,)]
