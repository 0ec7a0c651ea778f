"""Records that no workspace should have and some do: they cost their own numbers, never a model or a neighbour's."""

from collections.abc import Iterator
from decimal import Decimal
from pathlib import Path
from typing import Any

import duckdb
import pytest

from analytics_assets.source.columns import TABLES, DataType, Table
from analytics_assets.warehouse.tables import DUCKDB_TYPES, HISTORY, RAW
from analytics_assets_tests.dbt.conftest import Build, Builder
from analytics_assets_tests.dbt.history import Row, utc
from analytics_assets_tests.dbt.warehouse import create_warehouse, publish

ABSURD: dict[DataType, list[str]] = {
    "bigint": ["9000000000000000000", "9223372036854775807", "-9223372036854775808", "-1", "0"],
    "double": ["inf", "-inf", "nan", "1e308"],
    "bool": ["true", "false"],
    "timestamp": [
        *("0001-01-01 00:00:00+00", "1969-12-31 23:59:59+00", "2100-01-01 00:00:00+00", "9999-12-31 23:59:59.999999+00"),
        *("290000-01-01 00:00:00+00", "290000-01-01 (BC) 00:00:00+00", "infinity", "-infinity"),
    ],
    "json": [
        *("null", "0", "true", '"text"', "1e400", "[]", "{}", "[[[]]]", '[null, 1e400, {"a": [1]}, {"value": {"b": [2]}}]'),
        *('[{"customFieldId": {}, "value": [1e400, null, {}]}]', '{"timeZone": [], "weekStart": {}}', '{"timeZone": 1e400}'),
        *('{"estimate": 9223372036854775807}', '{"estimate": 1e400}', '{"estimate": {"estimate": []}, "active": 7}'),
        '{"dayOfMonth": -9e18, "hour": 1e400, "month": {}, "dayOfWeek": [1]}',
        '{"estimate": -9223372036854775808, "resetOption": "MONTHLY", "type": {}}',
    ],
    "text": ["", "PT99999999999H", "P9999999D", "999999999999", "9" * 40, "-5", "'\"; --", "☃" * 5000],
}

HEALTHY: dict[str, list[Row]] = {
    "users": [{"id": "u", "name": "Ada", "status": "ACTIVE", "settings": {"timeZone": "Europe/Berlin"}}],
    "clients": [{"id": "c", "name": "Acme", "currency_code": "EUR"}],
    "projects": [
        {
            "id": "p",
            "name": "Site",
            "client_id": "c",
            "time_estimate__estimate": "PT10H",
            "time_estimate__reset_option": "MONTHLY",
            "budget_estimate": {"estimate": 9},
        }
    ],
    "tasks": [{"id": "t", "name": "Draw", "_projects_id": "p", "estimate": "PT5H", "budget_estimate": "100"}],
    "user_groups": [{"id": "g", "name": "All", "user_ids": ["u"]}],
}
STALE = {"hourly_rate__amount": 9 * 10**18}


def _entry(key: str, hour: int, **fields: object) -> Row:
    return {
        "id": key,
        "user_id": "u",
        "_users_id": "u",
        "project_id": "p",
        "task_id": "t",
        "billable": True,
        "hourly_rate__amount": 9000,
        "hourly_rate__currency": "EUR",
        "time_interval__start": utc(2025, 1, 8, hour),
        "time_interval__end": utc(2025, 1, 8, hour + 1),
        **fields,
    }


def _healthy_workspace(path: Path) -> None:
    """Three syncs: an entry has an absurd rate at first and is corrected, another is deleted."""
    create_warehouse(path)
    kept = [_entry("first", 8, custom_field_values=[{"customFieldId": "f", "name": "Order", "value": 7}]), _entry("second", 10)]
    for at, entries in (
        (utc(2025, 1, 20), [*kept, _entry("corrected", 12, **STALE), _entry("deleted", 14, **STALE)]),
        (utc(2025, 2, 20), [*kept, _entry("corrected", 12)]),
        (utc(2025, 3, 20), [*kept, _entry("corrected", 12)]),
    ):
        publish(path, {**HEALTHY, "time_entries": entries}, at=at)  # type: ignore[dict-item]


def _absurd_rows(table: Table) -> Iterator[dict[str, Any]]:
    """A row per column and absurd value; all else is as in a healthy row, but of a member and project of their own."""
    common: Row = {"_loaded_at": "2025-01-20 00:00:00+00"}
    if table.name == "time_entries":
        common |= _entry("", 8, user_id="absurd", _users_id="absurd", project_id="absurd", task_id="absurd")
    if table.name == "tasks":
        common |= {"_projects_id": "absurd", "project_id": "absurd"}
    for column in table.columns:
        for number, value in enumerate([] if column.name == "id" else ABSURD[column.data_type]):
            yield common | {"id": f"{table.name}_{column.name}_{number}", column.name: value}


def _insert(connection: duckdb.DuckDBPyConnection, schema: str, table: Table, row: Row) -> None:
    kinds = {column.name: DUCKDB_TYPES[column.data_type] for column in table.columns}
    values = ", ".join(f"cast(? as {kinds.get(name, 'varchar')})" for name in row)
    connection.execute(f"insert into {schema}.{table.name} ({', '.join(row)}) values ({values})", [str(v) for v in row.values()])


def _with_absurd_rows(path: Path) -> None:
    """The same with absurd values in every column of every table, and of every history."""
    _healthy_workspace(path)
    with duckdb.connect(str(path)) as connection:
        connection.execute("set TimeZone = 'UTC'")
        for table in TABLES.values():
            for row in _absurd_rows(table):
                _insert(connection, RAW, table, row)
                gone = {"_valid_to": "2025-03-20 00:00:00+00", "_change": "deleted"}
                _insert(connection, HISTORY, table, row | {"id": f"former_{row['id']}"} | gone)
        _insert(connection, RAW, TABLES["projects"], {"id": "absurd", "_loaded_at": "2025-01-20 00:00:00+00"})


@pytest.fixture(scope="module")
def healthy(builder: Builder) -> Build:
    """A small workspace without an absurd record in it now."""
    return builder.once("healthy", _healthy_workspace)


@pytest.fixture(scope="module")
def absurd(builder: Builder) -> Build:
    """The same with absurd records in it."""
    return builder.once("absurd", _with_absurd_rows)


def test_no_record_fails_a_model_or_a_check(absurd: Build) -> None:
    assert absurd.success, absurd.messages
    assert absurd.nodes_with("warn") >= {
        "clients_have_plausible_values",
        "custom_values_have_a_field",
        "former_versions_of_time_entries_had_plausible_values",
        "members_have_plausible_values",
        "projects_have_plausible_values",
        "tasks_have_plausible_values",
        "time_entries_have_plausible_values",
        "time_entries_last_at_most_366_days",
        "user_groups_have_plausible_values",
    }


def test_healthy_rows_have_the_numbers_that_they_have_by_themselves(absurd: Build, healthy: Build) -> None:
    for model, mine in (
        ("fct_time_entries", "user_id = 'u'"),
        ("timesheet_daily", "user_id = 'u'"),
        ("utilization_weekly", "user_id = 'u'"),
        ("billing_daily", "project_id = 'p'"),
        ("billing_monthly", "project_id = 'p'"),
        ("billing_monthly_history", "project_id = 'p'"),
        ("billing_monthly_rounded", "project_id = 'p'"),
        ("project_budgets", "project_id = 'p'"),
        ("user_group_members", "user_id = 'u'"),
        ("utilization_weekly_by_group", "user_group_id = 'g'"),
        ("time_entry_custom_fields", "time_entry_id = 'first'"),
        ("project_budget_periods", "project_id = 'p'"),
        ("task_budgets", "project_id = 'p'"),
        ("time_entry_changes", "project_id = 'p'"),
    ):
        query = f"select * from marts.{model} where {mine} order by all"
        assert absurd.rows(query) == healthy.rows(query) != [], model


def test_money_of_an_absurd_rate_is_unknown_and_its_correction_has_no_difference(healthy: Build) -> None:
    assert healthy.success, healthy.messages
    assert healthy.nodes_with("warn") == {"former_versions_of_time_entries_had_plausible_values"}
    assert healthy.records(
        "select change_type, before_amount_minor, after_amount_minor, amount_minor_difference, is_billing_relevant "
        "from marts.time_entry_changes order by time_entry_id"
    ) == [
        {
            "change_type": kind,
            "before_amount_minor": None,
            "after_amount_minor": after,
            "amount_minor_difference": None,
            "is_billing_relevant": True,
        }
        for kind, after in (("edited", 9000), ("deleted", None))
    ]
    assert healthy.rows("select amount_minor from marts.billing_monthly") == [(27_000,)]


def test_money_of_any_size_is_exact_in_units_of_its_currency(absurd: Build) -> None:
    rates = dict(
        absurd.rows("select hourly_rate_minor, hourly_rate from marts.fct_time_entries where hourly_rate_minor is not null")
    )
    largest = 2**63 - 1
    assert rates[largest] == Decimal(largest).scaleb(-2)
    assert rates[-largest - 1] == Decimal(-largest - 1).scaleb(-2)


def test_entries_that_span_years_count_on_their_first_day(absurd: Build) -> None:
    """An entry that ended in the year 9999 made 2.9 million rows of the timesheet."""
    assert absurd.rows("select max(duration_seconds) > 250000000000 from marts.fct_time_entries") == [(True,)]
    by_day = "select user_id, project_id, {day}, sum({seconds}) from marts.{table} where user_id = 'absurd' group by all"
    spread = absurd.rows(by_day.format(day="work_date", seconds="tracked_seconds", table="timesheet_daily"))
    started = by_day.format(day="entry_date", seconds="duration_seconds", table="fct_time_entries")
    assert sorted(spread, key=str) == sorted(absurd.rows(started + " having entry_date is not null"), key=str)
    assert absurd.rows("select count(distinct work_date) from marts.timesheet_daily") == [(1,)]


def test_absurd_values_stand_by_name_beside_the_row(absurd: Build) -> None:
    named = dict(absurd.rows("select time_entry_id, implausible_fields from marts.fct_time_entries"))
    # the same order as in ABSURD
    names: dict[str, list[str | None]] = {
        "time_interval__start": ["started_at", "started_at", "started_at", "started_at"],
        "time_interval__end": [None, None, None, None, "ended_at", "ended_at", "ended_at", "ended_at"],
        "time_interval__duration": [None, "api_duration_seconds", None, None, "api_duration_seconds"],
        "hourly_rate__amount": ["amount_minor", "amount_minor", "amount_minor", None, None],
        "tag_ids": [None, "tag_ids", "tag_ids", "tag_ids", "tag_ids", None, "tag_ids", None, None],
    }
    for column, expected in names.items():
        assert [named[f"time_entries_{column}_{number}"] for number in range(len(expected))] == expected, column
