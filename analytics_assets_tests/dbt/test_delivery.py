"""The raw tables, their history and all marts in Postgres are those of the warehouse, row by row."""

from typing import Any, Final

import duckdb

from analytics_assets.warehouse.delivered_tables import DeliveredColumn, delivered_tables
from analytics_assets.warehouse.postgres import deliver, tables_that_differ
from analytics_assets_tests.dbt.conftest import Build
from analytics_assets_tests.team_database import Team

JSON: Final = "JSON"
MOMENT: Final = "TIMESTAMP WITH TIME ZONE"


def in_duckdb(column: DeliveredColumn) -> str:
    """The column as a value that looks the same in both: moments as microseconds, JSON as text."""
    name = f'"{column.name}"'
    return {JSON: f"{name}::VARCHAR", MOMENT: f"epoch_us({name})"}.get(column.duckdb_type, name)


def in_postgres(column: DeliveredColumn) -> str:
    """The same in Postgres."""
    name = f'"{column.name}"'
    return {JSON: f"{name}::text", MOMENT: f"(extract(epoch FROM {name}) * 1000000)::bigint"}.get(column.duckdb_type, name)


def rows_of(rows: list[tuple[Any, ...]]) -> list[str]:
    """The rows in an order that both engines agree on."""
    return sorted(map(repr, rows))


def test_each_row_of_each_table_is_there(team: Team, lived_in: Build) -> None:
    made = deliver(lived_in.warehouse, team.url)
    assert tables_that_differ(lived_in.warehouse, team.url) == []
    with duckdb.connect(str(lived_in.warehouse), read_only=True) as con:
        con.execute("SET TimeZone = 'UTC'")
        tables = delivered_tables(con)
        assert made.rows == {table.label: table.rows for table in tables}
        assert {"raw.time_entries", "raw_history.time_entries", "marts.fct_time_entries"} <= made.rows.keys()
        for table in tables:
            expected = con.execute(f"SELECT {', '.join(map(in_duckdb, table.columns))} FROM {table.label}").fetchall()
            found = team.rows(f"SELECT {', '.join(map(in_postgres, table.columns))} FROM {table.label}")
            assert rows_of(found) == rows_of(expected), table.label
