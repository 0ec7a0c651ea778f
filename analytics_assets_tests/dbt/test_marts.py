"""What the models make of an invented workspace, against the same worked out in Python."""

import shutil
from collections import Counter, defaultdict
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any

import duckdb
import pytest

from analytics_assets_tests.dbt.conftest import Build
from analytics_assets_tests.dbt.expected import (
    Change,
    amount,
    cost,
    expected_entries,
    rate_currency,
    seconds,
    seconds_by_day,
    work_date,
    zone_of,
)
from analytics_assets_tests.dbt.history import AS_OF, TIME_ZONES, Row, Sync, invented_syncs

Entries = dict[str, Row]

CLIENT_OF = {"site": "gone", "app": "acme"}
CURRENCY_OF = {"gone": "CHF", "acme": "EUR"}


@pytest.fixture(scope="module")
def syncs() -> list[Sync]:
    return invented_syncs()


@pytest.fixture(scope="module")
def entries(syncs: list[Sync]) -> Entries:
    return expected_entries(syncs)[0]


@pytest.fixture(scope="module")
def changes(syncs: list[Sync]) -> list[Change]:
    return expected_entries(syncs)[1]


def _user(row: Row) -> str:
    return row["user_id"] or row["_users_id"]  # type: ignore[no-any-return]


def _client(row: Row) -> str | None:
    return CLIENT_OF.get(row.get("project_id") or "")


def _workspace_currency(entries: Entries) -> str | None:
    used = Counter(currency for row in entries.values() if (currency := rate_currency(row, "hourly")))
    return min(used, key=lambda currency: (-used[currency], currency), default=None)


def _currency(row: Row, workspace_currency: str | None) -> str | None:
    return rate_currency(row, "hourly") or CURRENCY_OF.get(_client(row) or "") or workspace_currency


def _kind(row: Row) -> str:
    return row.get("type") or "REGULAR"


def test_time_entries_are_the_ones_that_the_api_has_with_every_value_worked_out(lived_in: Build, entries: Entries) -> None:
    found = {row["time_entry_id"]: row for row in lived_in.records("select * from marts.fct_time_entries")}
    assert found.keys() == entries.keys()
    workspace_currency = _workspace_currency(entries)
    for key, row in entries.items():
        start = row["time_interval__start"]
        expected = {
            "user_id": _user(row),
            "project_id": row.get("project_id") or None,
            "client_id": _client(row),
            "task_id": row.get("task_id"),
            "workspace_id": row.get("workspace_id"),
            "description": row.get("description") or None,
            "is_billable": bool(row.get("billable")),
            "is_running": row.get("time_interval__end") is None,
            "started_at": start,
            "ended_at": row.get("time_interval__end"),
            "duration_seconds": seconds(row),
            "entry_date": start.date(),
            "work_date": work_date(row),
            "time_zone": str(zone_of(row)),
            "currency": _currency(row, workspace_currency),
            "entry_type": _kind(row),
            "is_break": _kind(row) == "BREAK",
            "is_time_off": _kind(row) == "TIME_OFF",
            "hourly_rate_minor": row.get("hourly_rate__amount"),
            "amount_minor": amount(row),
            "cost_minor": cost(row),
        }
        assert {name: found[key][name] for name in expected} == expected, key


def test_tags_stand_once_per_entry_whatever_shape_they_came_in(lived_in: Build, entries: Entries) -> None:
    expected = {(key, tag) for key, row in entries.items() if isinstance(row.get("tag_ids"), list) for tag in row["tag_ids"]}
    assert Counter(lived_in.rows("select time_entry_id, tag_id from marts.fct_time_entry_tags")) == Counter(expected)


def test_rows_that_left_the_api_stay_flagged(lived_in: Build, syncs: list[Sync]) -> None:
    for resource, model, key in (
        ("users", "dim_users", "user_id"),
        ("projects", "dim_projects", "project_id"),
        ("clients", "dim_clients", "client_id"),
        ("tags", "dim_tags", "tag_id"),
        ("tasks", "dim_tasks", "task_id"),
        ("user_groups", "dim_user_groups", "user_group_id"),
    ):
        left_at: dict[str, datetime | None] = {}
        for sync in reversed(syncs):
            for row in sync.rows[resource]:  # type: ignore[index]
                left_at.setdefault(row["id"], None if sync is syncs[-1] else syncs[syncs.index(sync) + 1].at)
        found = lived_in.rows(f"select {key}, is_deleted, deleted_at from marts.{model}")
        assert sorted(found) == sorted((key, at is not None, at) for key, at in left_at.items())
        assert any(is_deleted for _, is_deleted, _ in found)


def test_time_zones_come_from_the_settings_and_else_from_the_variable(lived_in: Build) -> None:
    found = dict(lived_in.rows("select user_id, time_zone from marts.dim_users"))
    assert found == TIME_ZONES | dict.fromkeys(("unset", "odd_settings", "mars"), "Asia/Kathmandu")


def test_the_timesheet_counts_every_second_on_its_local_day(lived_in: Build, entries: Entries) -> None:
    expected: defaultdict[tuple[Any, ...], list[int]] = defaultdict(lambda: [0, 0, 0, 0])
    for row in entries.values():
        for day, part in seconds_by_day(row).items():
            sums = expected[_user(row), row.get("project_id") or None, day]
            sums[0] += part
            sums[1] += part if row.get("billable") else 0
            sums[2] += part if _kind(row) not in {"BREAK", "TIME_OFF"} else 0
            sums[3] += 1
    found = {
        tuple(row[:3]): list(row[3:])
        for row in lived_in.rows(
            "select user_id, project_id, work_date, tracked_seconds, billable_seconds, work_seconds, entry_count "
            "from marts.timesheet_daily"
        )
    }
    assert found == expected


def test_billing_adds_up_each_currency_by_itself(lived_in: Build, entries: Entries) -> None:
    expected: defaultdict[tuple[Any, ...], list[int]] = defaultdict(lambda: [0, 0, 0, 0])
    workspace_currency = _workspace_currency(entries)
    for row in entries.values():
        month = work_date(row).replace(day=1)
        group = (_client(row), row.get("project_id") or None, month)
        currency = _currency(row, workspace_currency)
        sums = expected[*group, currency]
        sums[0] += seconds(row)
        sums[1] += seconds(row) if row.get("billable") else 0
        sums[2] += amount(row)
        if cost(row):
            expected[*group, rate_currency(row, "cost") or currency][3] += cost(row)
    found = {
        tuple(row[:4]): list(row[4:])
        for row in lived_in.rows(
            "select client_id, project_id, billing_month, currency, tracked_seconds, billable_seconds, amount_minor, "
            "cost_minor from marts.billing_monthly"
        )
    }
    assert found == expected
    assert lived_in.rows("select count(*) from marts.billing_monthly where margin_minor <> amount_minor - cost_minor") == [(0,)]


def test_timesheet_and_billing_tie_per_month_but_for_entries_across_its_end(lived_in: Build, entries: Entries) -> None:
    """Billing counts an entry whole in the month that it starts in, the timesheet each day's part on that day."""
    across: Counter[tuple[str | None, date]] = Counter()
    for row in entries.values():
        for day, part in seconds_by_day(row).items():
            if day.replace(day=1) != work_date(row).replace(day=1):
                across[row.get("project_id") or None, work_date(row).replace(day=1)] += part
                across[row.get("project_id") or None, day.replace(day=1)] -= part
    found = lived_in.rows(
        """
        select project_id, month, sum(tracked_seconds)::bigint from (
            select project_id, billing_month as month, tracked_seconds from marts.billing_monthly
            union all
            select project_id, date_trunc('month', work_date)::date, -tracked_seconds from marts.timesheet_daily
        ) group by all having sum(tracked_seconds) <> 0
        """
    )
    assert {(project, month): difference for project, month, difference in found} == {k: v for k, v in across.items() if v}
    assert found


def test_weeks_of_active_members_reach_to_today_and_those_of_others_to_their_last_entry(lived_in: Build) -> None:
    last = dict(lived_in.rows("select user_id, max(week_start_date) from marts.utilization_weekly group by all"))
    assert last["berlin"] == date(2025, 4, 13)  # a Sunday, as the settings say; today is Tuesday
    assert last["unset"] == date(2025, 4, 14)  # a Monday, the default
    assert last["chatham"] < AS_OF  # left the list
    gaps = lived_in.rows(
        "select user_id from marts.utilization_weekly group by user_id "
        "having count(*) <> (max(week_start_date) - min(week_start_date)) / 7 + 1"
    )
    assert gaps == []


def test_late_changes_are_all_that_was_seen_after_its_month_and_nothing_else(lived_in: Build, changes: list[Change]) -> None:
    found = [
        (
            row["time_entry_id"],
            row["change_type"],
            row["first_seen_at"],
            row["entry_month"],
            row["previously_read_at"],
            row["is_return"],
            None if row["changed_fields"] is None else frozenset(row["changed_fields"].split(", ")),
            row["seconds_difference"],
            row["amount_minor_difference"],
            row["before_started_at"],
            row["after_started_at"],
            row["is_certainly_late"],
        )
        for row in lived_in.records("select * from marts.time_entry_changes")
    ]
    expected = [
        (
            change.time_entry_id,
            change.change_type,
            change.first_seen_at,
            change.entry_month,
            change.previously_read_at,
            change.is_return,
            None if change.changed_fields is None else frozenset(change.changed_fields),
            change.seconds_difference,
            change.amount_minor_difference,
            change.before and change.before["time_interval__start"],
            change.after and change.after["time_interval__start"],
            change.is_certainly_late,
        )
        for change in changes
    ]
    assert Counter(found) == Counter(expected)
    # the story has all kinds of them
    assert {kind for _, kind, *_ in found} == {"added", "edited", "deleted"}
    assert any(change.is_return for change in changes)
    assert {is_certain for *_, is_certain in found} == {True, False}


def test_the_first_load_of_old_months_is_no_late_change(lived_in: Build, syncs: list[Sync], changes: list[Change]) -> None:
    """An earliest load time for the whole table would be too coarse: a backfill of older months comes much later."""
    backfill = next(sync for sync in syncs if sync.at == datetime(2025, 4, 6, 12, tzinfo=UTC))
    older = {row["id"] for row in backfill.rows["time_entries"] if row["time_interval__start"] < syncs[0].window[0]}
    assert len(older) > 50
    late = {row[0] for row in lived_in.rows("select time_entry_id from marts.time_entry_changes where change_type = 'added'")}
    assert not older & late - {change.time_entry_id for change in changes if change.is_return}


def test_locking_alone_is_no_change(lived_in: Build) -> None:
    assert lived_in.rows("select count(*) from marts.time_entry_changes where changed_fields = 'is_locked'") == [(0,)]
    locked = lived_in.rows("select count(*) from raw_history.time_entries where is_locked")
    assert locked > [(0,)]


def test_views_work_in_a_copy_of_the_warehouse_with_another_name(lived_in: Build, tmp_path: Path) -> None:
    """DuckDB names a database after its file; views that name the database broke in the copy for readers."""
    copy = tmp_path / "some_other_name.duckdb"
    shutil.copy(lived_in.warehouse, copy)
    with duckdb.connect(str(copy), read_only=True) as connection:
        assert connection.execute("select count(*) from staging.stg_time_entries").fetchone() == (
            connection.execute("select count(*) from marts.fct_time_entries").fetchone()
        )
