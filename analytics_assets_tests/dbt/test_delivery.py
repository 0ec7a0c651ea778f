"""The raw tables, their history and all marts in a team's warehouse are those of the file, row by row."""

from pathlib import Path
from typing import Any, Final

import duckdb
import pytest

from analytics_assets.warehouse.team import bigquery, snowflake
from analytics_assets.warehouse.team.bigquery import BigQuery
from analytics_assets.warehouse.team.delivered_tables import DeliveredColumn, delivered_tables
from analytics_assets.warehouse.team.delivery import TeamWarehouse, deliver, tables_that_differ
from analytics_assets.warehouse.team.motherduck import MotherDuck
from analytics_assets.warehouse.team.postgres import Postgres
from analytics_assets.warehouse.team.snowflake import Snowflake
from analytics_assets_tests.dbt.conftest import Build
from analytics_assets_tests.team_database import Team
from analytics_assets_tests.warehouse.team.bigquery_on_duckdb import sessions_on_duckdb
from analytics_assets_tests.warehouse.team.snowflake_on_duckdb import session_on_duckdb

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


def test_each_row_of_each_table_is_in_postgres(team: Team, lived_in: Build) -> None:
    made = deliver(lived_in.warehouse, Postgres(team.url))
    assert tables_that_differ(lived_in.warehouse, Postgres(team.url)) == []
    with duckdb.connect(str(lived_in.warehouse), read_only=True) as con:
        con.execute("SET TimeZone = 'UTC'")
        tables = delivered_tables(con)
        assert made.rows == {table.label: table.rows for table in tables}
        assert {"raw.time_entries", "raw_history.time_entries", "marts.fct_time_entries"} <= made.rows.keys()
        for table in tables:
            expected = con.execute(f"SELECT {', '.join(map(in_duckdb, table.columns))} FROM {table.label}").fetchall()
            found = team.rows(f"SELECT {', '.join(map(in_postgres, table.columns))} FROM {table.label}")
            assert rows_of(found) == rows_of(expected), table.label


def test_each_row_of_each_table_is_in_snowflake(lived_in: Build, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A DuckDB file plays Snowflake, see `snowflake_on_duckdb.py`."""
    path = tmp_path / "team.duckdb"
    monkeypatch.setattr(snowflake, "snowflake_session", session_on_duckdb)
    assert_each_row_is_there(lived_in.warehouse, Snowflake(f"snowflake://{path}"), path)


def test_each_row_of_each_table_is_in_bigquery(lived_in: Build, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A DuckDB file plays BigQuery, see `bigquery_on_duckdb.py`."""
    path = tmp_path / "team.duckdb"
    monkeypatch.setattr(bigquery, "bigquery_session", sessions_on_duckdb(path))
    assert_each_row_is_there(lived_in.warehouse, BigQuery("bigquery://team"), path)


def assert_each_row_is_there(warehouse: Path, team: TeamWarehouse, path: Path) -> None:
    """Deliver, and look up each row in the file that plays the team's warehouse."""
    made = deliver(warehouse, team)
    assert tables_that_differ(warehouse, team) == []
    assert deliver(warehouse, team).sent == []
    with duckdb.connect(str(warehouse), read_only=True) as here, duckdb.connect(str(path)) as there:
        tables = delivered_tables(here)
        assert made.rows == {table.label: table.rows for table in tables}
        for table in tables:
            values = ", ".join(
                f"{value}::VARCHAR"
                for value, column in zip(map(in_duckdb, table.columns), table.columns, strict=True)
                if not column.duckdb_type.endswith("]")  # a list is JSON there
            )
            expected, found = (con.execute(f"SELECT {values} FROM {table.label}").fetchall() for con in (here, there))
            assert rows_of(found) == rows_of(expected), table.label


def test_each_row_of_each_table_is_in_motherduck(lived_in: Build, tmp_path: Path) -> None:
    team = MotherDuck(str(tmp_path / "team.duckdb"))
    made = deliver(lived_in.warehouse, team)
    assert tables_that_differ(lived_in.warehouse, team) == []
    assert deliver(lived_in.warehouse, team).sent == []
    with duckdb.connect(str(lived_in.warehouse), read_only=True) as here, duckdb.connect(team.address, read_only=True) as there:
        expected, found = delivered_tables(here), {table.label: table for table in delivered_tables(there)}
        assert {"raw.time_entries", "raw_history.time_entries", "marts.fct_time_entries"} <= {table.label for table in expected}
        assert made.rows == {table.label: table.rows for table in expected}
        for table in expected:
            assert found.pop(table.label) == table  # columns, types, comments, and the hashes of all rows
    assert [*found] == ["raw._delivered"]
